/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a v1beta1 JSON object that tells of the calling task: its workload. */
#ifndef MRL_ENCODE_V1BETA1_TASK_H
#define MRL_ENCODE_V1BETA1_TASK_H

#include "encode/rfc3339.h"
#include "encode/task_text.h"

#define MRL_V1BETA1_ROUNDING_NS UINT64_C(100000000)

/** The pieces, in the order of the object. */
enum {
    MRL_V1BETA1_START, /* from the comma before workload to the thread's number; empty: no process
                        */
    MRL_V1BETA1_END,   /* from the comma behind the thread to the end of workload */
};

/** Events are mostly of today; when their tasks started is another matter. */
struct mrl_v1beta1_dates {
    struct mrl_date event, task;
};

/** As mrl_task_put; its context is a struct mrl_v1beta1_dates. */
void mrl_v1beta1_task__put(void *dates,
                           const struct mrl_task *task,
                           unsigned int piece,
                           struct mrl_writer *writer);

#endif
