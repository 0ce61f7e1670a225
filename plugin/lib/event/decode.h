/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a record to an event. */
#ifndef MRL_EVENT_DECODE_H
#define MRL_EVENT_DECODE_H

#include "event/batch.h"
#include "event/host.h"
#include "event/raw.h"

/**
 * Checks a record and finds its parts. `record` and all that `raw` then points to is borrowed from
 * `bytes`, which must be aligned to 8. Error: -EBADMSG, the bytes are no record of this version.
 */
int mrl_decode__check(const void *bytes, size_t size, struct mrl_raw *raw);

/**
 * Copies a record into `batch`, which must have room for it, and appends its event. All records of
 * a batch are of one host. Error: -EBADMSG, and the batch is unchanged.
 */
int mrl_decode__append(const void *bytes,
                       size_t size,
                       struct mrl_host *host,
                       struct mrl_batch *batch);

#endif
