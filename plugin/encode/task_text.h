/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a classic JSON object that a task repeats in each of its events, kept ready. Most
 * events come from few tasks, and four fifths of a line are the same each time.
 */
#ifndef MRL_ENCODE_TASK_TEXT_H
#define MRL_ENCODE_TASK_TEXT_H

#include <abi/record.h>
#include <mrelease/event.h>

#include "enrich/cgroups.h"

enum {
    MRL_TASK_TEXTS = 64, /* tasks that are remembered; a power of two */
    /* Both names, and the container's id twice, with six bytes a byte at worst. */
    MRL_TASK_TEXT_BYTES = 6 * (2 * MRL_NAME_BYTES + 2 * MRL_CONTAINER_BYTES) + 768,
};

/** Everything of an event that its text depends on; compared as bytes, so zeroed first. */
struct mrl_task_key {
    uint64_t thread_start_ns, process_start_ns, parent_start_ns, cgroup_id;
    uint32_t thread_id, process_id, parent_process_id;
    uint32_t host_thread_id, host_process_id, host_parent_process_id;
    uint32_t user_id, mount_namespace, pid_namespace;
    uint16_t process_name_size, host_name_size;
    uint32_t container_size, reserved;
    char process_name[MRL_NAME_BYTES];
    char host_name[MRL_NAME_BYTES];
};

/** The pieces, in the order of the object; other keys stand between them. */
struct mrl_task_text {
    struct mrl_task_key key;
    char container[MRL_CONTAINER_BYTES];
    bool used;
    uint16_t start_size;   /* from the comma behind the timestamp to the processor's number */
    uint16_t context_size; /* from the process to kubernetes */
    uint16_t ids_size;     /* the entity ids, and the key args */
    char bytes[MRL_TASK_TEXT_BYTES];
};

/** Zeroed is empty. */
struct mrl_task_texts {
    struct mrl_task_text slots[MRL_TASK_TEXTS];
};

/**
 * The text of the event's task, with entity ids of this rounding (the same in every call). Valid
 * until the next call. Names of more than MRL_NAME_BYTES and ids of more than MRL_CONTAINER_BYTES
 * are cut.
 */
const struct mrl_task_text *mrl_task_texts__get(struct mrl_task_texts *texts,
                                                const struct mrl_event *event,
                                                uint64_t rounding_ns);

#endif
