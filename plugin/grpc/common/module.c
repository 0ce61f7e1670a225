// SPDX-License-Identifier: Apache-2.0
/* The module: the functions of the sink "grpc", and what the verbs of a client call. */
#include <errno.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/client/client.h"
#include "grpc/common/address.h"
#include "grpc/common/options.h"
#include "grpc/common/program.h"
#include "grpc/server/health.h"
#include "grpc/server/life.h"
#include "grpc/server/stream.h"

struct mrl_sink {
    struct mrl_server *server;
};

/* The options of a target, as they are meant where some are left out. */
static int read_options(const struct mrl_sink_target *target,
                        struct mrl_server_options *ret_options,
                        struct mrl_error *error)
{
    *ret_options = (struct mrl_server_options){ 0 };
    if (target->options)
        *ret_options = *(const struct mrl_server_options *)target->options;
    ret_options->is_main = !strcmp(target->format, "grpc-main");
    return mrl_server_options__complete(ret_options, error);
}

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    struct mrl_server_options options;
    int err = read_options(target, &options, error);

    return err ? err : mrl_address__check(target->destination, &options, error);
}

static int grpc_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    struct mrl_server_options options;
    int err = sink ? read_options(target, &options, error)
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

/* The row, with functions; filled in by begin(). */
static struct mrl_sink_ops sink;

/* What core says, once each, in the program's log. */
static void log_of_core(gpr_log_func_args *said)
{
    mrl_grpc__log(said->severity == GPR_LOG_SEVERITY_ERROR ? MRL_LOG_WARNING : MRL_LOG_DEBUG,
                  "grpc: %s", said->message);
}

static void begin(const struct mrl_module_program *program)
{
    mrl_grpc_program = program;
    sink = mrl_sink_grpc;
    sink.check = check;
    sink.open = grpc_open;
    sink.write = grpc_write;
    sink.reopen = grpc_reopen;
    sink.close = grpc_close;
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

extern const struct mrl_module mrl_module __attribute__((visibility("default")));
const struct mrl_module mrl_module = { MRL_MODULE_VERSION, &sink, begin, ready, &mrl_client };
