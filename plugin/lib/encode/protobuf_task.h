/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a protobuf event that tells of the calling task: its workload. */
#ifndef MRL_ENCODE_PROTOBUF_TASK_H
#define MRL_ENCODE_PROTOBUF_TASK_H

#include "encode/task_text.h"

#define MRL_PROTOBUF_ROUNDING_NS UINT64_C(100000000)

/** The pieces, in the order of the message; the fields of one system call stand between them. */
enum {
    MRL_PROTOBUF_PROCESS, /* a process, up to its thread */
    MRL_PROTOBUF_THREAD,  /* a thread, up to its system call */
    MRL_PROTOBUF_END,     /* ancestors of the process, then the container of the workload */
};

/** Bytes of the ancestors that a piece MRL_PROTOBUF_END begins with. */
size_t mrl_protobuf_task__ancestors_size(const char *piece, size_t size);

/** As mrl_task_put, without context. */
void mrl_protobuf_task__put(void *context,
                            const struct mrl_task *task,
                            unsigned int piece,
                            struct mrl_writer *writer);

#endif
