// SPDX-License-Identifier: Apache-2.0
/* What may be said of a destination that is a stream of messages. Touches nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sinks/authority.h"
#include "sinks/stream/options.h"

const char *const mrl_stream_facilities[] = { "audit",  "auth",   "authpriv", "daemon", "user",
                                              "local0", "local1", "local2",   "local3", "local4",
                                              "local5", "local6", "local7",   NULL };

unsigned int mrl_stream_facility__number(int index)
{
    static const unsigned char numbers[] = { 13, 4, 10, 3, 1, 16, 17, 18, 19, 20, 21, 22, 23 };

    return numbers[index];
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < 33 || *text > 126)
            return false;
    return true;
}

int mrl_stream__check_app(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const struct mrl_stream_options *options = target->options;

    return !options || is_printable(options->app)
               ? 0
               : mrl_error__set(error, -EINVAL, "app= is printable ASCII without blanks");
}

int mrl_stream__check(const struct mrl_sink_target *target,
                      const char *schemes,
                      struct mrl_error *error)
{
    const char *url = target->destination, *rest = mrl_authority__behind(schemes, url);
    size_t size;
    int err;

    if (strchr(url, '@'))
        return mrl_error__set(error, -EINVAL, "'HOST' or 'HOST:PORT' holds no '@'");
    if (!rest)
        return mrl_error__set(error, -EINVAL, "'%.64s' is none of it: it begins with one of %s",
                              url, schemes);
    size = strlen(rest);
    size -= size && rest[size - 1] == '/';
    if (size >= 256 || !mrl_authority__is(rest, size))
        return mrl_error__set(error, -EINVAL, "'%.64s' names no HOST or HOST:PORT", url);
    err = mrl_stream__check_app(target, error);
    return err ? err : mrl_files__check(target, error);
}
