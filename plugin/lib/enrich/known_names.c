// SPDX-License-Identifier: Apache-2.0
/*
 * A bounded table of names, and what was told and is not in it yet. The table is the reader's
 * alone: to look at it takes no lock, since each event of a container looks.
 */
#include "enrich/known_names.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/hash.h"
#include "enrich/cgroups.h"
#include "enrich/told_names.h"

#define SECOND_NS INT64_C(1000000000)
#define KEPT_NS   (60 * SECOND_NS) /* after the cgroup was removed: late records are of it */

struct mrl_known_name {
    UT_hash_handle hh;
    struct mrl_known_name *prev, *next; /* the longest unused one first */
    /* What each event looks at lies together. */
    int64_t removed_ns;
    unsigned int held;
    bool used; /* since it was last considered for being forgotten */
    struct mrl_named named;
    char *texts; /* one block, owned; NULL: empty */
    size_t size; /* of it */
    int64_t asked_ns;
    uint8_t id_size;
    char id[MRL_CONTAINER_ID_BYTES + 1];
};

struct mrl_known_names {
    struct mrl_names_asking asking;
    struct mrl_known_name *known, *last; /* last: found, events come in rows */
    uint64_t generation; /* one more whenever one is forgotten: no place is believed any more */
    uint64_t changes;    /* of what is known */
    struct mrl_named off, full;
    /* Whose cgroup is there, the longest unused first; and whose was removed, the first one first:
     * who makes room for one more walks neither. */
    struct mrl_known_name *present, *removed;
    size_t bytes;
    struct mrl_names_counts counts;
    struct mrl_told_names told;
};

/* How long nobody is asked again. A runtime that was away is back at any time. */
static const int64_t again_ns[MRL_NAMES_RESULTS] = {
    [MRL_NAMES_PENDING] = 10 * SECOND_NS,     [MRL_NAMES_NOT_FOUND] = 10 * SECOND_NS,
    [MRL_NAMES_RUNTIME_DOWN] = 1 * SECOND_NS, [MRL_NAMES_TIMEOUT] = 1 * SECOND_NS,
    [MRL_NAMES_QUEUE_FULL] = SECOND_NS / 10,
};

