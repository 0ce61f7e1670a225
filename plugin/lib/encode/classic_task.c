// SPDX-License-Identifier: Apache-2.0
/* The task's keys of a classic JSON object, in Tracee's order. */
#include "encode/classic_task.h"

#include "enrich/entity.h"

/* Ends where the CPU is to be written, which differs from call to call. */
static void put_start(const struct mrl_task *task, struct mrl_writer *writer)
{
    mrl_put_key(writer, ",\"threadStartTime\":", task->event->thread_start_ns);
    mrl_put_literal(writer, ",\"processorId\":");
}

static void put_container(struct mrl_text id, struct mrl_writer *writer)
{
    mrl_put_literal(writer, ",\"containerId\":");
    mrl_put_json_string(writer, id);
    if (id.size) {
        mrl_put_literal(writer, ",\"container\":{\"id\":");
        mrl_put_json_string(writer, id);
        mrl_put_literal(writer, "},\"kubernetes\":{}");
    } else {
        mrl_put_literal(writer, ",\"container\":{},\"kubernetes\":{}");
    }
}

static void put_context(const struct mrl_task *task, struct mrl_writer *writer)
{
    const struct mrl_event *event = task->event;

    mrl_put_key(writer, ",\"processId\":", event->process_id);
    mrl_put_key(writer, ",\"cgroupId\":", event->cgroup_id);
    mrl_put_key(writer, ",\"threadId\":", event->thread_id);
    mrl_put_key(writer, ",\"parentProcessId\":", event->parent_process_id);
    mrl_put_key(writer, ",\"hostProcessId\":", event->host_process_id);
    mrl_put_key(writer, ",\"hostThreadId\":", event->host_thread_id);
    mrl_put_key(writer, ",\"hostParentProcessId\":", event->host_parent_process_id);
    mrl_put_key(writer, ",\"userId\":", event->user_id);
    mrl_put_key(writer, ",\"mountNamespace\":", event->mount_namespace);
    mrl_put_key(writer, ",\"pidNamespace\":", event->pid_namespace);
    mrl_put_literal(writer, ",\"processName\":");
    mrl_put_json_string(writer, task->words[MRL_TASK_PROCESS]);
    mrl_put_literal(writer, ",\"executable\":{\"path\":");
    mrl_put_json_string(writer, task->words[MRL_TASK_EXECUTABLE]);
    mrl_put_literal(writer, "},\"hostName\":");
    mrl_put_json_string(writer, task->words[MRL_TASK_HOST]);
    put_container(task->words[MRL_TASK_CONTAINER], writer);
}

static void put_ids(const struct mrl_event *event, uint64_t rounding_ns, struct mrl_writer *writer)
{
    uint32_t thread = mrl_entity_id(event->host_thread_id, event->thread_start_ns, rounding_ns);
    /* The thread that leads is the process: its hash need not be made twice. */
    uint32_t process = mrl_task__leads(event) ? thread
                                              : mrl_entity_id(event->host_process_id,
                                                              event->process_start_ns, rounding_ns);

    mrl_put_key(writer, "},\"threadEntityId\":", thread);
    mrl_put_key(writer, ",\"processEntityId\":", process);
    mrl_put_key(writer, ",\"parentEntityId\":",
                mrl_entity_id(event->host_parent_process_id, event->parent_start_ns, rounding_ns));
    mrl_put_literal(writer, ",\"args\":["); /* it stands behind each task's ids: one copy less */
}

void mrl_classic_task__put(void *rounding_ns,
                           const struct mrl_task *task,
                           unsigned int piece,
                           struct mrl_writer *writer)
{
    if (piece == MRL_CLASSIC_START)
        put_start(task, writer);
    else if (piece == MRL_CLASSIC_CONTEXT)
        put_context(task, writer);
    else
        put_ids(task->event, *(const uint64_t *)rounding_ns, writer);
}
