/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process gives up before it works: capabilities, paths, system calls. One call, while the
 * process has one thread: Landlock and capabilities are a thread's, and only threads that start
 * later get them from the one that called. seccomp reaches every thread there is.
 */
#ifndef MRL_SIDE_SANDBOX_H
#define MRL_SIDE_SANDBOX_H

#include <mrelease/error.h>
#include <stddef.h>
#include <stdint.h>

#include "side/common/profile.h"

/** Adds a path, which is copied; one that is not there will be left out. Returns 0, -ENOSPC, or
 * -ENOMEM. */
int mrl_sandbox__add_path(struct mrl_sandbox *sandbox, const char *path, unsigned int rights);

/** Frees the paths. Zeroed is allowed. */
void mrl_sandbox__done(struct mrl_sandbox *sandbox);

/**
 * Gives up all that `sandbox` does not name, for good: no_new_privs, no core dumps, no ptrace by
 * others of the same user, limits, Landlock, user, capabilities (permitted, effective, inheritable,
 * ambient; the bounding set too where CAP_SETPCAP was held), and last seccomp, in every thread.
 * Blocks for about a millisecond. In a build with sanitizers, whose runtimes want more, seccomp
 * logs what it would refuse.
 *
 * Returns 0 when all of it holds; 1 when the kernel lacks a part, which `missing` names, and the
 * rest holds. Errors, with a line in `missing`: -errno of a step that should have worked; the
 * process may then have given up some of it.
 */
int mrl_sandbox__enter(const struct mrl_sandbox *sandbox, struct mrl_error *missing);

/** For who reads foreign files, and writes what it found to a descriptor that is open: only what is
 * below `below` (NULL: nothing more) may be opened, to read, with the capabilities to read it.
 * Returns and errors as mrl_sandbox__enter(). */
int mrl_sandbox__enter_reader(const char *below, struct mrl_error *missing);

/** Runs `act` as if the capabilities were gone already, and brings them back. Returns its value. So
 * it is tried, and not guessed, what will still work. -errno when it cannot be tried. */
int mrl_sandbox__without_capabilities(int (*act)(void *context), void *context);

/** Capabilities as text, "CAP_BPF, CAP_PERFMON"; "none". */
void mrl_sandbox__name_capabilities(uint64_t capabilities, char *text, size_t size);

#endif
