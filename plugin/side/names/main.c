// SPDX-License-Identifier: Apache-2.0
/*
 * The side program "names": asks the runtimes of this host what containers are called. It stays
 * root where it was, since their sockets are root's, and has no capability, no file and no network.
 */
#include <curl/curl.h>
#include <errno.h>
#include <execinfo.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/common/program.h"
#include "side/common/sandbox.h"
#include "side/names/docker.h"
#include "side/names/look.h"
#include "side/names/resolver.h"

enum { DATA_BYTES = 112 * 1024 * 1024, FILES_MAX = 128 };

/* What is asked for is all that it does. */
struct mrl_sink {
    struct mrl_names_options options;
};

static struct mrl_sink the_sink;

static int names_open(const struct mrl_sink_target *target,
                      struct mrl_error *error,
                      struct mrl_sink **ret_sink)
{
    struct mrl_names_options *options = &the_sink.options;

    memcpy(options, target->options, sizeof(*options));
    for (size_t i = 0; i < MRL_NAMES_SOCKETS_MAX; i++)
        if (options->sockets[i].runtime < 0 || options->sockets[i].runtime >= MRL_RUNTIME_CRI ||
            !memchr(options->sockets[i].path, '\0', MRL_NAMES_PATH_BYTES))
            return mrl_error__set(error, -EPROTO, "names: these are no sockets");
    *ret_sink = &the_sink;
    return 0;
}

/* Only now may it say something. */
static int opened(const struct mrl_sink_ops *ops,
                  struct mrl_sink *sink,
                  const struct mrl_side_target *target,
                  struct mrl_error *error)
{
    (void)ops;
    (void)target;
    return mrl_resolver__start(&sink->options, error);
}

/* Nobody has events for it. */
static int names_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    *ret_events = chunk->events;
    return 0;
}

static int names_close(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}

static int give_up_rights(const char *word)
{
    const struct mrl_sandbox keeps = { .calls = MRL_CALLS_MESSAGES | MRL_CALLS_UNIX,
#ifndef MRL_SANITIZED
                                       .data_bytes = DATA_BYTES,
#endif
                                       .files_max = FILES_MAX };
    void *frame;

    backtrace(&frame, 1); /* loads a library */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return mrl_side__enter(&keeps, word);
}

/* Core's own words are about what its answers say as well. */
static void say_nothing(gpr_log_func_args *said)
{
    (void)said;
}

static void begin(void)
{
    mrl_docker__bound_memory();
    gpr_set_log_function(say_nothing);
    grpc_init();
}

/* "look [RUNTIME=PATH]…" */
static int look(int count, char **words)
{
    struct mrl_names_options options = { .sockets = { { 0, "" } } };
    struct mrl_error error;

    for (int i = 0; i < count && i < MRL_NAMES_SOCKETS_MAX; i++)
        if (mrl_names_socket__read(words[i], &options.sockets[i], &error)) {
            fprintf(stderr, "%s\n", error.text);
            return EXIT_FAILURE;
        }
    begin();
    return mrl_names__look(&options);
}

int main(int argc, char **argv)
{
    struct mrl_sink_ops sink = mrl_service_names;
    const struct mrl_side_program program = { .sink = &sink,
                                              .opened = opened,
                                              .hear = mrl_resolver__take };

    if (argc >= 2 && !strcmp(argv[1], "look") && !give_up_rights("on"))
        _exit(look(argc - 2, argv + 2));
    if (argc != 3 || strcmp(argv[1], MRL_SIDE_SERVE) != 0 || give_up_rights(argv[2]))
        return EXIT_FAILURE;
    begin();
    sink.open = names_open;
    sink.write = names_write;
    sink.close = names_close;
    /* Threads may be within a call: nothing is taken away under them. */
    _exit(mrl_side__serve(&program));
}
