/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin whose configuration is exchanged, also while calls flood in by the hundred thousand.
 * Failures end the test. */
#ifndef MRL_TEST_LIVE_SWAPS_H
#define MRL_TEST_LIVE_SWAPS_H

#include <mrelease/mrelease.h>
#include <stdatomic.h>

#include "counts.h"

enum { SWAP_PAGE = 4096, SWAP_SERIALS = 1 << 22, SWAP_READ_MS = 100 };

/** What a call's serial number makes of it stands in its address, in front of a decimal digit. */
#define SWAP_BASE UINT64_C(4600000000000000000)

/** One at a time; closed at the end of the test. */
extern struct mrl_plugin *swap_plugin;

/** Opens it; `rung`: with a busy ring that holds a flood, and switchable. */
void swap__open(const char *rung, struct mrl_plugin_options options);
void swap__close(void);

/** Of an event that is there. */
unsigned int swap__index_of(const char *event);

/** The counts of an event, which add up. */
struct mrl_event_counts swap__counts(const char *event);

/** Gives what comes within the time to `check`, but for what the sensor says of itself. */
void swap__read(int timeout_ms, void (*check)(const struct mrl_event *event));

/** A process that calls. */
struct flooder {
    atomic_bool started, stop;
    atomic_uint serials; /* that were used up */
    atomic_uint reached; /* the last one that was seen */
    pid_t pid;
    /* As read. */
    unsigned char seen[SWAP_SERIALS];
    uint32_t generation; /* of the last event */
};

/** `count` of them, named `name`, in memory that they share. They wait. */
struct flooder *flooders__start(unsigned int count, const char *name, void (*call)(unsigned int));

/** Gives their memory back, once they have ended. */
void flooders__free(void);

/** A call of this serial was read: it must be the first. A flooder waits where it is far ahead of
 * what was read, however slow the reader is: what the ring has no room for is no matter of this
 * test. */
void flooder__saw(struct flooder *flooder, unsigned int serial);

/** How many of the calls that `wanted` says of were not seen. */
unsigned int flooder__missing(const struct flooder *flooder, bool (*wanted)(unsigned int serial));

/**
 * Lets the flooders go, and exchanges the configuration `count` times meanwhile: by `configure`,
 * which makes number `i`, from 1 on. Ends when they have,
 * all that they did is read, and the probes rest.
 */
void swap__exchange(const char *rung,
                    int count,
                    int (*configure)(int i, struct mrl_error *error),
                    void (*check)(const struct mrl_event *event));

#endif