int mrl_known_names__new(const struct mrl_names_asking *asking, struct mrl_known_names **ret_names)
{
    struct mrl_known_names *names = calloc(1, sizeof(*names));

    if (!names)
        return -ENOMEM;
    names->asking = *asking;
    names->generation = names->changes = 1;
    names->off.result = MRL_NAMES_OFF;
    names->full.result = MRL_NAMES_QUEUE_FULL;
    mrl_told_names__init(&names->told);
    *ret_names = names;
    return 0;
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* -- telling ---------------------------------------------------------------------------------- */

/* Steals. It is lost, and counted, where there is no room. */
static int append(struct mrl_known_names *names, struct mrl_told *told)
{
    int err = told ? mrl_told_names__append(&names->told, told) : -ENOMEM;

    if (err == -EAGAIN)
        count(&names->counts.dropped);
    if (err < 0)
        free(told);
    return err;
}

int mrl_known_names__tell(struct mrl_known_names *names,
                          const struct mrl_container_names *container)
{
    if (!container->id.size || container->id.size > MRL_CONTAINER_ID_BYTES ||
        (unsigned int)container->result >= MRL_NAMES_RESULTS ||
        (unsigned int)container->runtime >= MRL_RUNTIMES)
        return -EINVAL;
    return append(names, mrl_told__of_names(container));
}

/* A cgroup within a container is of it as well: only once nobody looks for a while, it is gone. */
void mrl_known_names__see(void *context, const void *description, size_t size)
{
    const struct mrl_cgroup_names *change = description;
    struct mrl_known_names *names = context;
    char path[MRL_DESCRIBED_PATH_BYTES], id[MRL_CONTAINER_ID_BYTES + 1];
    struct mrl_container_path found;
    bool is_whole;

    if (mrl_cgroups__path(description, size, path, &is_whole))
        return;
    found = mrl_container_path__parse(path);
    if (!found.id.size || found.is_claim || !is_whole)
        return;
    if (change->flags & MRL_CGROUP_REMOVED) {
        append(names, mrl_told__of_change(MRL_TOLD_REMOVED, found.id));
        return;
    }
    if (!names->asking.ask)
        return;
    memcpy(id, found.id.bytes, found.id.size);
    id[found.id.size] = '\0';
    count(&names->counts.asked);
    append(names, mrl_told__of_change(MRL_TOLD_ASKED, found.id));
    if (names->asking.ask(names->asking.context, id, found.hint))
        append(names, mrl_told__of_change(MRL_TOLD_NAMES, found.id));
}

bool mrl_known_names__has_news(const struct mrl_known_names *names)
{
    return atomic_load_explicit(&names->told.has_news, memory_order_relaxed);
}

/* -- the table -------------------------------------------------------------------------------- */

static struct mrl_known_name **list_of(struct mrl_known_names *names,
                                       const struct mrl_known_name *name)
{
    return name->removed_ns ? &names->removed : &names->present;
}

/* 0: it is there. */
static void set_removed(struct mrl_known_names *names, struct mrl_known_name *name, int64_t now_ns)
{
    DL_DELETE(*list_of(names, name), name);
    name->removed_ns = now_ns;
    DL_APPEND(*list_of(names, name), name);
}

static void forget(struct mrl_known_names *names, struct mrl_known_name *name)
{
    names->bytes -= name->size;
    names->generation++;
    if (names->last == name)
        names->last = NULL;
    DL_DELETE(*list_of(names, name), name);
    assert(names->known); /* it is in there */
    HASH_DEL(names->known, name);
    free(name->texts);
    free(name);
}

static struct mrl_known_name *longest_removed(const struct mrl_known_names *names)
{
    struct mrl_known_name *name = names->removed;

    while (name && name->held)
        name = name->next;
    return name;
}

/* Each that was used has a second chance. NULL: events wait for all of them. */
static struct mrl_known_name *longest_unused(struct mrl_known_names *names)
{
    struct mrl_known_name *name = names->present;

    for (unsigned int tries = 2 * HASH_COUNT(names->known); name && tries; tries--) {
        if (!name->used && !name->held)
            return name;
        name->used = false;
        DL_DELETE(names->present, name);
        DL_APPEND(names->present, name);
        name = names->present;
    }
    return NULL;
}

/* First what was removed long ago, then the longest unused one. What events wait for stays: they
 * wait for fewer than there are. */
static void forget_one(struct mrl_known_names *names)
{
    struct mrl_known_name *removed = longest_removed(names), *unused = NULL;

    if (!removed || mrl_clock__ns(CLOCK_MONOTONIC) - removed->removed_ns <= KEPT_NS)
        unused = longest_unused(names);
    forget(names, unused ? unused : removed);
}

/* For so many more, and texts of `size`. */
static void make_room(struct mrl_known_names *names, unsigned int more, size_t size)
{
    while (HASH_COUNT(names->known) + more > MRL_KNOWN_NAMES_MAX ||
           (names->bytes && names->bytes + size > MRL_KNOWN_NAMES_BYTES))
        forget_one(names);
}

static struct mrl_known_name *find(struct mrl_known_names *names, const char *id, size_t size)
{
    struct mrl_known_name *name = names->last;

    if (name && name->id_size == size && !memcmp(name->id, id, size))
        return name;
    HASH_FIND(hh, names->known, id, (unsigned int)size, name);
    names->last = name;
    return name;
}

static struct mrl_known_name *find_or_add(struct mrl_known_names *names,
                                          const char *id,
                                          size_t size)
{
    struct mrl_known_name *name = find(names, id, size);

    if (name)
        return name;
    make_room(names, 1, 0);
    name = calloc(1, sizeof(*name));
    if (!name)
        return NULL;
    name->named.result = MRL_NAMES_PENDING;
    name->id_size = (uint8_t)size;
    memcpy(name->id, id, size);
    HASH_ADD_KEYPTR(hh, names->known, name->id, name->id_size, name);
    if (!name->hh.tbl) {
        free(name);
        return NULL;
    }
    DL_APPEND(names->present, name);
    names->last = name;
    return name;
}

/* Of a container that is gone a runtime knows nothing; but it was known. */
static bool is_news(const struct mrl_known_name *name, const struct mrl_told *told)
{
    return told->named.result == MRL_NAMES_KNOWN ||
           (told->named.result != MRL_NAMES_OFF && told->named.result != MRL_NAMES_PENDING &&
            name->named.result != MRL_NAMES_KNOWN);
}

static void learn_change(struct mrl_known_names *names, const struct mrl_told *told)
{
    const int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    struct mrl_known_name *name = told->what == MRL_TOLD_ASKED
                                      ? find_or_add(names, told->id, told->id_size)
                                      : find(names, told->id, told->id_size);

    if (name && told->what == MRL_TOLD_ASKED)
        name->asked_ns = now_ns;
    else if (name)
        set_removed(names, name, now_ns);
}

static void learn(struct mrl_known_names *names, const struct mrl_told *told)
{
    char *texts = told->size ? malloc(told->size) : NULL;
    struct mrl_known_name *name;
    size_t at = 0;

    make_room(names, find(names, told->id, told->id_size) ? 0 : 1, told->size);
    name = find_or_add(names, told->id, told->id_size);
    if (!name || !is_news(name, told) || (told->size && !texts)) {
        free(texts);
        return;
    }
    if (texts)
        memcpy(texts, told->texts, told->size);
    names->changes++;
    names->bytes += told->size - name->size;
    free(name->texts);
    name->texts = texts;
    name->size = told->size;
    name->named = told->named;
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        name->named.texts[i].bytes = name->named.texts[i].size ? texts + at : "";
        at += name->named.texts[i].size;
    }
}

