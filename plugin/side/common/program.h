/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side program's end: it hears what the main process says, and does it with a sink, whose
 * contract is the one that it would have inside the library. One per process.
 */
#ifndef MRL_SIDE_COMMON_PROGRAM_H
#define MRL_SIDE_COMMON_PROGRAM_H

#include <mrelease/plugin.h>
#include <mrelease/sink.h>
#include <stdbool.h>

#include "side/common/message.h"
#include "side/common/profile.h"

struct mrl_side_program {
    /** NULL: it has several, and row() knows them by name; NULL: there is no such sink. */
    const struct mrl_sink_ops *sink;
    const struct mrl_sink_ops *(*row)(const char *name);
    /** In place of the sink's write(): takes a chunk, whose verdict comes later, by
     * mrl_side__judge(); `message` is borrowed. Returns 0, or -errno: it is over. */
    int (*take)(const struct mrl_side_message *message);
    /** Takes a message of a type that is this program's own; NULL: it has none. Returns 0, or
     * -errno: it is over. */
    int (*hear)(const struct mrl_side_message *message);
    /** The sink was opened. Returns 0 or -errno. NULL: that is nothing to it. */
    int (*opened)(const struct mrl_sink_ops *ops,
                  struct mrl_sink *sink,
                  const struct mrl_side_target *target,
                  struct mrl_error *error);
    /** The end, before the sink is closed; NULL: nothing is to be done. */
    void (*end)(void);
    /** In place of the sink's reopen(): with what the main process has opened anew,
     * MRL_SINK_FDS_MAX descriptors, which stay the caller's. NULL: nothing may be. */
    int (*reopen)(struct mrl_sink *sink, const int *fds, struct mrl_error *error);
    /** The sensor is ready (mrl_health), or is so no more; NULL: that is nothing to it. */
    void (*ready)(bool is_ready);
    /** How its items were sent so far; NULL: it takes none. */
    void (*sent)(struct mrl_sent *ret_sent);
    /** Whether none of its own threads hangs; NULL: it has none. */
    bool (*lives)(void);
};

/**
 * Gives up all but what `keeps` says, before anything is started or read. `word`: that of the
 * sandbox. Returns 0, or -errno: it must not go on, and has said so.
 */
int mrl_side__enter(const struct mrl_sandbox *keeps, const char *word);

/** Serves the main process at MRL_SIDE_SOCKET until that wants no more, or is gone. Returns an exit
 * status. */
int mrl_side__serve(const struct mrl_side_program *program);

/** Says a line on the main process's log, tamed there. Any thread; dropped when there is no room.
 */
void mrl_side__log(enum mrl_log_level level, const char *text);

/** Sends any message of the program's own, waiting for room: the main process always reads. Any
 * thread. Errors: -EPIPE, -ECONNRESET it is gone. */
int mrl_side__send(enum mrl_side_type type, uint32_t count, const char *bytes, size_t size);

/** Says what became of the items of the chunk `id`, in `count` runs. Any thread. */
void mrl_side__judge(uint32_t id, const struct mrl_side_verdict *verdicts, uint32_t count);

/** What the main process answered. */
struct mrl_side_answer {
    char *bytes; /* of malloc(), the caller's to free */
    size_t size;
    int fd; /* that came with it, the caller's to close; -1: none */
};

/**
 * Asks the main process, and waits for the answer: up to two seconds. `connection`: by which the
 * request came; -1: none. Any thread; one asks at a time. `ret_answer` may be NULL. Errors: the
 * main process's, with its line; -ESHUTDOWN it ends; -ETIMEDOUT.
 */
int mrl_side__ask(const struct mrl_side_request *request,
                  int connection,
                  struct mrl_side_answer *ret_answer,
                  struct mrl_error *error);

#endif
