// SPDX-License-Identifier: Apache-2.0
/* Two rings: of bytes, and of the entries that say which of them are a line. */
#include "deliver/line_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_MIN = 1024,
    /* So many entries are never given to lines, but kept for gaps: a line may be dropped and become
     * a gap, and what is known of a gap must not be dropped in turn. */
    GAPS_MAX = MRL_EVENT_COUNT * MRL_CAUSE_GAPS,
};

int mrl_line_ring__init(struct mrl_line_ring *ring, size_t size)
{
    /* The entries take 1/16 of the memory of the bytes, so that the two together stay bounded by
     * what the user said (docs/adr/0004). */
    size_t lines_size = size / (16 * sizeof(struct mrl_line));

    lines_size = lines_size < LINES_MIN ? LINES_MIN : lines_size;
    *ring = (struct mrl_line_ring){
        .bytes = malloc(size),
        .size = size,
        .lines = malloc(lines_size * sizeof(struct mrl_line)),
        .lines_size = lines_size,
    };
    if (ring->bytes && ring->lines)
        return 0;
    mrl_line_ring__done(ring);
    return -ENOMEM;
}

void mrl_line_ring__done(struct mrl_line_ring *ring)
{
    free(ring->bytes);
    free(ring->lines);
    *ring = (struct mrl_line_ring){ 0 };
}

size_t mrl_line_ring__fill(const struct mrl_line_ring *ring)
{
    const double part = ring->lines_size ? (double)ring->lines_used / (double)ring->lines_size : 0;
    const size_t by_entries = (size_t)((double)ring->size * part);

    return ring->used > by_entries ? ring->used : by_entries;
}

bool mrl_line_ring__has_room(const struct mrl_line_ring *ring, size_t size, unsigned int parts)
{
    size_t left = ring->size * parts / MRL_RING_PARTS;
    size_t lines_left = GAPS_MAX + ring->lines_size * parts / MRL_RING_PARTS;

    /* Bytes for the line, and an entry for it that is not one of those kept for gaps. */
    return ring->size - ring->used >= size + left &&
           ring->lines_used + lines_left < ring->lines_size;
}

static void copy_in(struct mrl_line_ring *ring, const char *bytes, size_t size)
{
    size_t at = (ring->head + ring->used) % ring->size;
    size_t straight = size < ring->size - at ? size : ring->size - at;

    /* A line may go on at the beginning of the ring. The second copy is empty when it does not. */
    memcpy(ring->bytes + at, bytes, straight);
    memcpy(ring->bytes, bytes + straight, size - straight);
    ring->used += size;
}

void mrl_line_ring__put(struct mrl_line_ring *ring, const char *bytes, const struct mrl_line *line)
{
    if (line->size)
        copy_in(ring, bytes, line->size);
    *mrl_line_ring__at(ring, ring->lines_used++) = *line;
}

struct mrl_line *mrl_line_ring__at(const struct mrl_line_ring *ring, size_t index)
{
    return &ring->lines[(ring->lines_head + index) % ring->lines_size];
}

void mrl_line_ring__copy_first(const struct mrl_line_ring *ring, char *buffer)
{
    size_t size = mrl_line_ring__at(ring, 0)->size;
    size_t straight = size < ring->size - ring->head ? size : ring->size - ring->head;

    memcpy(buffer, ring->bytes + ring->head, straight);
    memcpy(buffer + straight, ring->bytes, size - straight);
}

void mrl_line_ring__remove_first(struct mrl_line_ring *ring)
{
    size_t size = mrl_line_ring__at(ring, 0)->size;

    ring->head = (ring->head + size) % ring->size;
    ring->used -= size;
    ring->lines_head = (ring->lines_head + 1) % ring->lines_size;
    if (!--ring->lines_used)
        ring->head = ring->lines_head = 0; /* the bytes used last, which are still in the caches */
}

void mrl_line_ring__move_first(struct mrl_line_ring *ring, struct mrl_line_ring *to)
{
    const struct mrl_line *line = mrl_line_ring__at(ring, 0);
    size_t straight = line->size < ring->size - ring->head ? line->size : ring->size - ring->head;

    copy_in(to, ring->bytes + ring->head, straight);
    copy_in(to, ring->bytes, line->size - straight);
    *mrl_line_ring__at(to, to->lines_used++) = *line;
    mrl_line_ring__remove_first(ring);
}