void mrl_known_names__take(struct mrl_known_names *names)
{
    struct mrl_told *told = mrl_told_names__take(&names->told), *next;

    for (; told; told = next) {
        next = told->next;
        if (told->what != MRL_TOLD_NAMES) {
            learn_change(names, told);
        } else {
            count(&names->counts.answers[told->named.result][told->named.runtime]);
            learn(names, told);
        }
        free(told);
    }
}

void mrl_known_names__free(struct mrl_known_names *names)
{
    if (!names)
        return;
    mrl_known_names__take(names);
    while (names->present)
        forget(names, names->present);
    while (names->removed)
        forget(names, names->removed);
    mrl_told_names__done(&names->told);
    free(names);
}

/* -- looking ---------------------------------------------------------------------------------- */

static void set_result(struct mrl_known_names *names,
                       struct mrl_known_name *name,
                       enum mrl_names_result result)
{
    names->changes++;
    name->named.result = result;
    name->named.copy = NULL;
}

static void ask(struct mrl_known_names *names, struct mrl_known_name *name, enum mrl_runtime hint)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    if (!names->asking.ask ||
        (name->asked_ns && now_ns - name->asked_ns < again_ns[name->named.result]))
        return;
    name->asked_ns = now_ns;
    count(&names->counts.asked);
    if (names->asking.ask(names->asking.context, name->id, hint))
        set_result(names, name, MRL_NAMES_QUEUE_FULL);
    else if (name->named.result == MRL_NAMES_QUEUE_FULL)
        set_result(names, name, MRL_NAMES_PENDING);
}

/* By its id; it is added where it is not there. */
static struct mrl_known_name *look_up(struct mrl_known_names *names,
                                      const struct mrl_membership *container)
{
    struct mrl_known_name *name = find(names, container->id.bytes, container->id.size);

    /* Perhaps it was asked for meanwhile, or even answered. */
    if (!name && mrl_known_names__has_news(names))
        mrl_known_names__take(names);
    if (!name && container->id.size <= MRL_CONTAINER_ID_BYTES)
        name = find_or_add(names, container->id.bytes, container->id.size);
    if (name && container->place)
        *container->place = (struct mrl_names_place){ name, names->generation };
    return name;
}

struct mrl_known_name *mrl_known_names__look(struct mrl_known_names *names,
                                             const struct mrl_membership *container)
{
    const struct mrl_names_place *place = container->place;
    struct mrl_known_name *name =
        place && place->generation == names->generation ? place->found : look_up(names, container);

    if (!name)
        return NULL;
    name->used = true;
    if (name->removed_ns)
        set_removed(names, name, 0);
    if (name->named.result != MRL_NAMES_KNOWN)
        ask(names, name, container->hint);
    return name;
}

struct mrl_named *mrl_known_names__named(void *context, const struct mrl_membership *container)
{
    struct mrl_known_names *names = context;
    struct mrl_known_name *name;

    if (container->is_claim)
        return &names->off;
    name = mrl_known_names__look(names, container);
    return name ? &name->named : &names->full;
}

bool mrl_known_name__is_pending(const struct mrl_known_name *name)
{
    return name->named.result == MRL_NAMES_PENDING;
}

uint64_t mrl_known_names__changes(const struct mrl_known_names *names)
{
    return names->changes;
}

unsigned int mrl_known_name__hold(struct mrl_known_name *name, int change)
{
    return name->held += (unsigned int)change;
}

unsigned int mrl_known_names__count(const struct mrl_known_names *names, size_t *ret_bytes)
{
    *ret_bytes = names->bytes;
    return HASH_COUNT(names->known);
}

struct mrl_names_counts mrl_known_names__counts(const struct mrl_known_names *names)
{
    struct mrl_names_counts counts;

    counts.asked = __atomic_load_n(&names->counts.asked, __ATOMIC_RELAXED);
    counts.dropped = __atomic_load_n(&names->counts.dropped, __ATOMIC_RELAXED);
    for (unsigned int i = 0; i < MRL_NAMES_RESULTS; i++)
        for (unsigned int j = 0; j < MRL_RUNTIMES; j++)
            counts.answers[i][j] = __atomic_load_n(&names->counts.answers[i][j], __ATOMIC_RELAXED);
    return counts;
}
