/* SPDX-License-Identifier: Apache-2.0 */
/* One of the plugin, as the host holds it: there may be several in a process, and none is special.
 */
#ifndef MRL_FALCO_STATE_H
#define MRL_FALCO_STATE_H

#include <mrelease/encode.h>
#include <mrelease/plugin.h>
#include <pthread.h>

#include "falco/abi.h"
#include "falco/fields.h"
#include "falco/payload.h"

enum { MRL_FALCO_TEXTS_MAX = 160 };

/** What init() was configured by. */
struct mrl_falco_config {
    struct mrl_plugin_options options;
    uint32_t extras;
    char *texts[MRL_FALCO_TEXTS_MAX]; /* which the options point into */
    unsigned int text_count;
};

/**
 * Reads a configuration, a JSON object whose keys are the rows of the plugin's options and
 * "extra"; NULL and "" are an empty one. Errors: -EINVAL with a line, -ENOMEM.
 */
int mrl_falco_config__read(struct mrl_falco_config *config,
                           const char *text,
                           struct mrl_error *error);

/** Zeroed is allowed. */
void mrl_falco_config__done(struct mrl_falco_config *config);

/** Its JSON Schema. Static; NULL without memory. */
const char *mrl_falco_config__schema(void);

struct falco_state {
    struct mrl_falco_config config;
    struct mrl_error error;
    pthread_mutex_t lock;          /* of what follows: metrics are asked from another thread */
    struct falco_instance *opened; /* the last that was opened, while it is open */
    struct mrl_encoder *json;      /* of extraction, as all below */
    uint64_t asked_number;         /* the event that the reader holds */
    const struct falco_event *asked;
    const struct mrl_event *event; /* NULL: none, or it is none of ours */
    struct mrl_reader reader;
    struct mrl_answer answer;
    char line[MRL_EVENT_TEXT_MAX + 1]; /* of event_to_string() */
};

/** The live plugin of an instance, for its counters. */
struct mrl_plugin *mrl_falco_instance__plugin(struct falco_instance *instance);

/** A line for the host, which asks for it when something failed. Returns FALCO_FAILURE. */
__attribute__((format(printf, 2, 3))) int mrl_falco_state__fail(struct falco_state *state,
                                                                const char *format,
                                                                ...);

#endif
