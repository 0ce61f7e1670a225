/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a classic JSON object that tells of the calling task. */
#ifndef MRL_ENCODE_CLASSIC_TASK_H
#define MRL_ENCODE_CLASSIC_TASK_H

#include "encode/task_text.h"

/** The pieces, in the order of the object. */
enum {
    MRL_CLASSIC_START,   /* from the comma behind the timestamp to the processor's number */
    MRL_CLASSIC_CONTEXT, /* from the process to kubernetes */
    MRL_CLASSIC_IDS,     /* from the brace that ends contextFlags to the key args */
};

/** As mrl_task_put; its context is the uint64_t that start times are cut to a multiple of. */
void mrl_classic_task__put(void *rounding_ns,
                           const struct mrl_task *task,
                           unsigned int piece,
                           struct mrl_writer *writer);

#endif
