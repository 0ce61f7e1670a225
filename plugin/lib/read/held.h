/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for the names of their container, in the order in which they came. Those of one
 * container leave in that order as well; those of others, and the host's, do not wait for them. The
 * reader alone, but for what is counted.
 */
#ifndef MRL_READ_HELD_H
#define MRL_READ_HELD_H

#include <abi/record.h>
#include <mrelease/plugin.h>
#include <stdatomic.h>

#include "enrich/known_names.h"

enum {
    MRL_HELD_MAX = 1024,
    MRL_HELD_BYTES = 1024 * 1024,
    MRL_HELD_BATCH_SHARE = 64,   /* events of a batch, before a look at the rings */
    MRL_HELD_OVERDUE_SHARE = 64, /* where there is no room, one of so many leaves */
    MRL_WAIT_BUCKETS = MRL_NAMES_WAITS,
};

struct mrl_held_record {
    struct mrl_held_record *prev, *next;
    struct mrl_known_name *owner;
    int64_t since_ns; /* CLOCK_MONOTONIC */
    size_t size;
    _Alignas(8) char bytes[];
};

/** Zeroed holds nothing, and never will. */
struct mrl_held {
    struct mrl_known_names *names; /* borrowed; NULL: names are off */
    int64_t wait_ns;               /* 0: nothing waits */
    struct mrl_held_record *list;
    atomic_uint count;
    size_t bytes;
    unsigned int overdue; /* so many of the first ones leave, since there are too many */
    uint64_t seen;        /* as many changes of names as these: all of the list are pending */
    /* Events by how long they waited: a bucket each; and all these times. */
    atomic_ullong waits[MRL_WAIT_BUCKETS];
    atomic_ullong waited_ns;
};

/** Whom this record has to wait for: the container whose names are being looked up, or of which
 * another record waits. NULL: nobody. */
struct mrl_known_name *mrl_held__owner(const struct mrl_held *held,
                                       const struct mrl_membership *container);

/** Keeps a copy of a record. Returns whether there is room for more; where there is none, the
 * oldest ones are overdue. Error: -ENOMEM. */
int mrl_held__put(struct mrl_held *held,
                  struct mrl_known_name *owner,
                  const void *record,
                  size_t size);

/** The next one that need not wait any longer at `now_ns`, behind `after` (NULL: the first);
 * INT64_MAX: none need. NULL: there is none. The whole list is looked through only where a name
 * changed since. */
struct mrl_held_record *mrl_held__next(struct mrl_held *held,
                                       const struct mrl_held_record *after,
                                       int64_t now_ns);

/** It has left; frees it. */
void mrl_held__remove(struct mrl_held *held, struct mrl_held_record *record, int64_t now_ns);

/** In how many ms the first one need not wait any longer; -1: none waits. */
int mrl_held__due_ms(const struct mrl_held *held);

void mrl_held__done(struct mrl_held *held);

#endif
