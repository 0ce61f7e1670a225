// SPDX-License-Identifier: Apache-2.0
/* What may be said of a destination that is spoken to by HTTP. Touches nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sinks/authority.h"
#include "sinks/http/options.h"

static int check_url(const char *url, const char *schemes, struct mrl_error *error)
{
    const char *rest;
    size_t size;

    if (strlen(url) >= MRL_HTTP_URL_MAX)
        return mrl_error__set(error, -EINVAL, "a URL is shorter than %d bytes", MRL_HTTP_URL_MAX);
    /* Before all that would repeat it. */
    if (strchr(url, '@'))
        return mrl_error__set(error, -EINVAL,
                              "a URL with a name or a password in it shows in the list of "
                              "processes: say user=, and password-file= or token-file=");
    rest = mrl_authority__behind(schemes, url);
    if (!rest)
        return mrl_error__set(error, -EINVAL, "'%.64s' is no URL of it: it begins with one of %s",
                              url, schemes);
    size = strcspn(rest, "/?#");
    if (!mrl_authority__is(rest, size))
        return mrl_error__set(error, -EINVAL, "'%.64s' names no HOST or HOST:PORT", url);
    if (strpbrk(rest, "# \"<>\\^`{|}"))
        return mrl_error__set(error, -EINVAL, "'%.64s' holds what is in no URL", url);
    return 0;
}

int mrl_http__check(const struct mrl_sink_target *target,
                    const char *schemes,
                    struct mrl_error *error)
{
    static const struct mrl_http_options none;
    const struct mrl_http_options *options = target->options ? target->options : &none;
    int err = check_url(target->destination, schemes, error);

    if (err)
        return err;
    if (!*options->user != !*options->files[MRL_FILE_PASSWORD])
        return mrl_error__set(error, -EINVAL, "user= and password-file= come together");
    if (*options->user && *options->files[MRL_FILE_TOKEN])
        return mrl_error__set(error, -EINVAL, "user= and token-file= do not go together");
    if (strchr(options->user, ':'))
        return mrl_error__set(error, -EINVAL, "user= holds a colon");
    if (options->proxy_port && !*options->proxy)
        return mrl_error__set(error, -EINVAL, "proxy-port= wants proxy=");
    if (*options->proxy && !mrl_authority__is(options->proxy, strlen(options->proxy)))
        return mrl_error__set(error, -EINVAL, "proxy= is no host");
    if (*options->pin && (strncmp(options->pin, "sha256//", 8) != 0 || strlen(options->pin) != 52))
        return mrl_error__set(error, -EINVAL, "pin= is no sha256// and 44 digits of base64");
    if (!mrl_files__is_tls(target->destination) && *options->pin)
        return mrl_error__set(error, -EINVAL, "pin= is for TLS: '%.64s' is without",
                              target->destination);
    return mrl_files__check(target, error);
}

int mrl_http__check_lines(const struct mrl_sink_target *target, struct mrl_error *error)
{
    int err = mrl_http__check(target, "http https", error);

    return err ? err : mrl_files__check_json(target, error);
}
