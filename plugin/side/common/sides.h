/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the main process's end share: the starter, and what was asked for at the start.
 */
#ifndef MRL_SIDE_COMMON_SIDES_H
#define MRL_SIDE_COMMON_SIDES_H

#include <limits.h>
#include <mrelease/pipeline.h>
#include <mrelease/side.h>
#include <stdatomic.h>

#include "side/common/starter.h"

enum {
    MRL_SIDES_MAX = 16,                           /* programs that are known */
    MRL_SIDES_OPEN_MAX = 2 * MRL_OUTPUTS_MAX + 2, /* outputs, as many to come, and the services */
};

struct mrl_sides {
    struct mrl_sides_options options;
    struct mrl_starter starter;
    unsigned int count;
    const struct mrl_sink_ops *rows[MRL_SIDES_MAX]; /* that live in a side program */
    struct mrl_sink_ops fed[MRL_SIDES_MAX];         /* the same, with functions that feed it */
    char paths[MRL_SIDES_MAX][PATH_MAX];
    struct mrl_startable startable[MRL_SIDES_MAX];
    atomic_bool ready, hurries;
    pthread_mutex_t lock; /* of the sinks that are open */
    struct mrl_sink *sinks[MRL_SIDES_OPEN_MAX];
};

/** The functions of a row that feed its side program (feed.c). */
void mrl_feed__set(struct mrl_sink_ops *row);

/** Waits until the program of a sink that was opened is open, or cannot be; where it has no keeper
 * yet. Errors: of the program's open(), with a line; -ECHILD it has ended. */
int mrl_keeper__await(struct mrl_sink *sink, struct mrl_error *error);

/** Starts the keeper of a sink (keeper.c). Harmless twice. */
void mrl_keeper__begin(struct mrl_sink *sink);

/** Ends the thread of a keeper for now; mrl_keeper__begin() goes on. Harmless where there is none.
 */
void mrl_keeper__rest(struct mrl_sink *sink);

/** The name of its program, static, and how often that was started. Any thread. */
const char *mrl_keeper__program(const struct mrl_sink *sink);
unsigned int mrl_keeper__starts(const struct mrl_sink *sink);

/** Has the keeper of a sink look at `ready` and `hurries`. */
void mrl_keeper__wake(struct mrl_sink *sink);

/** A line about a program that could not be started or reached: which, where, why, and what helps.
 * Returns `err`. */
int mrl_sides__explain(const struct mrl_sides *sides,
                       unsigned int program,
                       int err,
                       struct mrl_error *error);

/** Says a line on the log. */
__attribute__((format(printf, 3, 4))) void mrl_sides__say(const struct mrl_sides *sides,
                                                          enum mrl_log_level level,
                                                          const char *format,
                                                          ...);

#endif
