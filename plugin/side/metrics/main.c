// SPDX-License-Identifier: Apache-2.0
/* The side program "metrics": serves metrics and health by HTTP, and asks the main process. */
#include <errno.h>
#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/common/program.h"
#include "side/common/sandbox.h"
#include "side/metrics/listener.h"
#include "side/metrics/server.h"

enum { DATA_BYTES = 48 * 1024 * 1024 };

struct mrl_sink {
    struct mrl_http_server *server;
};

/* The only one. */
static const struct mrl_http_server *served;

static int metrics_open(const struct mrl_sink_target *target,
                        struct mrl_error *error,
                        struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err = sink ? mrl_http_server__open(target->fds[0], target->options, error, &sink->server)
                   : mrl_error__set(error, -ENOMEM, "out of memory");

    if (err)
        free(sink);
    else
        *ret_sink = sink;
    return err;
}

/* Only now may it ask for something: who waits since the last one died makes it ask at once. */
static int opened(const struct mrl_sink_ops *ops,
                  struct mrl_sink *sink,
                  const struct mrl_side_target *target,
                  struct mrl_error *error)
{
    (void)ops;
    (void)target;
    served = sink->server;
    return mrl_http_server__serve(sink->server, error);
}

static bool lives(void)
{
    return !served || mrl_http_server__lives(served);
}

/* Nobody has events for it. */
static int metrics_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    *ret_events = chunk->events;
    return 0;
}

static int metrics_close(struct mrl_sink *sink)
{
    mrl_http_server__close(sink->server);
    free(sink);
    return 0;
}

/* It opens nothing: its socket comes from the main process. */
static int give_up_rights(const char *word)
{
    const struct mrl_sandbox keeps = { .calls = MRL_CALLS_MESSAGES | MRL_CALLS_SERVE,
#ifndef MRL_SANITIZED
                                       .data_bytes = DATA_BYTES,
#endif
                                       .files_max = MRL_HTTP_FILES,
                                       .user = geteuid() ? NULL : "nobody" };
    void *frame;

    backtrace(&frame, 1); /* loads a library */
    return mrl_side__enter(&keeps, word);
}

int main(int argc, char **argv)
{
    struct mrl_sink_ops sink = mrl_service_metrics;
    const struct mrl_side_program program = { .sink = &sink, .opened = opened, .lives = lives };

    if (argc != 3 || strcmp(argv[1], MRL_SIDE_SERVE) != 0 || give_up_rights(argv[2]))
        return EXIT_FAILURE;
    sink.open = metrics_open;
    sink.write = metrics_write;
    sink.close = metrics_close;
    return mrl_side__serve(&program);
}
