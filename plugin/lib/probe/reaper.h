/* SPDX-License-Identifier: Apache-2.0 */
/* Probes around the function that releases memory, beside those of the system calls. */
#ifndef MRL_PROBE_REAPER_H
#define MRL_PROBE_REAPER_H

#include "probe/options.h"

struct mrelease_bpf;
struct mrl_reaper;

/**
 * Loads and attaches them, by fentry (which takes 30 ms to fail: `try_fentry`) or kprobe, for calls
 * that the probes `object`, loaded already, see. Returns a new object; NULL where this kernel does
 * not let that function be probed, or without memory: targets and bytes are then those of entry and
 * exit of the call.
 */
struct mrl_reaper *mrl_reaper__open(struct mrelease_bpf *object, bool try_fentry);

/** How it is probed: "fentry" or "kprobe"; "none" for NULL. */
const char *mrl_reaper__way(const struct mrl_reaper *reaper);

/** Adds how often one of its programs was not run because it was running already. NULL is allowed.
 * Errors: -errno of bpf(). */
int mrl_reaper__missed(const struct mrl_reaper *reaper, uint64_t *missed);

/** Detaches and frees. NULL is allowed. */
void mrl_reaper__close(struct mrl_reaper *reaper);

#endif
