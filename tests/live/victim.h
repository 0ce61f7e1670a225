/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is made to be killed and released: what it shall hold, and what is known of it. */
#ifndef MRL_LIVE_VICTIM_H
#define MRL_LIVE_VICTIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "caller.h"

enum { EXE_BYTES = 512 };

struct script;

struct victim {
    /* For the test to choose. */
    size_t anon_bytes, shmem_bytes, file_bytes, locked_bytes;
    uint32_t uid;       /* 0: root */
    const char *name;   /* NULL: "live-victim" */
    const char *cgroup; /* a directory of cgroup__make(); NULL: the caller's */
    const char *file;   /* a file of file_bytes, when there are any */

    /* Known once it was started. */
    pid_t pid; /* as its parent sees it */
    struct caller self;
    char path[EXE_BYTES]; /* of its executable */
    uint64_t resident_bytes, anon_resident_bytes;
    uint64_t locked_kib, pagetable_kib;
};

/**
 * Starts a victim and returns a pidfd of it. It runs on the caller's CPU and only when that has
 * nothing better to do, so that a killed victim does not get far before its memory is released.
 */
int victim__start(struct script *script);

/** Kills it through its pidfd. */
void victim__kill(struct script *script, int pidfd);

/** Lets it die: when this returns it is a zombie. */
void victim__await_death(struct script *script, int pidfd);

/** Takes the zombie away and closes the pidfd. */
void victim__bury(struct script *script, int pidfd);

/** Starts, kills and releases, with ever bigger victims, until a call succeeds; does not bury.
 * Returns the pidfd. */
int victim__release(struct script *script);

#endif
