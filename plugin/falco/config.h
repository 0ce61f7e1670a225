/* SPDX-License-Identifier: Apache-2.0 */
/* What init() is configured by: the options of a run, as JSON. */
#ifndef MRL_FALCO_CONFIG_H
#define MRL_FALCO_CONFIG_H

#include <jansson.h>
#include <mrelease/plugin.h>

#include "side/common/names/service.h"

/** The longest configuration in bytes, which also bounds the memory that reading it takes. */
enum { MRL_FALCO_CONFIG_BYTES = 64 * 1024 };

struct mrl_falco_config {
    struct mrl_plugin_options options; /* first: the library's rows set it */
    const char *names;                 /* where the service of names listens; NULL: not wanted */
    struct mrl_names_options names_sockets;
    json_t *texts; /* an array of those that the options point to */
};

/**
 * Reads a configuration: a JSON object whose keys are the rows of the plugin's options, and ours.
 * NULL, blanks and null, which Falco makes of an empty map, are an empty one. Errors: -EINVAL with
 * a line that names the key, -ENOMEM.
 */
int mrl_falco_config__read(struct mrl_falco_config *config,
                           const char *text,
                           struct mrl_error *error);

/** Zeroed is allowed. */
void mrl_falco_config__done(struct mrl_falco_config *config);

/** The JSON Schema of a configuration. Static; NULL without memory. */
const char *mrl_falco_config__schema(void);

#endif
