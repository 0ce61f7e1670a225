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
    uint32_t uid;         /* 0: root */
    const char *name;     /* NULL: "live-victim" */
    const char *cgroup;   /* a directory of cgroup__make(); NULL: the caller's */
    const char *file;     /* a file of file_bytes, when there are any */
    bool shares;          /* its memory with a process of its own that lives on */
    bool churns;          /* its page tables, and so holds the lock of its memory nearly always */
    unsigned int threads; /* more than the first */

    /* Known once it was started. */
    pid_t pid;    /* as its parent sees it */
    int pidfd;    /* its parent's */
    pid_t sharer; /* of its memory; 0: none */
    struct caller self;
    char path[EXE_BYTES]; /* of its executable */
    uint64_t resident_bytes, anon_resident_bytes;
    uint64_t locked_kib, pagetable_kib;
};

/** Starts a victim, on the caller's CPU. */
void victim__start(struct script *script);

/**
 * Kills it through its pidfd, and lets it run only when its CPU has nothing better to do: a killed
 * process drops its memory at once, and then it is too late to release it.
 */
void victim__kill(struct script *script);

/** Lets it run and die: when this returns it is a zombie. */
void victim__await_death(struct script *script);

/** Takes the zombie away and closes the pidfd. */
void victim__bury(struct script *script);

/**
 * Starts, kills and releases a victim, and another one should the first be gone already (ESRCH).
 * It is left to be buried.
 */
void victim__release(struct script *script);

/**
 * A child that has begun to exit and is held there by the calling thread, which traces it:
 * releasing it succeeds again and again. Returns its pidfd; -1: none could be made. It dies with
 * its tracer.
 */
int victim__hold_dying(pid_t *ret_pid);

#endif
