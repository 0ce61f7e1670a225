/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers, from a service that somebody else runs. This plugin starts no program, since
 * Falco has threads already when it loads it. */
#ifndef MRL_FALCO_NAMES_H
#define MRL_FALCO_NAMES_H

#include "falco/config.h"
#include "side/common/names/bridge.h"

/** Of a source. Its bridge is to be initialised, and the rest zeroed. */
struct mrl_falco_names {
    struct mrl_sides *sides; /* NULL: no names are wanted */
    struct mrl_names_bridge bridge;
};

/** Has the plugin that will be opened with `options` ask the service, where `config` wants that and
 * the source is live. That the service is not there is no error: it may come. Errors: -ENOMEM,
 * -EAGAIN no thread, with a line; done() is due either way. */
int mrl_falco_names__open(struct mrl_falco_names *names,
                          const struct mrl_falco_config *config,
                          struct mrl_plugin_options *options,
                          struct mrl_error *error);

/** The plugin is open. */
void mrl_falco_names__begin(struct mrl_falco_names *names, struct mrl_plugin *plugin);

/** Before the plugin is closed: it is told no more names. */
void mrl_falco_names__rest(struct mrl_falco_names *names);

/** After that: leaves the service. */
void mrl_falco_names__done(struct mrl_falco_names *names);

#endif
