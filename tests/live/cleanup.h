/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test leaves behind is undone when it ends, also when an assertion ends it: children are
 * killed, directories removed, memory freed, in the opposite order.
 */
#ifndef MRL_LIVE_CLEANUP_H
#define MRL_LIVE_CLEANUP_H

#include <stddef.h>

#include <sys/types.h>

/** Undone with undo(object); both outlive the test. */
void cleanup__add(void (*undo)(void *object), void *object);

/** A child: killed and waited for, unless it was forgotten. */
void cleanup__child(pid_t child);

/** The child was waited for. */
void cleanup__forget_child(pid_t child);

/** A copy of `path` is removed with all below it. */
void cleanup__tree(const char *path);

/** A copy of `path`, an empty directory (of a cgroup), is removed. */
void cleanup__directory(const char *path);

/** Undoes everything. */
void cleanup__run(void);

#endif
