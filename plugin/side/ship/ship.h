/* SPDX-License-Identifier: Apache-2.0 */
/* What the thread that ships shares with the one that hears (serve.c, from_memory.c, from_spool.c).
 */
#ifndef MRL_SIDE_SHIP_SHIP_H
#define MRL_SIDE_SHIP_SHIP_H

#include <pthread.h>
#include <stdbool.h>

#include "side/common/program.h"
#include "side/ship/shipper.h"

enum { MRL_SHIP_CHUNKS = 8 /* that wait: those of one write of the main process */ };

struct mrl_ship_chunk {
    uint32_t id, count;
    char *bytes; /* as in the message: sizes, then items */
    size_t size;
};

struct mrl_ship_program;

struct mrl_ship {
    const struct mrl_ship_program *program;
    struct mrl_shipper shipper;
    uint8_t dealt[MRL_SHIP_ITEMS], refused[MRL_SHIP_ITEMS];
    struct mrl_item items[MRL_SHIP_ITEMS];
    pthread_t thread;
    bool has_thread;
    int stop; /* atomic */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* With the lock. */
    bool idle, grown;
    bool is_renewed; /* the descriptors below have not been taken yet */
    int files[MRL_SPOOL_FDS];
    struct mrl_ship_chunk chunks[MRL_SHIP_CHUNKS];
    unsigned int first, used;
    /* Of a spool. */
    int cursor_fd, refused_fd; /* -1: there is none */
    uint64_t refused_max;      /* bytes of refused.ndjson; the thread that ships */
    int64_t told_ns;
    unsigned int untold;
};

/** Ships chunks until it is stopped. */
void mrl_ship__from_memory(struct mrl_ship *ship);

/** Ships a spool until it is stopped. */
void mrl_ship__from_spool(struct mrl_ship *ship);

/** Adds a line to refused.ndjson. Returns whether there was room for it. */
bool mrl_ship__keep_refused(const struct mrl_ship *ship,
                            const struct mrl_item *item,
                            const char *reason);

/** Waits until something has changed, up to `timeout_ms`; without the lock. */
void mrl_ship__await(struct mrl_ship *ship, unsigned int timeout_ms);

/** Whether it shall end. */
bool mrl_ship__is_over(struct mrl_ship *ship);

#endif
