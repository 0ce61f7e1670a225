// SPDX-License-Identifier: Apache-2.0
/* The rows of further fields as data, expanded as those of the event table are. */
#include "event/field_groups.h"

#include <stddef.h>

#include "event/kind.h"

#define TAG_K      MRL_TAG_K
#define TAG_U      MRL_TAG_U
#define TAG_TOCTOU MRL_TAG_TOCTOU
#define TAG_OPT    MRL_TAG_OPT

#define F(kind_, name_, tags_, from, doc_) { name_, &mrl_kinds[MRL_KIND_##kind_], tags_, doc_ },
const struct mrl_field mrl_release_fields[] = { MRL_RELEASE_FIELDS };
const struct mrl_field mrl_locks_fields[] = { MRL_LOCKS_FIELDS };
#undef F

#define TARGET(member)                                      \
    { MRL_FROM_TARGET, offsetof(struct mrl_target, member), \
      sizeof(((struct mrl_target *)0)->member), NULL },
#define VIA(name)                      { MRL_FROM_FUNCTION, 0, 0, mrl_value__##name },
#define F(kind, name, tags, from, doc) from
static const struct mrl_from release_from[] = { MRL_RELEASE_FIELDS };
static const struct mrl_from locks_from[] = { MRL_LOCKS_FIELDS };
#undef F

static const struct mrl_field_groups release = { mrl_release_fields, release_from,
                                                 MRL_RELEASE_COUNT };
static const struct mrl_field_groups locks = { mrl_locks_fields, locks_from, MRL_LOCKS_COUNT };

const struct mrl_field_groups *mrl_field_groups__of(const struct mrl_raw *raw)
{
    if (raw->look && raw->record->event == MRL_EVENT_PROCESS_MRELEASE)
        return &release;
    /* A record may come from anyone: what follows it need not belong to its event. */
    if (raw->locks && mrl_event_def__at(raw->record->event)->lane == MRL_LANE_BUSY)
        return &locks;
    return NULL;
}
