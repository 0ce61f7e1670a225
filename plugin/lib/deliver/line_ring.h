/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a queue: two rings of fixed size, of the bytes of lines, and of an entry per line
 * and per gap between lines. It drops nothing and locks nothing.
 */
#ifndef MRL_DELIVER_LINE_RING_H
#define MRL_DELIVER_LINE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/gap.h"

/** Zeroed: empty, of no size. */
struct mrl_line_ring {
    char *bytes;
    size_t size, head, used;
    struct mrl_line *lines;
    size_t lines_size, lines_head, lines_used;
};

/** Makes one for `size` bytes, and a sixteenth of that for entries. Error: -ENOMEM. */
int mrl_line_ring__init(struct mrl_line_ring *ring, size_t size);

/** Frees it; zeroed is allowed. */
void mrl_line_ring__done(struct mrl_line_ring *ring);

/** Rooms in it are counted in so many parts. */
enum { MRL_RING_PARTS = 18 };

/** Whether a line of `size` bytes fits, and behind it one gap per event and cause; and `parts` of
 * it then are still free. */
bool mrl_line_ring__has_room(const struct mrl_line_ring *ring, size_t size, unsigned int parts);

/** How much of it is taken: bytes, or entries as if they were bytes, whichever is fuller. */
size_t mrl_line_ring__fill(const struct mrl_line_ring *ring);

/** Appends a line, whose bytes are copied, where there is room; or a gap, which has no bytes. */
void mrl_line_ring__put(struct mrl_line_ring *ring, const char *bytes, const struct mrl_line *line);

/** The entry at `index`, counted from the first. Borrowed until the ring changes. */
struct mrl_line *mrl_line_ring__at(const struct mrl_line_ring *ring, size_t index);

/** Copies the bytes of the first line to `buffer`. */
void mrl_line_ring__copy_first(const struct mrl_line_ring *ring, char *buffer);

void mrl_line_ring__remove_first(struct mrl_line_ring *ring);

/** Moves the first line to the end of another ring, which has room for it. */
void mrl_line_ring__move_first(struct mrl_line_ring *ring, struct mrl_line_ring *to);

#endif
