// SPDX-License-Identifier: Apache-2.0
/*
 * A bounded table of names, and what was told and is not in it yet. The table is the reader's
 * alone: to look at it takes no lock, since each event of a container looks.
 */
#include "enrich/known_names.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/hash.h"
#include "enrich/cgroups.h"

#define SECOND_NS INT64_C(1000000000)
#define KEPT_NS   (60 * SECOND_NS) /* after the cgroup was removed: late records are of it */

struct mrl_known_name {
    UT_hash_handle hh;
    struct mrl_known_name *prev, *next; /* the longest unused one first */
    struct mrl_named named;
    char *texts; /* one block, owned; NULL: empty */
    size_t size; /* of it */
    int64_t asked_ns, removed_ns;
    unsigned int held;
    bool used; /* since it was last considered for being forgotten */
    uint8_t id_size;
    char id[MRL_CONTAINER_ID_BYTES + 1];
};

struct told {
    struct told *next;
    enum { TOLD_NAMES, TOLD_ASKED, TOLD_REMOVED } what; /* of the last two nothing else is said */
    struct mrl_named named;
    size_t size;
    uint8_t id_size;
    char id[MRL_CONTAINER_ID_BYTES];
    char texts[];
};

struct mrl_known_names {
    struct mrl_names_asking asking;
    struct mrl_known_name *known, *list, *last; /* last: found, events come in rows */
    size_t bytes;
    struct mrl_names_counts counts;
    pthread_mutex_t lock; /* of the next three */
    struct told *first, **end;
    size_t told_bytes;
    atomic_bool has_news;
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
    names->end = &names->first;
    pthread_mutex_init(&names->lock, NULL);
    *ret_names = names;
    return 0;
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* -- telling ---------------------------------------------------------------------------------- */

/* Where they are too long together, the last of these are cut. */
static const enum mrl_name by_weight[MRL_NAMES] = {
    MRL_NAME_POD_UID,   MRL_NAME_POD_NAMESPACE, MRL_NAME_POD,
    MRL_NAME_CONTAINER, MRL_NAME_IMAGE,         MRL_NAME_IMAGE_DIGEST,
};

static size_t measure(const struct mrl_container_names *container, size_t sizes[MRL_NAMES])
{
    size_t size = 0;

    for (unsigned int rank = 0; rank < MRL_NAMES; rank++) {
        enum mrl_name i = by_weight[rank];
        size_t room = MRL_NAMES_BYTES_MAX - size;

        sizes[i] = container->texts[i].size < room ? container->texts[i].size : room;
        if (container->result != MRL_NAMES_KNOWN)
            sizes[i] = 0;
        size += sizes[i];
    }
    return size;
}

static struct told *told_of(const struct mrl_container_names *container)
{
    size_t sizes[MRL_NAMES], size = measure(container, sizes);
    struct told *told = calloc(1, sizeof(*told) + size);
    char *at = told ? told->texts : NULL;

    if (!told)
        return NULL;
    told->named = (struct mrl_named){ .result = container->result,
                                      .runtime = container->runtime,
                                      .is_sandbox = container->is_sandbox };
    told->size = size;
    told->id_size = (uint8_t)container->id.size;
    memcpy(told->id, container->id.bytes, container->id.size);
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        if (sizes[i])
            memcpy(at, container->texts[i].bytes, sizes[i]);
        told->named.texts[i].size = sizes[i];
        at += sizes[i];
    }
    return told;
}

/* It stays the caller's where there is no room. */
static int append(struct mrl_known_names *names, struct told *told)
{
    size_t size = sizeof(*told) + told->size;
    int err = 0;

    pthread_mutex_lock(&names->lock);
    if (names->told_bytes + size > MRL_TOLD_NAMES_BYTES) {
        count(&names->counts.dropped);
        err = -EAGAIN;
    } else {
        names->told_bytes += size;
        *names->end = told;
        names->end = &told->next;
        atomic_store(&names->has_news, true);
        err = names->told_bytes > MRL_TOLD_NAMES_BYTES / 2;
    }
    pthread_mutex_unlock(&names->lock);
    return err;
}

int mrl_known_names__tell(struct mrl_known_names *names,
                          const struct mrl_container_names *container)
{
    struct told *told;
    int err;

    if (!container->id.size || container->id.size > MRL_CONTAINER_ID_BYTES ||
        (unsigned int)container->result >= MRL_NAMES_RESULTS ||
        (unsigned int)container->runtime >= MRL_RUNTIMES)
        return -EINVAL;
    told = told_of(container);
    if (!told)
        return -ENOMEM;
    err = append(names, told);
    if (err < 0)
        free(told);
    return err;
}

/* That somebody was asked, so that the reader need not ask; or that a cgroup was removed. One
 * within a container is of it as well: only once nobody looks for a while, it is gone. */
static void tell_change(struct mrl_known_names *names, struct mrl_text id, int what)
{
    struct told *told = calloc(1, sizeof(*told));

    if (!told)
        return;
    told->what = what;
    told->named.result = what == TOLD_NAMES ? MRL_NAMES_QUEUE_FULL : MRL_NAMES_PENDING;
    told->id_size = (uint8_t)id.size;
    memcpy(told->id, id.bytes, id.size);
    if (append(names, told) < 0)
        free(told);
}

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
    if (!found.id.size || found.is_claim)
        return;
    if (change->flags & MRL_CGROUP_REMOVED) {
        tell_change(names, found.id, TOLD_REMOVED);
        return;
    }
    if (!names->asking.ask)
        return;
    memcpy(id, found.id.bytes, found.id.size);
    id[found.id.size] = '\0';
    count(&names->counts.asked);
    tell_change(names, found.id, TOLD_ASKED);
    if (names->asking.ask(names->asking.context, id, found.hint))
        tell_change(names, found.id, TOLD_NAMES);
}

