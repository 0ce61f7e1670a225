/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin loaded as Falco loads it, and what tests do with it. Failures end the test. */
#ifndef MRL_TESTS_FALCO_LOADED_H
#define MRL_TESTS_FALCO_LOADED_H

#include <jansson.h>

#include "host.h"

/** The plugin has no more fields. */
enum { FIELDS_MAX = 128 };

#define STORM MRL_TEST_CAPTURES "/storm_of_failures.cap"
#define REAPS MRL_TEST_CAPTURES "/stranger_reaps.cap"

/** Of all tests of a program. */
extern struct falco_host loaded_host;

int loaded__set_up(void **state);
int loaded__tear_down(void **state);

/** A state of the plugin, which the host destroys. */
struct falco_state *loaded__init(void);

/** An instance that replays a capture, which the host closes. */
struct falco_instance *loaded__replay(struct falco_state *plugin, const char *capture);

/** Reads until it returns this, and looks at each event. Returns how many there were. */
unsigned int loaded__read_to_end(struct falco_state *plugin,
                                 struct falco_instance *instance,
                                 int wanted_end);

struct loaded_fields {
    json_t *rows;
    unsigned int count;
};

/** What get_fields() says; `rows` is the caller's. */
struct loaded_fields loaded__fields(void);
uint32_t loaded__id(const struct loaded_fields *fields, const char *name);

/** All questions at once; res and res_len hold rubbish, as a host leaves them. */
int loaded__ask(struct falco_state *plugin,
                const struct falco_event *event,
                uint64_t number,
                struct falco_extract_field *questions,
                uint32_t count);

/** The first events of an instance, in its memory: `*ret_count` of them. */
struct falco_event **loaded__first_batch(struct falco_state *plugin,
                                         struct falco_instance *instance,
                                         uint32_t *ret_count);

const char *loaded__text(const struct falco_extract_field *field);

#endif
