// SPDX-License-Identifier: Apache-2.0
/*
 * The service "metrics": where --http listens. What it serves is the side program's
 * (plugin/side/metrics), which speaks to strangers in place of us.
 */
#include "side/common/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/listen/address.h"
#include "sinks/server_options.h"

#define AT(member) offsetof(struct mrl_metrics_options, member)

static const struct mrl_option rows[] = {
    { .name = "mode",
      .type = MRL_OPTION_MODE,
      .offset = AT(mode),
      .preset = "0600",
      .doc = "Permissions of a unix socket." },
    { .name = "group",
      .type = MRL_OPTION_COPY,
      .offset = AT(group),
      .size = sizeof(((struct mrl_metrics_options *)0)->group),
      .doc = "Whose members may connect to a unix socket; mode is then 0660." },
    { .name = "insecure",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(insecure),
      .what = "value of insecure",
      .preset = "false",
      .doc = "Serve addresses of other hosts, without TLS." },
};

/* -- listening -------------------------------------------------------------------------------- */

static struct mrl_server_options of_server(const struct mrl_metrics_options *options)
{
    struct mrl_server_options server = { .mode = options->mode, .insecure = options->insecure };

    memcpy(server.group, options->group, sizeof(options->group));
    if (*server.group && !server.mode)
        server.mode = 0660;
    return server;
}

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const struct mrl_server_options server = of_server(target->options);

    return mrl_address__check(target->destination, &server, error);
}

/* The socket stays open over deaths of the side program: who comes meanwhile waits in its queue. */
static int prepare(const struct mrl_sink_target *target,
                   void *options,
                   int *fds,
                   struct mrl_error *error,
                   void **ret_prepared)
{
    const struct mrl_server_options server = of_server(options);
    struct mrl_address *address = malloc(sizeof(*address));
    int err = address ? mrl_address__listen(target->destination, &server, error, address)
                      : mrl_error__set(error, -ENOMEM, "out of memory");

    if (err) {
        free(address);
        return err;
    }
    fds[0] = address->socket;
    *ret_prepared = address;
    return 0;
}

static void unprepare(void *prepared)
{
    mrl_address__release(prepared);
    free(prepared);
}

const struct mrl_sink_ops mrl_service_metrics = {
    .name = "metrics",
    .doc = "Metrics and health, by HTTP.",
    .side = "metrics",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .option_bytes = sizeof(struct mrl_metrics_options),
    .check = check,
    .prepare = prepare,
    .unprepare = unprepare,
};
