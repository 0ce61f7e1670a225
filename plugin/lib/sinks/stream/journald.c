// SPDX-License-Identifier: Apache-2.0
/* The row of "journald": the journal of this host, or of one of its namespaces. */
#include <errno.h>
#include <string.h>

#include "sinks/stream/options.h"

enum { PATH_BYTES = 108 /* of an address */ };

static const struct mrl_option rows[] = {
    MRL_STREAM_TIMEOUT,
    MRL_STREAM_ORIGIN_ROWS,
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const char *path = target->destination;

    if (strcmp(path, "journald") != 0 && (*path != '/' || strlen(path) >= PATH_BYTES))
        return mrl_error__set(error, -EINVAL,
                              "'%.64s' is no path of a socket: it begins with a slash, and is "
                              "shorter than %d bytes",
                              path, PATH_BYTES);
    return mrl_stream__check_app(target, error);
}

const struct mrl_sink_ops mrl_sink_journald = {
    .name = "journald",
    .doc = "The journal of this host, or of the socket at PATH.",
    .usage = "journald:[PATH]",
    .schemes = (const char *const[]){ "journald", "journald:", NULL },
    .check = check,
    MRL_STREAM_OPS,
};
