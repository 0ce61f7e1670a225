/* SPDX-License-Identifier: Apache-2.0 */
/* The fields about the call itself, which are those of every event; their order is published. */
#ifndef MRL_FALCO_CALL_FIELDS_H
#define MRL_FALCO_CALL_FIELDS_H

#include "falco/field.h"

extern const struct mrl_falco_field mrl_call_fields[];
extern const unsigned int mrl_call_field_count;

#endif
