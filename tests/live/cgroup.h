/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hierarchy by which Tracee numbers cgroups: cgroup v2 where /sys/fs/cgroup is one, else the
 * first v1 hierarchy, cpuset. The number is the inode of the directory.
 */
#ifndef MRL_LIVE_CGROUP_H
#define MRL_LIVE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/** Of the calling thread; 0 when it cannot be told. */
uint64_t cgroup__id_of_self(void);

/**
 * Makes the cgroup `path` (several components), ready for processes, and removes it when the test
 * ends. Its first component gets "mrelease-PID-" before it: other tests make cgroups of the same
 * name at the same time, and one that was killed leaves its own. Returns its directory, valid until
 * then, or NULL (a reason was printed).
 */
const char *cgroup__make(const char *path);

/** The same in the hierarchy of cgroup v2, wherever that is mounted. */
const char *cgroup__make_v2(const char *path);

/** The inode of a directory that cgroup__make() returned. */
uint64_t cgroup__id(const char *directory);

/** Moves the calling process there. */
bool cgroup__enter(const char *directory);

#endif
