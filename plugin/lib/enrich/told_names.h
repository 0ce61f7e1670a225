/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was told of containers, and the reader has not taken in: a bounded queue, from any thread to
 * the reader.
 */
#ifndef MRL_ENRICH_TOLD_NAMES_H
#define MRL_ENRICH_TOLD_NAMES_H

#include <pthread.h>
#include <stdatomic.h>

#include "enrich/cgroups.h"
#include "event/host.h"

enum { MRL_TOLD_NAMES_BYTES = 512 * 1024 }; /* told, while the reader takes nothing in */

enum mrl_told_what {
    MRL_TOLD_NAMES,
    MRL_TOLD_ASKED,   /* somebody was asked, and nothing else is said */
    MRL_TOLD_REMOVED, /* its cgroup was removed, and nothing else is said */
};

/** One thing that was told. Its texts follow each other in `texts`; named.texts has their sizes. */
struct mrl_told {
    struct mrl_told *next;
    enum mrl_told_what what;
    struct mrl_named named;
    size_t size;
    uint8_t id_size;
    char id[MRL_CONTAINER_ID_BYTES];
    char texts[];
};

struct mrl_told_names {
    pthread_mutex_t lock; /* of the next three */
    struct mrl_told *first, **end;
    size_t bytes;
    atomic_bool has_news;
};

void mrl_told_names__init(struct mrl_told_names *names);

/** Nothing may be in it. */
void mrl_told_names__done(struct mrl_told_names *names);

/** What is told of a container (copies); new. Where its texts are too long together, the least
 * telling ones are cut. NULL without memory. */
struct mrl_told *mrl_told__of_names(const struct mrl_container_names *container);

/** That a container was asked about, or is gone; MRL_TOLD_NAMES: that whoever is asked has no room.
 * The id has at most MRL_CONTAINER_ID_BYTES. New; NULL without memory. */
struct mrl_told *mrl_told__of_change(enum mrl_told_what what, struct mrl_text id);

/** Appends, and steals unless it fails. Returns 0, or 1 where more than half of the room is taken.
 * Any thread. -EAGAIN: there is no room. */
int mrl_told_names__append(struct mrl_told_names *names, struct mrl_told *told);

/** All of them, in order, for the caller to free one by one; NULL: none. */
struct mrl_told *mrl_told_names__take(struct mrl_told_names *names);

#endif
