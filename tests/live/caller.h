/* SPDX-License-Identifier: Apache-2.0 */
/* What a task knows of itself, through system calls and /proc: what its events must say. */
#ifndef MRL_LIVE_CALLER_H
#define MRL_LIVE_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_TEXT_BYTES = 72, CONTAINER_TEXT_BYTES = 80 };

struct caller {
    uint32_t pid, tid, ppid;                /* as the task sees them */
    uint32_t host_pid, host_tid, host_ppid; /* as the host does */
    uint32_t uid;
    uint64_t mount_namespace, pid_namespace, cgroup_id;
    uint64_t thread_ticks, process_ticks, parent_ticks; /* start times as /proc has them */
    char name[NAME_TEXT_BYTES];                         /* as JSON must decode to */
    char host_name[NAME_TEXT_BYTES];
    char container_id[CONTAINER_TEXT_BYTES]; /* "": none; for the test to fill in */
};

/** Of the calling thread. False when something could not be read. Needs the host's /proc. */
bool caller__take(struct caller *caller);

/** Start time of a process, in clock ticks since boot; 0 when it cannot be read. */
uint64_t caller__ticks(uint32_t host_pid);

/** Reads a small file whole. The bytes read, ended by a NUL, or 0. */
size_t caller__read(const char *path, char *text, size_t size);

#endif
