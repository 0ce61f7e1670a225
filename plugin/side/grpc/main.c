// SPDX-License-Identifier: Apache-2.0
/*
 * The side program "grpc": the sink of a server, fed by the main process; or, with a verb, a
 * client.
 */
#include <errno.h>
#include <execinfo.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include "deliver/metrics/pack.h"
#include "side/common/allowance.h"
#include "side/common/program.h"
#include "side/grpc/client/client.h"
#include "side/grpc/common/core_locks.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/health.h"
#include "side/grpc/server/life.h"
#include "side/grpc/server/stream.h"
#include "sinks/grpc_options.h"

enum { DATA_BYTES = 104 * 1024 * 1024, FILES_MAX = 20000, ASKED_MAX = 100 };

struct mrl_sink {
    struct mrl_server *server;
};

/* -- the sink --------------------------------------------------------------------------------- */

static int grpc_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err = sink ? mrl_server__open(target->destination, target->options, target->fds, error,
                                      &sink->server)
                   : mrl_error__set(error, -ENOMEM, "out of memory");

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

static int reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    return mrl_server__reload(sink->server, fds, error);
}

static int grpc_close(struct mrl_sink *sink)
{
    mrl_server__close(sink->server);
    free(sink);
    return 0;
}

/* -- what the server asks of the main process ------------------------------------------------- */

/* The last counters. Where more is asked in a second than so often, they go to all who ask in it:
 * so a client that asks all the time takes no answer from another, and holds up no thread that
 * answers others. */
static struct {
    pthread_mutex_t lock;
    struct mrl_side_answer answer;
    struct mrl_allowance asked;
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock held. */
static int renew_last(void)
{
    const struct mrl_side_request request = { .asked = MRL_SIDE_METRICS };
    struct mrl_side_answer answer;
    struct mrl_error error;
    int err;

    if (last.answer.bytes && !mrl_allowance__take(&last.asked, ASKED_MAX))
        return 0;
    err = mrl_side__ask(&request, -1, &answer, &error);
    if (err)
        return err;
    free(last.answer.bytes);
    last.answer = answer;
    return 0;
}

static int metrics(struct mrl_metrics **ret_metrics)
{
    int err;

    pthread_mutex_lock(&last.lock);
    err = renew_last();
    if (!err)
        err = mrl_metrics__unpack(last.answer.bytes, last.answer.size, ret_metrics);
    pthread_mutex_unlock(&last.lock);
    return err;
}

static int watch(unsigned int event, bool on, int connection, struct mrl_error *error)
{
    const struct mrl_side_request request = { .asked = on ? MRL_SIDE_ENABLE : MRL_SIDE_DISABLE,
                                              .argument = event };

    return mrl_side__ask(&request, connection, NULL, error);
}

static int set_log_level(enum mrl_log_level level, int connection, struct mrl_error *error)
{
    const struct mrl_side_request request = { .asked = MRL_SIDE_LOG_LEVEL, .argument = level };

    return mrl_side__ask(&request, connection, NULL, error);
}

static const struct mrl_grpc_program served = { mrl_side__log, metrics, watch, set_log_level };

/* -- a client --------------------------------------------------------------------------------- */

static void say(enum mrl_log_level level, const char *text)
{
    fprintf(stderr, "mrelease: %s%s\n", level == MRL_LOG_WARNING ? "warning: " : "", text);
}

static const struct mrl_grpc_program called = { .log = say };

/* -- both ------------------------------------------------------------------------------------- */

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
#ifndef MRL_SANITIZED
    mrl_core_locks__trust();
#endif
    /* For the rest of the process: grpc_shutdown() may wait ten seconds for a poller of its own. */
    grpc_init();
    gpr_set_log_function(log_of_core);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

/* It opens nothing: what it needs comes from the main process. Of its threads and libraries, what
 * reads files is done before. */
static int give_up_rights(const char *word)
{
    const struct mrl_sandbox keeps = { .calls = MRL_CALLS_MESSAGES | MRL_CALLS_SERVE,
#ifndef MRL_SANITIZED
                                       .data_bytes = DATA_BYTES,
#endif
                                       .user = geteuid() ? NULL : "nobody" };
    struct rlimit files;
    void *frame;

    /* A connection takes descriptors. */
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    backtrace(&frame, 1); /* loads a library */
    OPENSSL_init_ssl(0, NULL);
    return mrl_side__enter(&keeps, word);
}

int main(int argc, char **argv)
{
    struct mrl_sink_ops sink = mrl_sink_grpc;
    const struct mrl_side_program program = {
        .sink = &sink,
        .reopen = reopen,
        .ready = mrl_health__set,
        .lives = mrl_servers__live,
    };
    int status;

    if (argc != 3 || strcmp(argv[1], MRL_SIDE_SERVE) != 0) {
        begin(&called);
        return mrl_client__main(argc - 1, argv + 1);
    }
    if (give_up_rights(argv[2]))
        return EXIT_FAILURE;
    begin(&served);
    sink.open = grpc_open;
    sink.write = grpc_write;
    sink.close = grpc_close;
    status = mrl_side__serve(&program);
    /* Core's threads go on: nothing that they use may be taken away under them. */
    _exit(status);
}
