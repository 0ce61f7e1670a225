/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivers items until each was taken, or refused for good: pauses, retries and halving, the same
 * for every destination. One thread.
 */
#ifndef MRL_SIDE_SHIP_SHIPPER_H
#define MRL_SIDE_SHIP_SHIPPER_H

#include <mrelease/plugin.h>
#include <mrelease/sink.h>

enum { MRL_SHIP_ITEMS = 4096, MRL_SHIP_BYTES = 1024 * 1024 };

struct mrl_shipper {
    const struct mrl_sink_ops *ops;
    struct mrl_sink *sink;
    const int *stop; /* atomic: nonzero, it gives up */
    /** Says what it could not deliver; NULL: nobody hears it. */
    void (*log)(enum mrl_log_level level, const char *text);
    /** An item was refused; NULL: nobody keeps it. */
    void (*refused)(void *context, const struct mrl_item *item, const char *reason);
    /** Before each request: the files of the options may have changed. `failing`: the destination
     * said that something has to be mended, which may be they. NULL: there are none. */
    void (*renew)(void *context, bool failing);
    void *context;
    /** What comes behind the items of the next delivery, borrowed until the one after that ends;
     * count 0: nothing is known of it. */
    const struct mrl_item *ahead;
    size_t ahead_count;
    uint64_t give_up_ns;   /* how long an item is tried; 0: until it works */
    struct mrl_sent sent;  /* atomic, each of its members */
    int hurries;           /* atomic: nonzero, a pause ends at once */
    unsigned int failures; /* one after the other */
    size_t limit;          /* items of a request; 0: as many as there may be */
    unsigned int failing;  /* 1 + the verdict that was said last; 0: it works */
    uint64_t seed;
    size_t tried;     /* of those that are pending, the first so many were sent before, */
    int64_t tried_ns; /* from this time on */
    char why[200];    /* the last of them was not taken */
    struct mrl_item pending[MRL_SHIP_ITEMS];
    uint32_t numbers[MRL_SHIP_ITEMS];
    struct mrl_judged judged[MRL_SHIP_ITEMS];
};

/**
 * Delivers up to MRL_SHIP_ITEMS items, in their order, and waits as long as that takes; what was
 * tried for `give_up_ns` without success is refused. Those behind it have their own time.
 * `refused`, of each item, becomes 1 where it was refused. Returns 0; -ECANCELED: it was stopped,
 * and `dealt`, of each item, says which are dealt with.
 */
int mrl_shipper__deliver(struct mrl_shipper *shipper,
                         const struct mrl_item *items,
                         size_t count,
                         uint8_t *dealt,
                         uint8_t *refused);

/** Looks once whether the destination can be reached, and says so where it cannot: a name that was
 * mistyped shall show before there is an event. */
void mrl_shipper__look(struct mrl_shipper *shipper);

/** How items were sent so far. Any thread. */
void mrl_shipper__sent(const struct mrl_shipper *shipper, struct mrl_sent *ret_sent);

/** How long to wait after so many failures: uniform between 0 and 0.1 s × 2ⁿ, up to 60 s; at least
 * what the destination asked for, up to 10 min. */
uint64_t mrl_shipper__pause_ms(unsigned int failures, uint32_t asked_ms, uint64_t *seed);

#endif
