// SPDX-License-Identifier: Apache-2.0
/* The module: the sink of the format "grpc". */
#include "grpc/common/module.h"

#include <errno.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/client/client.h"
#include "grpc/common/address.h"
#include "grpc/common/options.h"
#include "grpc/server/health.h"
#include "grpc/server/life.h"
#include "grpc/server/stream.h"

struct mrl_sink {
    struct mrl_server *server;
};

/* Of the next open(). */
static struct {
    bool is_main;
    char settings[2048];
} prepared;

static void prepare(bool is_main, const char *settings)
{
    prepared.is_main = is_main;
    snprintf(prepared.settings, sizeof(prepared.settings), "%s", settings);
}

static int check(const char *settings, const char *destination, struct mrl_error *error)
{
    struct mrl_server_options options = { 0 };
    int err = mrl_server_options__read(&options, settings, error);

    return err ? err : mrl_address__check(destination, &options, error);
}

static int grpc_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    struct mrl_server_options options = { .is_main = prepared.is_main };
    int err = sink ? mrl_server_options__read(&options, prepared.settings, error)
                   : mrl_error__set(error, -ENOMEM, "out of memory");

    if (!err)
        err = mrl_server__open(target->destination, &options, error, &sink->server);

    if (err)
        free(sink);
    else
        *ret_sink = sink;
    return err;
}

static int grpc_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    *ret_events = chunk->events;
    mrl_server__publish(sink->server, chunk);
    return 0;
}

static int grpc_reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    return mrl_server__reload(sink->server, error);
}

static int grpc_close(struct mrl_sink *sink)
{
    mrl_server__close(sink->server);
    free(sink);
    return 0;
}

static const struct mrl_sink_ops sink = {
    .never_blocks = true,
    .name = "grpc",
    .doc = "Tracee's gRPC API: unix:PATH, tcp:HOST:PORT or systemd.",
    .open = grpc_open,
    .write = grpc_write,
    .reopen = grpc_reopen,
    .close = grpc_close,
};

/* What core says, once each, in the program's log. */
static void log_of_core(gpr_log_func_args *said)
{
    mrl_grpc__log(said->severity == GPR_LOG_SEVERITY_ERROR ? MRL_LOG_WARNING : MRL_LOG_DEBUG,
                  "grpc: %s", said->message);
}

static void begin(const struct mrl_grpc_program *program)
{
    mrl_grpc_program = program;
    /* A client whose standard output is full must answer its server's pings meanwhile. */
    setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200", 0);
    /* For the rest of the process: grpc_shutdown() may wait ten seconds for a poller of its own. */
    grpc_init();
    gpr_set_log_function(log_of_core);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

static void ready(void)
{
    atomic_store(&mrl_grpc_ready, true);
    mrl_health__serve();
}

extern const struct mrl_grpc_module mrl_grpc_module __attribute__((visibility("default")));
const struct mrl_grpc_module mrl_grpc_module = {
    MRL_GRPC_MODULE_VERSION, &sink, prepare, check, begin, ready, &mrl_client,
};
