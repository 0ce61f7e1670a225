// SPDX-License-Identifier: Apache-2.0
/* The workload of a v1beta1 JSON object, in the order of Tracee's main branch. */
#include "encode/v1beta1_task.h"

#include <string.h>

#include "enrich/entity.h"

static uint32_t entity(uint32_t host_pid, uint64_t start_ns)
{
    return mrl_entity_id(host_pid, start_ns, MRL_V1BETA1_ROUNDING_NS);
}

/* Tracee's own test for whether an event has a process. */
static bool has_process(const struct mrl_task *task)
{
    return task->event->process_id || task->words[MRL_TASK_PROCESS].size;
}

/* A name without one valid character is left out, as if the thread had no name. */
static void put_thread_name(struct mrl_text name, struct mrl_writer *writer)
{
    char *start = writer->at, *value;

    mrl_put_literal(writer, "\"name\":");
    value = writer->at;
    mrl_put_valid_json_string(writer, name);
    if (writer->at == value + 2)
        writer->at = start;
    else
        mrl_put_char(writer, ',');
}

static void put_process(const struct mrl_task *task,
                        struct mrl_date *date,
                        struct mrl_writer *writer)
{
    const struct mrl_event *event = task->event;
    /* Made once: it is written twice where the thread leads its process, as most do. */
    uint32_t thread = entity(event->host_thread_id, event->thread_start_ns);

    mrl_put_literal(writer, ",\"workload\":{\"process\":{");
    if (task->words[MRL_TASK_EXECUTABLE].size) {
        mrl_put_literal(writer, "\"executable\":{\"path\":");
        mrl_put_valid_json_string(writer, task->words[MRL_TASK_EXECUTABLE]);
        mrl_put_literal(writer, "},");
    }
    mrl_put_key(writer, "\"unique_id\":",
                mrl_task__leads(event) ? thread
                                       : entity(event->host_process_id, event->process_start_ns));
    mrl_put_key(writer, ",\"host_pid\":", event->host_process_id);
    mrl_put_key(writer, ",\"pid\":", event->process_id);
    mrl_put_key(writer, ",\"real_user\":{\"id\":", event->user_id);
    mrl_put_literal(writer, "},\"thread\":{");
    if (event->thread_start_ns) {
        mrl_put_literal(writer, "\"start_time\":\"");
        mrl_put_rfc3339(writer, date, event->thread_start_ns);
        mrl_put_literal(writer, "\",");
    }
    put_thread_name(task->words[MRL_TASK_PROCESS], writer);
    mrl_put_key(writer, "\"unique_id\":", thread);
    mrl_put_key(writer, ",\"host_tid\":", event->host_thread_id);
    mrl_put_key(writer, ",\"tid\":", event->thread_id);
}

static void put_ancestors(const struct mrl_event *event, struct mrl_writer *writer)
{
    uint32_t parent = entity(event->host_parent_process_id, event->parent_start_ns);

    if (!parent)
        return;
    mrl_put_key(writer, ",\"ancestors\":[{\"unique_id\":", parent);
    mrl_put_key(writer, ",\"host_pid\":", event->host_parent_process_id);
    mrl_put_key(writer, ",\"pid\":", event->parent_process_id);
    mrl_put_literal(writer, "}]");
}

static void put_key_text(struct mrl_writer *writer, const char *key, struct mrl_text text)
{
    mrl_put_bytes(writer, key, strlen(key));
    mrl_put_valid_json_string(writer, text);
}

static void put_image(const struct mrl_text *names, struct mrl_writer *writer)
{
    if (!names[MRL_NAME_IMAGE].size)
        return;
    mrl_put_literal(writer, ",\"image\":{\"id\":\"\"");
    if (names[MRL_NAME_IMAGE_DIGEST].size) {
        put_key_text(writer, ",\"repo_digests\":[", names[MRL_NAME_IMAGE_DIGEST]);
        mrl_put_char(writer, ']');
    }
    put_key_text(writer, ",\"name\":", names[MRL_NAME_IMAGE]);
    mrl_put_char(writer, '}');
}

static void put_pod(const struct mrl_text *names, struct mrl_writer *writer)
{
    if (!names[MRL_NAME_POD].size)
        return;
    put_key_text(writer, ",\"k8s\":{\"pod\":{\"name\":", names[MRL_NAME_POD]);
    put_key_text(writer, ",\"uid\":", names[MRL_NAME_POD_UID]);
    put_key_text(writer, "},\"namespace\":{\"name\":", names[MRL_NAME_POD_NAMESPACE]);
    mrl_put_literal(writer, "}}");
}

static void put_started(const struct mrl_task *task, struct mrl_writer *writer)
{
    if (task->event->container_starting)
        mrl_put_literal(writer, ",\"started\":false}");
    else
        mrl_put_literal(writer, ",\"started\":true}");
}

static void put_container(const struct mrl_task *task, struct mrl_writer *writer)
{
    const struct mrl_text *names = task->words + MRL_TASK_NAMES;

    put_key_text(writer, "\"container\":{\"id\":", task->words[MRL_TASK_CONTAINER]);
    if (task->word_count == MRL_TASK_PLAIN_WORDS) {
        mrl_put_literal(writer, ",\"name\":\"\"");
        put_started(task, writer);
        return;
    }
    put_key_text(writer, ",\"name\":", names[MRL_NAME_CONTAINER]);
    put_image(names, writer);
    put_started(task, writer);
    put_pod(names, writer);
}

static void put_end(const struct mrl_task *task, struct mrl_writer *writer)
{
    struct mrl_text container = task->words[MRL_TASK_CONTAINER];

    if (has_process(task)) {
        put_ancestors(task->event, writer);
        mrl_put_char(writer, '}');
    } else if (container.size) {
        mrl_put_literal(writer, ",\"workload\":{");
    } else {
        return;
    }
    if (container.size) {
        if (has_process(task))
            mrl_put_char(writer, ',');
        put_container(task, writer);
    }
    mrl_put_char(writer, '}');
}

void mrl_v1beta1_task__put(void *dates,
                           const struct mrl_task *task,
                           unsigned int piece,
                           struct mrl_writer *writer)
{
    struct mrl_v1beta1_dates *known = dates;

    if (piece == MRL_V1BETA1_START && has_process(task))
        put_process(task, &known->task, writer);
    else if (piece == MRL_V1BETA1_END)
        put_end(task, writer);
}