bool mrl_known_names__has_news(const struct mrl_known_names *names)
{
    return atomic_load_explicit(&names->has_news, memory_order_relaxed);
}

/* -- the table -------------------------------------------------------------------------------- */

static void forget(struct mrl_known_names *names, struct mrl_known_name *name)
{
    names->bytes -= name->size;
    if (names->last == name)
        names->last = NULL;
    DL_DELETE(names->list, name);
    HASH_DEL(names->known, name);
    free(name->texts);
    free(name);
}

/* First what was removed long ago, then the longest unused one. What events wait for stays: they
 * wait for fewer than there are. */
static void forget_one(struct mrl_known_names *names)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    struct mrl_known_name *name;

    DL_FOREACH(names->list, name)
    if (name->removed_ns && !name->held && now_ns - name->removed_ns > KEPT_NS) {
        forget(names, name);
        return;
    }
    while ((name = names->list)->used || name->held) {
        name->used = false;
        DL_DELETE(names->list, name);
        DL_APPEND(names->list, name);
    }
    forget(names, name);
}

static void make_room(struct mrl_known_names *names, size_t size)
{
    while (HASH_COUNT(names->known) >= MRL_KNOWN_NAMES_MAX ||
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
    make_room(names, 0);
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
    DL_APPEND(names->list, name);
    names->last = name;
    return name;
}

/* Of a container that is gone a runtime knows nothing; but it was known. */
static bool is_news(const struct mrl_known_name *name, const struct told *told)
{
    return told->named.result == MRL_NAMES_KNOWN ||
           (told->named.result != MRL_NAMES_OFF && told->named.result != MRL_NAMES_PENDING &&
            name->named.result != MRL_NAMES_KNOWN);
}

static void learn_change(struct mrl_known_names *names, const struct told *told)
{
    const int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    struct mrl_known_name *name = told->what == TOLD_ASKED
                                      ? find_or_add(names, told->id, told->id_size)
                                      : find(names, told->id, told->id_size);

    if (name && told->what == TOLD_ASKED)
        name->asked_ns = now_ns;
    else if (name)
        name->removed_ns = now_ns;
}

static void learn(struct mrl_known_names *names, const struct told *told)
{
    char *texts = told->size ? malloc(told->size) : NULL;
    struct mrl_known_name *name;
    size_t at = 0;

    make_room(names, told->size);
    name = find_or_add(names, told->id, told->id_size);
    if (!name || !is_news(name, told) || (told->size && !texts)) {
        free(texts);
        return;
    }
    if (texts)
        memcpy(texts, told->texts, told->size);
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
    struct told *told, *next;

    pthread_mutex_lock(&names->lock);
    told = names->first;
    names->first = NULL;
    names->end = &names->first;
    names->told_bytes = 0;
    atomic_store(&names->has_news, false);
    pthread_mutex_unlock(&names->lock);
    for (; told; told = next) {
        next = told->next;
        if (told->what != TOLD_NAMES) {
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
    while (names->list)
        forget(names, names->list);
    pthread_mutex_destroy(&names->lock);
    free(names);
}

/* -- looking ---------------------------------------------------------------------------------- */

static void ask(struct mrl_known_names *names, struct mrl_known_name *name, enum mrl_runtime hint)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    if (!names->asking.ask ||
        (name->asked_ns && now_ns - name->asked_ns < again_ns[name->named.result]))
        return;
    name->asked_ns = now_ns;
    count(&names->counts.asked);
    if (names->asking.ask(names->asking.context, name->id, hint))
        name->named.result = MRL_NAMES_QUEUE_FULL;
    else if (name->named.result == MRL_NAMES_QUEUE_FULL)
        name->named.result = MRL_NAMES_PENDING;
}

struct mrl_known_name *mrl_known_names__look(struct mrl_known_names *names,
                                             const struct mrl_membership *container)
{
    struct mrl_known_name *name = find(names, container->id.bytes, container->id.size);

    /* Perhaps it was asked for meanwhile, or even answered. */
    if (!name && mrl_known_names__has_news(names))
        mrl_known_names__take(names);
    if (!name && container->id.size <= MRL_CONTAINER_ID_BYTES)
        name = find_or_add(names, container->id.bytes, container->id.size);
    if (!name)
        return NULL;
    name->used = true;
    name->removed_ns = 0;
    if (name->named.result != MRL_NAMES_KNOWN)
        ask(names, name, container->hint);
    return name;
}

const struct mrl_named *mrl_known_names__named(void *names, const struct mrl_membership *container)
{
    static const struct mrl_named off = { .result = MRL_NAMES_OFF };
    static const struct mrl_named full = { .result = MRL_NAMES_QUEUE_FULL };
    const struct mrl_known_name *name;

    if (container->is_claim)
        return &off;
    name = mrl_known_names__look(names, container);
    return name ? &name->named : &full;
}

bool mrl_known_name__is_pending(const struct mrl_known_name *name)
{
    return name->named.result == MRL_NAMES_PENDING;
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
