/* SPDX-License-Identifier: Apache-2.0 */
/* --names: the side program that asks runtimes, between the plugin, which wants to know, and it. */
#ifndef MRL_COMMAND_RUN_SERVICES_NAMES_H
#define MRL_COMMAND_RUN_SERVICES_NAMES_H

#include <mrelease/mrelease.h>
#include <pthread.h>

#include "command/run/session_options.h"

/** Of a run. */
struct mrl_run_names {
    struct mrl_sink *sink; /* NULL: nobody is asked */
    pthread_mutex_t lock;  /* who tells the plugin holds it, and it is taken away under it */
    struct mrl_plugin *plugin;
};

/** Whether a run asks runtimes: a replay shows what was recorded. */
bool mrl_run_names__are_wanted(const struct mrl_session_options *options);

/** Has the plugin that will be opened ask. */
void mrl_run_names__init(struct mrl_run_names *names, struct mrl_session_options *options);

/** Starts the side program. Errors: of its open(), with a line. */
int mrl_run_names__open(struct mrl_run_names *names,
                        const struct mrl_session_options *options,
                        struct mrl_sides *sides,
                        struct mrl_error *error);

/** Whom answers are told; NULL: it goes. The reader's thread. */
void mrl_run_names__set_plugin(struct mrl_run_names *names, struct mrl_plugin *plugin);

/** As mrl_sides_options.named. */
void mrl_run_names__tell(struct mrl_run_names *names, const struct mrl_container_names *container);

/** Ends it. */
void mrl_run_names__end(struct mrl_run_names *names, struct mrl_sides *sides);

#endif
