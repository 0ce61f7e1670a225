/* SPDX-License-Identifier: Apache-2.0 */
/* The registry as bytes, for another process of the same build. */
#ifndef MRL_DELIVER_METRICS_PACK_H
#define MRL_DELIVER_METRICS_PACK_H

#include <mrelease/metrics.h>

#include <sys/types.h>

/** Writes the rows into `size` bytes at `bytes`. Returns how many it took, or -ENOSPC. */
ssize_t mrl_metrics__pack(const struct mrl_metrics *metrics, char *bytes, size_t size);

/** `*ret_metrics` is new, and borrows nothing. Errors: -EPROTO these are no such bytes; -ENOMEM. */
int mrl_metrics__unpack(const char *bytes, size_t size, struct mrl_metrics **ret_metrics);

#endif
