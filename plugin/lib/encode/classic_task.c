// SPDX-License-Identifier: Apache-2.0
/* The task's keys of a classic JSON object, in Tracee's order. */
#include "encode/classic_task.h"

#include <string.h>

#include "enrich/entity.h"

/* Ends where the CPU is to be written, which differs from call to call. */
static void put_start(const struct mrl_task *task, struct mrl_writer *writer)
{
    mrl_put_key(writer, ",\"threadStartTime\":", task->event->thread_start_ns);
    mrl_put_literal(writer, ",\"processorId\":");
}

/* Tracee leaves out what is empty. */
static void put_name(const struct mrl_task *task,
                     enum mrl_name name,
                     struct mrl_writer *writer,
                     const char *key)
{
    struct mrl_text text = task->words[MRL_TASK_NAMES + name];

    if (!text.size)
        return;
    mrl_put_bytes(writer, key, strlen(key));
    mrl_put_json_string(writer, text);
}

/* The first key has no comma before it. */
static void put_kubernetes(const struct mrl_task *task, struct mrl_writer *writer)
{
    char *start = writer->at;

    put_name(task, MRL_NAME_POD, writer, ",\"podName\":");
    put_name(task, MRL_NAME_POD_NAMESPACE, writer, ",\"podNamespace\":");
    put_name(task, MRL_NAME_POD_UID, writer, ",\"podUID\":");
    if (task->event->pod_sandbox)
        mrl_put_literal(writer, ",\"podSandbox\":true");
    if (writer->at > start)
        *start = '{';
    else
        mrl_put_char(writer, '{');
    mrl_put_char(writer, '}');
}

static void put_container(const struct mrl_task *task, struct mrl_writer *writer)
{
    struct mrl_text id = task->words[MRL_TASK_CONTAINER];

    mrl_put_literal(writer, ",\"containerId\":");
    mrl_put_json_string(writer, id);
    if (!id.size) {
        mrl_put_literal(writer, ",\"container\":{},\"kubernetes\":{}");
        return;
    }
    mrl_put_literal(writer, ",\"container\":{\"id\":");
    mrl_put_json_string(writer, id);
    if (task->word_count == MRL_TASK_PLAIN_WORDS) {
        mrl_put_literal(writer, "},\"kubernetes\":{}");
        return;
    }
    put_name(task, MRL_NAME_CONTAINER, writer, ",\"name\":");
    put_name(task, MRL_NAME_IMAGE, writer, ",\"image\":");
    put_name(task, MRL_NAME_IMAGE_DIGEST, writer, ",\"imageDigest\":");
    mrl_put_literal(writer, "},\"kubernetes\":");
    put_kubernetes(task, writer);
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
    put_container(task, writer);
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
