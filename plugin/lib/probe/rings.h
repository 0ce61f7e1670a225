/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of the ring buffers of the probes (kernel/bpf/ringbuf.c), which give memory back when
 * they are told to: libbpf's own gives each record back before anybody has kept it. One thread.
 */
#ifndef MRL_PROBE_RINGS_H
#define MRL_PROBE_RINGS_H

#include <abi/record.h>

#include "probe/attached.h"

/** Zeroed is closed. */
struct mrl_ring {
    unsigned long *consumer;       /* a page: up to where the kernel may write again */
    const unsigned long *producer; /* a page: up to where it has written */
    const char *data;              /* mapped twice in a row: no record is cut at the end */
    unsigned long mask;            /* bytes - 1 */
    unsigned long at;              /* up to where this reader has read */
    int fd;                        /* of the map, borrowed: it can be read when there is more */
};

/** Maps the ring of `bytes` behind the map's descriptor. -errno of mmap(). */
int mrl_ring__open(struct mrl_ring *ring, int map_fd, size_t bytes);

/** Maps the rings of both lanes, which live as long as the probes. -errno of mmap(); close() is due
 * either way. */
int mrl_rings__open(struct mrl_ring rings[MRL_LANE_COUNT], const struct mrl_probes *probes);

/** Unmaps them. Those that are closed are allowed. */
void mrl_rings__close(struct mrl_ring rings[MRL_LANE_COUNT]);

/**
 * Hands over finished records in their order until there are no more, or `take` returns false; that
 * record counts as read. Records are borrowed until release(), aligned to 8. Returns whether take
 * ended it: there may be more.
 */
bool mrl_ring__read(struct mrl_ring *ring,
                    bool (*take)(void *context, const void *record, size_t size),
                    void *context);

/** Up to where the kernel has written. Any thread. */
unsigned long mrl_ring__end(const struct mrl_ring *ring);

/** How full it is. Any thread. */
void mrl_ring__fill(const struct mrl_ring *ring, struct mrl_ring_fill *ret_fill);

/** Gives the memory of all that was read back to the kernel. */
void mrl_ring__release(struct mrl_ring *ring);

#endif
