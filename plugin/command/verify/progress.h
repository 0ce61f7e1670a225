/* SPDX-License-Identifier: Apache-2.0 */
/** A bar on a terminal: how much of all bytes was read, how fast, and how long it will take. */
#ifndef MRL_COMMAND_VERIFY_PROGRESS_H
#define MRL_COMMAND_VERIFY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct mrl_progress {
    FILE *to;       /* NULL: nothing is shown */
    uint64_t bytes; /* of all files */
    uint64_t done;  /* of those that were read to their end */
    uint64_t lines;
    uint64_t start_ns, shown_ns;
    bool visible;
};

/** Shows nothing where `to` is no terminal. */
void mrl_progress__init(struct mrl_progress *progress, FILE *to, uint64_t bytes);

/** `position` bytes of the present file were read. Cheap; shown some five times a second. */
void mrl_progress__at(struct mrl_progress *progress, uint64_t position);

/** Takes the bar away, so that something else can be printed. `progress` is a struct mrl_progress.
 */
void mrl_progress__hide(void *progress);

#endif
