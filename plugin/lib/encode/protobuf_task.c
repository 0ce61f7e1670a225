// SPDX-License-Identifier: Apache-2.0
/*
 * The workload of a protobuf event. Numbers are wrapped in messages and so are there even when they
 * are 0: clients of Tracee's look into them unchecked, also in an event that no task made.
 */
#include "encode/protobuf_task.h"

#include "encode/varint.h"
#include "enrich/entity.h"

/* Field numbers of tracee.v1beta1. */
enum { PROCESS_EXECUTABLE = 1, PROCESS_UNIQUE_ID, PROCESS_HOST_PID, PROCESS_PID, PROCESS_USER };
enum { THREAD_START_TIME = 1, THREAD_NAME, THREAD_UNIQUE_ID, THREAD_HOST_TID, THREAD_TID };
enum { CONTAINER_ID = 1, CONTAINER_NAME, CONTAINER_IMAGE, CONTAINER_STARTED };
enum { IMAGE_DIGESTS = 2, IMAGE_NAME = 3, PROCESS_ANCESTORS = 7 };
enum { K8S_POD = 1, K8S_NAMESPACE = 2, POD_NAME = 1, POD_UID = 2, NAMESPACE_NAME = 1 };
enum { WORKLOAD_CONTAINER = 2, WORKLOAD_K8S = 3 };
enum { EXECUTABLE_PATH = 1, USER_ID = 1, WRAPPER_VALUE = 1, TIME_SECONDS = 1, TIME_NANOS = 2 };

static uint32_t entity(uint32_t host_pid, uint64_t start_ns)
{
    return mrl_entity_id(host_pid, start_ns, MRL_PROTOBUF_ROUNDING_NS);
}

/* google.protobuf.UInt32Value */
static void put_wrapped(struct mrl_writer *writer, unsigned int field, uint32_t value)
{
    char *start = writer->at;

    mrl_put_scalar(writer, WRAPPER_VALUE, value);
    mrl_wrap(writer, start, field);
}

static void put_text(struct mrl_writer *writer, unsigned int field, struct mrl_text text)
{
    char *start = writer->at;

    mrl_put_valid_text(writer, text);
    if (writer->at > start)
        mrl_wrap(writer, start, field);
}

static void put_process(const struct mrl_task *task, struct mrl_writer *writer)
{
    const struct mrl_event *event = task->event;
    struct mrl_text path = task->words[MRL_TASK_EXECUTABLE];
    char *start = writer->at;

    if (path.size) {
        put_text(writer, EXECUTABLE_PATH, path);
        mrl_wrap(writer, start, PROCESS_EXECUTABLE);
    }
    put_wrapped(writer, PROCESS_UNIQUE_ID, entity(event->host_process_id, event->process_start_ns));
    put_wrapped(writer, PROCESS_HOST_PID, event->host_process_id);
    put_wrapped(writer, PROCESS_PID, event->process_id);
    start = writer->at;
    put_wrapped(writer, USER_ID, event->user_id);
    mrl_wrap(writer, start, PROCESS_USER);
}

static void put_thread(const struct mrl_task *task, struct mrl_writer *writer)
{
    const struct mrl_event *event = task->event;
    char *start = writer->at;

    if (event->thread_start_ns) {
        mrl_put_scalar(writer, TIME_SECONDS, event->thread_start_ns / 1000000000);
        mrl_put_scalar(writer, TIME_NANOS, event->thread_start_ns % 1000000000);
        mrl_wrap(writer, start, THREAD_START_TIME);
    }
    put_text(writer, THREAD_NAME, task->words[MRL_TASK_PROCESS]);
    put_wrapped(writer, THREAD_UNIQUE_ID, entity(event->host_thread_id, event->thread_start_ns));
    put_wrapped(writer, THREAD_HOST_TID, event->host_thread_id);
    put_wrapped(writer, THREAD_TID, event->thread_id);
}

static void put_ancestors(const struct mrl_event *event, struct mrl_writer *writer)
{
    uint32_t parent = entity(event->host_parent_process_id, event->parent_start_ns);
    char *start = writer->at;

    if (!parent)
        return;
    put_wrapped(writer, PROCESS_UNIQUE_ID, parent);
    put_wrapped(writer, PROCESS_HOST_PID, event->host_parent_process_id);
    put_wrapped(writer, PROCESS_PID, event->parent_process_id);
    mrl_wrap(writer, start, PROCESS_ANCESTORS);
}

static void put_image(const struct mrl_text *names, struct mrl_writer *writer)
{
    char *start = writer->at;

    if (!names[MRL_NAME_IMAGE].size)
        return;
    put_text(writer, IMAGE_DIGESTS, names[MRL_NAME_IMAGE_DIGEST]);
    put_text(writer, IMAGE_NAME, names[MRL_NAME_IMAGE]);
    mrl_wrap(writer, start, CONTAINER_IMAGE);
}

static void put_pod(const struct mrl_text *names, struct mrl_writer *writer)
{
    char *start = writer->at, *namespace;

    if (!names[MRL_NAME_POD].size)
        return;
    put_text(writer, POD_NAME, names[MRL_NAME_POD]);
    put_text(writer, POD_UID, names[MRL_NAME_POD_UID]);
    mrl_wrap(writer, start, K8S_POD);
    namespace = writer->at;
    put_text(writer, NAMESPACE_NAME, names[MRL_NAME_POD_NAMESPACE]);
    mrl_wrap(writer, namespace, K8S_NAMESPACE);
    mrl_wrap(writer, start, WORKLOAD_K8S);
}

/* In proto3, what is false is left out. */
static void put_container(const struct mrl_task *task, struct mrl_writer *writer)
{
    struct mrl_text id = task->words[MRL_TASK_CONTAINER];
    const struct mrl_text *names = task->words + MRL_TASK_NAMES;
    char *start = writer->at;

    if (!id.size)
        return;
    put_text(writer, CONTAINER_ID, id);
    put_text(writer, CONTAINER_NAME, names[MRL_NAME_CONTAINER]);
    put_image(names, writer);
    if (!task->event->container_starting)
        mrl_put_scalar(writer, CONTAINER_STARTED, true);
    mrl_wrap(writer, start, WORKLOAD_CONTAINER);
    put_pod(names, writer);
}

/* One ancestor of three wrapped numbers is shorter than 128 bytes: its length is one byte. */
size_t mrl_protobuf_task__ancestors_size(const char *piece, size_t size)
{
    if (size < 2 || *piece != (char)MRL_PB_KEY(PROCESS_ANCESTORS, MRL_PB_BYTES))
        return 0;
    return 2 + (size_t)piece[1];
}

void mrl_protobuf_task__put(void *context,
                            const struct mrl_task *task,
                            unsigned int piece,
                            struct mrl_writer *writer)
{
    (void)context;
    if (piece == MRL_PROTOBUF_PROCESS) {
        put_process(task, writer);
    } else if (piece == MRL_PROTOBUF_THREAD) {
        put_thread(task, writer);
    } else {
        put_ancestors(task->event, writer);
        put_container(task, writer);
    }
}
