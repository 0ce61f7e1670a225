/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields that rules can name: some about the call itself, and one for each field of the event
 * table and of the extras, whatever they are.
 */
#ifndef MRL_FALCO_FIELDS_H
#define MRL_FALCO_FIELDS_H

#include <mrelease/event.h>
#include <mrelease/extra.h>

#include "falco/abi.h"
#include "falco/payload.h"

enum { MRL_ANSWER_TEXT = 16 * 1024, MRL_ANSWER_LIST = 64 };

struct mrl_encoder;

/** What is asked: an event that was read, and an argument or NULL. */
struct mrl_question {
    const struct mrl_event *event;
    uint32_t failures;
    const char *key;
    struct mrl_encoder *json;
};

/** Room for the answers to the questions of one call, and how many of each kind there are. */
struct mrl_answer {
    const char *texts[MRL_ANSWER_LIST]; /* with a NUL */
    uint64_t numbers[MRL_ANSWER_LIST];
    falco_bool truths[MRL_ANSWER_LIST];
    unsigned int text_count, number_count, truth_count;
    size_t used;
    char room[MRL_ANSWER_TEXT];
};

struct mrl_falco_field {
    char name[64];
    enum falco_type type;
    bool is_list;
    bool takes_key; /* then it must have one */
    const char *doc;
    /** Of the rows about the call. NULL: `field` is looked for in the event. */
    void (*find)(const struct mrl_question *question, struct mrl_answer *answer);
    const char *field;
};

/** The fields; their order is that of get_fields(). Static. */
const struct mrl_falco_field *mrl_falco_fields__all(unsigned int *ret_count);

/** Appends the answer, as field->type says, to those that there are; nothing: there is none, or no
 * room. */
void mrl_falco_field__answer(const struct mrl_falco_field *field,
                             const struct mrl_question *question,
                             struct mrl_answer *answer);

/** Copies a text into the room of an answer, and appends it to its list. */
void mrl_answer__text(struct mrl_answer *answer, const char *bytes, size_t size);

/** All about the fields, as get_fields() says it. Static; NULL without memory. */
const char *mrl_falco_fields__json(void);

#endif
