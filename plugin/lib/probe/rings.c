// SPDX-License-Identifier: Apache-2.0
/* The layout of BPF ring buffers, as user space sees it. */
#include <linux/bpf.h>

#include "probe/rings.h"

#include <errno.h>
#include <unistd.h>

#include <sys/mman.h>

#include "probe/skeleton.h"

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

int mrl_ring__open(struct mrl_ring *ring, int map_fd, size_t bytes)
{
    const size_t page = page_bytes();
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    char *producer;

    if (consumer == MAP_FAILED)
        return -errno;
    producer = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
    if (producer == MAP_FAILED) {
        int err = -errno;

        munmap(consumer, page);
        return err;
    }
    *ring = (struct mrl_ring){ .consumer = consumer,
                               .producer = (const unsigned long *)producer,
                               .data = producer + page,
                               .mask = bytes - 1,
                               .fd = map_fd };
    ring->at = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
    return 0;
}

int mrl_rings__open(struct mrl_ring rings[MRL_LANE_COUNT], const struct mrl_probes *probes)
{
    const struct bpf_map *maps[MRL_LANE_COUNT] = {
        [MRL_LANE_RARE] = probes->object->maps.rare_records,
        [MRL_LANE_BUSY] = probes->object->maps.busy_records,
    };
    int err = 0;

    for (int lane = 0; !err && lane < MRL_LANE_COUNT; lane++)
        err =
            mrl_ring__open(&rings[lane], bpf_map__fd(maps[lane]), bpf_map__max_entries(maps[lane]));
    return err;
}

static void close_ring(struct mrl_ring *ring)
{
    size_t page = page_bytes();

    if (!ring->consumer)
        return;
    munmap(ring->consumer, page);
    munmap((void *)ring->producer, page + 2 * (ring->mask + 1));
    *ring = (struct mrl_ring){ .consumer = NULL };
}

void mrl_rings__close(struct mrl_ring rings[MRL_LANE_COUNT])
{
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        close_ring(&rings[lane]);
}

bool mrl_ring__read(struct mrl_ring *ring,
                    bool (*take)(void *context, const void *record, size_t size),
                    void *context)
{
    unsigned long end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

    while (ring->at < end) {
        const char *header = ring->data + (ring->at & ring->mask);
        /* The kernel takes the busy bit away when the record is written; acquire orders the reads
         * of the record behind this one. */
        uint32_t length = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
        size_t size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

        /* Another CPU has reserved this one and still writes: what is behind it waits as well. */
        if (length & BPF_RINGBUF_BUSY_BIT)
            return false;
        /* Past a discarded one too, which takes room as others do. */
        ring->at += (BPF_RINGBUF_HDR_SZ + size + 7) & ~7UL;
        if (!(length & BPF_RINGBUF_DISCARD_BIT) &&
            !take(context, header + BPF_RINGBUF_HDR_SZ, size))
            return true;
    }
    return false;
}

unsigned long mrl_ring__end(const struct mrl_ring *ring)
{
    return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

void mrl_ring__fill(const struct mrl_ring *ring, struct mrl_ring_fill *ret_fill)
{
    /* In this order: what the kernel may write to only moves on. */
    const unsigned long from = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);

    *ret_fill = (struct mrl_ring_fill){ ring->mask + 1, mrl_ring__end(ring) - from };
}

void mrl_ring__release(struct mrl_ring *ring)
{
    /* The store is dear while probes write: it takes the line that they read from their cache. */
    if (__atomic_load_n(ring->consumer, __ATOMIC_RELAXED) != ring->at)
        __atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
}
