/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a record may tell beyond the fields of its event: groups of fields (abi/extra_fields.h), in
 * a row of their own per kind of call. The extras are windows into these rows.
 */
#ifndef MRL_EVENT_FIELD_GROUPS_H
#define MRL_EVENT_FIELD_GROUPS_H

#include "event/raw.h"

#define MRL_RELEASE_FIELDS                                                                     \
    MRL_TARGET_FIELDS MRL_STATE_FIELDS MRL_OUTCOME_FIELDS MRL_BYTES_FIELDS MRL_DURATION_FIELDS \
        MRL_TIME_FIELDS

/** Where the groups begin in the row of process_mrelease, and how long the rows are. */
#define F(kind, name, tags, from, doc) +1
enum mrl_field_groups_index {
    MRL_TARGET_AT = 0,
    MRL_OUTCOME_AT = MRL_TARGET_AT MRL_TARGET_FIELDS MRL_STATE_FIELDS,
    MRL_BYTES_AT = MRL_OUTCOME_AT MRL_OUTCOME_FIELDS,
    MRL_TIME_AT = MRL_BYTES_AT MRL_BYTES_FIELDS,
    MRL_RELEASE_COUNT = MRL_TIME_AT MRL_DURATION_FIELDS MRL_TIME_FIELDS,
    MRL_LOCKS_COUNT = 0 MRL_LOCKS_FIELDS,
};
#undef F

extern const struct mrl_field mrl_release_fields[MRL_RELEASE_COUNT],
    mrl_locks_fields[MRL_LOCKS_COUNT];

/** A row of fields, and where each comes from. Static. */
struct mrl_field_groups {
    const struct mrl_field *fields;
    const struct mrl_from *from;
    unsigned int count;
};

/** The row that a checked record has values for, or NULL. */
const struct mrl_field_groups *mrl_field_groups__of(const struct mrl_raw *raw);

#endif
