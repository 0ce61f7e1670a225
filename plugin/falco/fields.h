/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All fields that rules can name: those about the call itself, and one for each field of the event
 * table and of the extras, whatever they are.
 */
#ifndef MRL_FALCO_FIELDS_H
#define MRL_FALCO_FIELDS_H

#include "falco/field.h"

/** The fields; their order is that of get_fields(). Static. */
const struct mrl_falco_field *mrl_falco_fields__all(unsigned int *ret_count);

/** Appends the answers to a question about one of them to the list of its type; none where the
 * event has no such value. */
void mrl_falco_field__answer(const struct mrl_question *question, struct mrl_answer *answer);

/** What get_fields() says of them. Static; NULL without memory. */
const char *mrl_falco_fields__json(void);

#endif
