/* SPDX-License-Identifier: Apache-2.0 */
/* A field that rules can name, and a question about it. */
#ifndef MRL_FALCO_FIELD_H
#define MRL_FALCO_FIELD_H

#include <mrelease/event.h>

#include "falco/abi.h"
#include "falco/answer.h"

#define MRL_FIELD_PREFIX "mrelease."

struct mrl_encoder;
struct mrl_falco_field;

/** What is asked: a field of an event that was read. */
struct mrl_question {
    const struct mrl_event *event;
    const struct mrl_falco_field *field;
    uint32_t failures;        /* mrl_failures__count() of the call */
    const char *key;          /* in the field's brackets; NULL: none */
    struct mrl_encoder *json; /* of "json-v0.24", with all extras */
};

struct mrl_falco_field {
    char name[64];
    enum falco_type type;
    const char *doc;
    /** How a field about the call is answered. NULL: `argument` is looked for in the event. */
    void (*find)(const struct mrl_question *question, struct mrl_answer *answer);
    const char *argument; /* of the event, or field of an extra */
    size_t offset;        /* for find(): of a member of struct mrl_event */
    bool is_list;
    bool takes_key; /* and must have one */
    bool of_gaps;   /* events without a record have it too; of others it would hold zeros */
};

#endif
