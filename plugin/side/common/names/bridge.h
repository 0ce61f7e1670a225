/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's questions for names of containers go to the service of names, and its answers to the
 * plugin. No public function: the program has a copy of its own. */
#ifndef MRL_SIDE_COMMON_NAMES_BRIDGE_H
#define MRL_SIDE_COMMON_NAMES_BRIDGE_H

#include <mrelease/plugin.h>
#include <mrelease/side.h>
#include <pthread.h>

#include "side/common/names/service.h"

struct mrl_names_bridge {
    struct mrl_sink *sink; /* the service; NULL: nobody is asked */
    const struct mrl_sink_ops *ops;
    pthread_mutex_t lock; /* who tells the plugin holds it, and it is taken away under it */
    struct mrl_plugin *plugin;
};

void mrl_names_bridge__init(struct mrl_names_bridge *bridge);

/** Has the plugin that will be opened with `options` ask. The bridge must outlive it. */
void mrl_names_bridge__ask(struct mrl_names_bridge *bridge, struct mrl_plugin_options *options);

/** Opens the service among `sides`; `options` are its. Errors: of its open(), with a line. */
int mrl_names_bridge__open(struct mrl_names_bridge *bridge,
                           const struct mrl_names_options *options,
                           struct mrl_sides *sides,
                           struct mrl_error *error);

/** Whom answers are told; NULL: it goes. */
void mrl_names_bridge__set_plugin(struct mrl_names_bridge *bridge, struct mrl_plugin *plugin);

/** As mrl_sides_options.named, but for the context. Any thread. */
void mrl_names_bridge__tell(struct mrl_names_bridge *bridge,
                            const struct mrl_container_names *container);

/** Closes the service. */
void mrl_names_bridge__done(struct mrl_names_bridge *bridge);

#endif
