// SPDX-License-Identifier: Apache-2.0
/* A bounded table from cgroup numbers to containers. */
#include "enrich/containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "enrich/cgroups.h"
#include "event/named.h"

struct mrl_container {
    uint64_t cgroup;
    uint32_t size;
    enum mrl_lookup lookup;
    bool confirmed;
    struct mrl_named *named; /* NULL: nothing was said */
    UT_hash_handle hh;
    char id[MRL_CONTAINER_BYTES];
};

static struct mrl_container *find(const struct mrl_containers *containers, uint64_t cgroup)
{
    struct mrl_container *known;

    HASH_FIND(hh, containers->first, &cgroup, sizeof(cgroup), known);
    return known;
}

static void set(struct mrl_container *known, struct mrl_text id)
{
    known->size = (uint32_t)id.size;
    memcpy(known->id, id.bytes, id.size);
    known->lookup = id.size ? MRL_LOOKUP_KNOWN : MRL_LOOKUP_HOST;
    known->confirmed = false;
    free(known->named);
    known->named = NULL;
}

static int add(struct mrl_containers *containers, uint64_t cgroup, struct mrl_text id)
{
    struct mrl_container *known;

    if (mrl_containers__count(containers) >= MRL_CONTAINERS_MAX)
        return -ENOSPC;
    known = calloc(1, sizeof(*known));
    if (!known)
        return -ENOMEM;
    known->cgroup = cgroup;
    set(known, id);
    HASH_ADD(hh, containers->first, cgroup, sizeof(known->cgroup), known);
    if (!known->hh.tbl) {
        free(known);
        return -ENOMEM;
    }
    return 1;
}

int mrl_containers__put(struct mrl_containers *containers, uint64_t cgroup, struct mrl_text id)
{
    struct mrl_container *known = find(containers, cgroup);

    if (id.size > MRL_CONTAINER_BYTES)
        return -E2BIG;
    if (!known)
        return id.size ? add(containers, cgroup, id) : 0;
    if (known->size == id.size && !memcmp(known->id, id.bytes, id.size))
        return 0;
    set(known, id);
    return 1;
}

int mrl_containers__qualify(struct mrl_containers *containers,
                            uint64_t cgroup,
                            enum mrl_lookup lookup,
                            bool confirmed)
{
    struct mrl_container *known = find(containers, cgroup);

    if (!known && lookup == MRL_LOOKUP_HOST)
        return 0;
    if (!known) {
        int err = add(containers, cgroup, (struct mrl_text){ "", 0 });

        if (err < 0)
            return err;
        known = find(containers, cgroup);
    }
    if (known->lookup == lookup && known->confirmed == confirmed)
        return 0;
    known->lookup = lookup;
    known->confirmed = confirmed;
    return 1;
}

static bool same_names(const struct mrl_named *one, const struct mrl_named *two)
{
    bool same = one->result == two->result && one->runtime == two->runtime &&
                one->is_sandbox == two->is_sandbox;

    for (unsigned int i = 0; same && i < MRL_NAMES; i++)
        same = one->texts[i].size == two->texts[i].size &&
               (!one->texts[i].size ||
                !memcmp(one->texts[i].bytes, two->texts[i].bytes, one->texts[i].size));
    return same;
}

int mrl_containers__name(struct mrl_containers *containers,
                         uint64_t cgroup,
                         const struct mrl_named *named)
{
    struct mrl_container *known = find(containers, cgroup);
    void *room;

    if (!known)
        return -EINVAL;
    if (known->named && same_names(known->named, named))
        return 0;
    room = malloc(mrl_named__bytes(named));
    if (!room)
        return -ENOMEM;
    free(known->named);
    known->named = mrl_named__copy(named, room);
    return 1;
}

struct mrl_membership mrl_containers__find(void *containers, uint64_t cgroup)
{
    const struct mrl_container *known = find(containers, cgroup);

    return known ? (struct mrl_membership){ .id = { known->id, known->size },
                                            .lookup = known->lookup,
                                            .confirmed = known->confirmed,
                                            .named = known->named }
                 : (struct mrl_membership){ .id = { "", 0 } };
}

unsigned int mrl_containers__count(const struct mrl_containers *containers)
{
    return HASH_COUNT(containers->first);
}

void mrl_containers__clear(struct mrl_containers *containers)
{
    struct mrl_container *known, *next;

    HASH_ITER(hh, containers->first, known, next) {
        HASH_DEL(containers->first, known);
        free(known->named);
        free(known);
    }
}
