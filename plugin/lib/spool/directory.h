/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a spool, by its descriptor: which segments there are, and its other files. No
 * symbolic link is followed.
 */
#ifndef MRL_SPOOL_DIRECTORY_H
#define MRL_SPOOL_DIRECTORY_H

#include "spool/layout.h"

#define MRL_SPOOL_LOCK    "lock"
#define MRL_SPOOL_CURSOR  "cursor"
#define MRL_SPOOL_REFUSED "refused.ndjson"

struct mrl_segment {
    uint64_t number;
    uint64_t bytes;
};

/** In the order of their numbers. Zeroed is empty. */
struct mrl_segments {
    struct mrl_segment *at;
    unsigned int count, room;
};

/** Opens a directory. Errors, with a line: -ELOOP it is a symbolic link; -EPERM all may write to
 * it; as open(). Returns a descriptor. */
int mrl_spool_directory__open(const char *path, struct mrl_error *error);

/** Opens one of its files, as openat(). Errors, with a line that names it: -ELOOP a symbolic link;
 * -EEXIST no regular file, or one with a second name; as openat(). */
int mrl_spool_directory__file(
    int directory, const char *name, int flags, unsigned int mode, struct mrl_error *error);

/** Opens a segment to read it, or, with O_RDWR, to go on. */
int mrl_spool_directory__segment(int directory,
                                 uint64_t number,
                                 int flags,
                                 struct mrl_error *error);

/** Lists the segments; other files are left alone. As openat(), -ENOMEM. */
int mrl_segments__list(int directory, struct mrl_segments *ret_segments);

/** Appends one, whose number is the largest. -ENOMEM. */
int mrl_segments__add(struct mrl_segments *segments, uint64_t number, uint64_t bytes);

/** Takes out the one at `index`. */
void mrl_segments__remove(struct mrl_segments *segments, unsigned int index);

/** The index of the first with such a number, or of the next; `count`: there is none. */
unsigned int mrl_segments__find(const struct mrl_segments *segments, uint64_t number);

uint64_t mrl_segments__bytes(const struct mrl_segments *segments);

void mrl_segments__done(struct mrl_segments *segments);

#endif
