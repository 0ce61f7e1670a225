// SPDX-License-Identifier: Apache-2.0
/* What a task repeats in each of its events: made once, found by comparing all it depends on. */
#include "encode/task_text.h"

#include <string.h>

#include "encode/writer.h"
#include "enrich/entity.h"

static struct mrl_text cut(struct mrl_text text, size_t size)
{
    return (struct mrl_text){ text.bytes, text.size < size ? text.size : size };
}

static void make_key(const struct mrl_event *event, struct mrl_task_key *key)
{
    struct mrl_text process = cut(event->process_name, sizeof(key->process_name));
    struct mrl_text host = cut(event->host_name, sizeof(key->host_name));

    *key = (struct mrl_task_key){
        .thread_start_ns = event->thread_start_ns,
        .process_start_ns = event->process_start_ns,
        .parent_start_ns = event->parent_start_ns,
        .cgroup_id = event->cgroup_id,
        .thread_id = event->thread_id,
        .process_id = event->process_id,
        .parent_process_id = event->parent_process_id,
        .host_thread_id = event->host_thread_id,
        .host_process_id = event->host_process_id,
        .host_parent_process_id = event->host_parent_process_id,
        .user_id = event->user_id,
        .mount_namespace = event->mount_namespace,
        .pid_namespace = event->pid_namespace,
        .process_name_size = (uint16_t)process.size,
        .host_name_size = (uint16_t)host.size,
        .container_size = (uint32_t)cut(event->container_id, MRL_CONTAINER_BYTES).size,
    };
    memcpy(key->process_name, process.bytes, process.size);
    memcpy(key->host_name, host.bytes, host.size);
}

/* -- the pieces, in Tracee's order ------------------------------------------------------------ */

#define PUT_NUMBER(writer, literal, number) \
    do {                                    \
        mrl_put_literal(writer, literal);   \
        mrl_put_unsigned(writer, number);   \
    } while (0)

static void put_start(struct mrl_writer *writer, const struct mrl_task_key *key)
{
    mrl_put_literal(writer, ",\"threadStartTime\":");
    mrl_put_unsigned(writer, key->thread_start_ns);
    mrl_put_literal(writer, ",\"processorId\":");
}

static void put_container(struct mrl_writer *writer, struct mrl_text id)
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

static void put_context(struct mrl_writer *writer, const struct mrl_task_text *text)
{
    const struct mrl_task_key *key = &text->key;

    PUT_NUMBER(writer, ",\"processId\":", key->process_id);
    PUT_NUMBER(writer, ",\"cgroupId\":", key->cgroup_id);
    PUT_NUMBER(writer, ",\"threadId\":", key->thread_id);
    PUT_NUMBER(writer, ",\"parentProcessId\":", key->parent_process_id);
    PUT_NUMBER(writer, ",\"hostProcessId\":", key->host_process_id);
    PUT_NUMBER(writer, ",\"hostThreadId\":", key->host_thread_id);
    PUT_NUMBER(writer, ",\"hostParentProcessId\":", key->host_parent_process_id);
    PUT_NUMBER(writer, ",\"userId\":", key->user_id);
    PUT_NUMBER(writer, ",\"mountNamespace\":", key->mount_namespace);
    PUT_NUMBER(writer, ",\"pidNamespace\":", key->pid_namespace);
    mrl_put_literal(writer, ",\"processName\":");
    mrl_put_json_string(writer, (struct mrl_text){ key->process_name, key->process_name_size });
    mrl_put_literal(writer, ",\"executable\":{\"path\":\"\"},\"hostName\":");
    mrl_put_json_string(writer, (struct mrl_text){ key->host_name, key->host_name_size });
    put_container(writer, (struct mrl_text){ text->container, key->container_size });
}

static void put_ids(struct mrl_writer *writer, const struct mrl_task_key *key, uint64_t rounding_ns)
{
    mrl_put_literal(writer, "},\"threadEntityId\":");
    mrl_put_unsigned(writer, mrl_entity_id(key->host_thread_id, key->thread_start_ns, rounding_ns));
    mrl_put_literal(writer, ",\"processEntityId\":");
    mrl_put_unsigned(writer,
                     mrl_entity_id(key->host_process_id, key->process_start_ns, rounding_ns));
    mrl_put_literal(writer, ",\"parentEntityId\":");
    mrl_put_unsigned(writer,
                     mrl_entity_id(key->host_parent_process_id, key->parent_start_ns, rounding_ns));
    mrl_put_literal(writer, ",\"args\":[");
}

static void make_text(struct mrl_task_text *text, uint64_t rounding_ns)
{
    struct mrl_writer writer = { text->bytes };

    put_start(&writer, &text->key);
    text->start_size = (uint16_t)(writer.at - text->bytes);
    put_context(&writer, text);
    text->context_size = (uint16_t)(writer.at - text->bytes - text->start_size);
    put_ids(&writer, &text->key, rounding_ns);
    text->ids_size = (uint16_t)(writer.at - text->bytes - text->start_size - text->context_size);
}

const struct mrl_task_text *mrl_task_texts__get(struct mrl_task_texts *texts,
                                                const struct mrl_event *event,
                                                uint64_t rounding_ns)
{
    struct mrl_task_text *text = &texts->slots[event->host_thread_id % MRL_TASK_TEXTS];
    struct mrl_task_key key;

    make_key(event, &key);
    if (text->used && !memcmp(&text->key, &key, sizeof(key)) &&
        !memcmp(text->container, event->container_id.bytes, key.container_size))
        return text;
    text->key = key;
    text->used = true;
    memcpy(text->container, event->container_id.bytes, key.container_size);
    make_text(text, rounding_ns);
    return text;
}
