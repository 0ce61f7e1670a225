/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state is one life of the plugin, from init() to destroy(). A process may hold several, and they
 * share nothing.
 */
#ifndef MRL_FALCO_STATE_H
#define MRL_FALCO_STATE_H

#include <mrelease/encode.h>
#include <pthread.h>

#include "falco/abi.h"
#include "falco/config.h"
#include "falco/fields.h"
#include "falco/payload.h"

struct falco_state {
    struct mrl_falco_config config;
    struct mrl_error error;
    /* Guards `opened`. A host asks for metrics on a thread of its own while another closes the
     * source, and the counters must not be freed under it. */
    pthread_mutex_t lock;
    struct mrl_plugin *opened; /* of the source that was opened last; NULL: it is closed */
    /* What follows is of extraction, which is on one thread at a time. */
    struct mrl_encoder *json;
    uint64_t asked_number; /* with `asked`: the event that the reader holds */
    const struct falco_event *asked;
    const struct mrl_event *event; /* NULL: the reader holds none, or could not read it */
    struct mrl_reader reader;
    struct mrl_answer answer;
    char line[MRL_EVENT_TEXT_MAX + 1]; /* of event_to_string() */
};

#endif
