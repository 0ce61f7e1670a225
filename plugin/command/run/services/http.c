// SPDX-License-Identifier: Apache-2.0
#include "command/run/services/http.h"

#include <errno.h>
#include <mrelease/side.h>
#include <stdio.h>
#include <string.h>

#include "command/run/destination.h"

/* Whether a port stands behind the host: "[::1]:80", "localhost:80". */
static bool has_port(const char *text)
{
    const char *end = strrchr(text, ']');

    return strchr(end ? end : text, ':');
}

static int read_address(const char *text, struct mrl_http_target *target, struct mrl_error *error)
{
    const size_t room = sizeof(target->destination);
    const char *host = strncmp(text, "tcp:", 4) != 0 ? text : text + 4;
    int size;

    if (!strncmp(text, "unix:", 5) || !strncmp(text, "systemd", 7))
        size = snprintf(target->destination, room, "%s", text);
    else if (has_port(host))
        size = snprintf(target->destination, room, "tcp:%s", host);
    else
        size = snprintf(target->destination, room, "tcp:%s:%s", host,
                        target->options.names == MRL_METRICS_NAMES_TRACEE ? MRL_METRICS_PORT_TRACEE
                                                                          : MRL_METRICS_PORT);
    return *host && *host != '/' && (size_t)size < room
               ? 0
               : mrl_error__set(
                     error, -EINVAL,
                     "--http '%.64s': it is HOST:PORT, [HOST]:PORT, unix:PATH or systemd", text);
}

int mrl_http_target__read(const char *text,
                          enum mrl_metrics_names names,
                          struct mrl_http_target *ret_target,
                          struct mrl_error *error)
{
    const struct mrl_sink_ops *row = mrl_sides__metrics();
    const size_t size = mrl_destination__settings_size(text);
    const struct mrl_option_group group = { row->options, row->option_count, &ret_target->options };
    const struct mrl_sink_target target = { .destination = ret_target->destination,
                                            .options = &ret_target->options };
    int err;

    *ret_target = (struct mrl_http_target){ .options = { .names = (int)names } };
    err = size ? mrl_options__read(&group, 1, "setting of --http", text, size, error) : 0;
    if (!err)
        err = read_address(size ? text + size + 1 : text, ret_target, error);
    return err ? err : row->check(&target, error);
}
