/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the writer's end share: open.c, recover.c, append.c, grant.c, view.c. */
#ifndef MRL_SPOOL_PRIVATE_H
#define MRL_SPOOL_PRIVATE_H

#include <pthread.h>

#include "spool/cursor.h"
#include "spool/directory.h"
#include "spool/spool.h"

/** What the shipper cannot see from where it stands: segments behind the one that it was granted
 * were dropped. */
struct mrl_spool_hole {
    uint64_t next; /* number of the first segment behind it; 0: there is no hole */
    struct mrl_spool_numbers lost;
};

struct mrl_spool {
    struct mrl_spool_options options; /* without its texts */
    bool is_view;                     /* it changes nothing on the disk, and has no lock */
    char *path;
    char format[MRL_SPOOL_FORMAT_BYTES];
    int directory, locked, cursor; /* descriptors */
    uint64_t budget;               /* of the segments */

    pthread_mutex_t appending; /* who appends, syncs, closes; taken before `lock` */
    int fd;                    /* of the last segment; -1: the next append begins one */
    bool waits;                /* for a sync */
    int64_t synced_ns;         /* CLOCK_MONOTONIC */

    pthread_mutex_t lock; /* of what follows */
    struct mrl_segments segments;
    uint64_t end;     /* of the last segment: what was appended and reported */
    uint64_t number;  /* of the last segment, there or not; 0: there was none */
    uint64_t item;    /* number of the next */
    uint64_t last_ns; /* time of the last item */
    struct mrl_spool_numbers appended;
    uint8_t id[MRL_SPOOL_ID_BYTES];
    uint64_t granted; /* number; 0: none */
    bool is_told;     /* that the budget took something */
    struct mrl_spool_hole hole;
};

/** Finds out where a spool goes on: fills in all but the descriptors. With a line. */
int mrl_spool__recover(struct mrl_spool *spool, struct mrl_error *error);

/** As mrl_spool__open() begins: a spool without descriptors. NULL: no memory. */
struct mrl_spool *mrl_spool__make(const struct mrl_spool_options *options);

/** Begins a segment. `appending` is held. */
int mrl_spool__begin_segment(struct mrl_spool *spool);

/** Removes a segment that is dealt with, or given up; the cursor is synced before. */
void mrl_spool__remove(struct mrl_spool *spool, unsigned int index);

/** The header of a segment that is there. With a line. */
int mrl_spool__header(const struct mrl_spool *spool,
                      uint64_t number,
                      struct mrl_segment_header *ret_header,
                      struct mrl_error *error);

/** What the cursor says; zeroed where it says nothing. */
void mrl_spool__cursor(const struct mrl_spool *spool, struct mrl_cursor *ret_cursor);

/** Says a line. */
__attribute__((format(printf, 3, 4))) void mrl_spool__say(const struct mrl_spool *spool,
                                                          enum mrl_log_level level,
                                                          const char *format,
                                                          ...);

#endif
