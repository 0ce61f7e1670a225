// SPDX-License-Identifier: Apache-2.0
/* The object of Tracee's main branch by way of jansson; the time is printed with gmtime_r(). */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/peer.h"
#include "enrich/entity.h"

static json_t *number(uint32_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *entity(uint32_t host_pid, uint64_t start_ns)
{
    return number(mrl_entity_id(host_pid, start_ns, UINT64_C(100000000)));
}

static json_t *moment(uint64_t ns)
{
    const time_t seconds = (time_t)(ns / 1000000000);
    char date[32], text[64];
    struct tm calendar;
    size_t size;

    gmtime_r(&seconds, &calendar);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &calendar);
    size = (size_t)snprintf(text, sizeof(text), "%s.%09" PRIu64, date, ns % 1000000000);
    while (text[size - 1] == '0')
        size--;
    if (text[size - 1] == '.')
        size--;
    snprintf(text + size, sizeof(text) - size, "Z");
    return json_string(text);
}

static json_t *thread(const struct mrl_event *event)
{
    json_t *object = json_object();

    json_object_set_new(object, "start_time", moment(event->thread_start_ns));
    json_object_set_new(object, "name",
                        json_stringn(event->process_name.bytes, event->process_name.size));
    json_object_set_new(object, "unique_id", entity(event->host_thread_id, event->thread_start_ns));
    json_object_set_new(object, "host_tid", number(event->host_thread_id));
    json_object_set_new(object, "tid", number(event->thread_id));
    json_object_set_new(object, "syscall", json_string(event->def->syscall));
    return object;
}

static json_t *process(const struct mrl_event *event)
{
    json_t *object = json_object(), *user = json_object(), *executable = json_object(),
           *ancestors = json_array(), *parent = json_object();

    json_object_set_new(executable, "path",
                        json_stringn(event->executable.bytes, event->executable.size));
    if (event->executable.size)
        json_object_set(object, "executable", executable);
    json_decref(executable);
    json_object_set_new(object, "unique_id",
                        entity(event->host_process_id, event->process_start_ns));
    json_object_set_new(object, "host_pid", number(event->host_process_id));
    json_object_set_new(object, "pid", number(event->process_id));
    json_object_set_new(user, "id", number(event->user_id));
    json_object_set_new(object, "real_user", user);
    json_object_set_new(object, "thread", thread(event));
    json_object_set_new(parent, "unique_id",
                        entity(event->host_parent_process_id, event->parent_start_ns));
    json_object_set_new(parent, "host_pid", number(event->host_parent_process_id));
    json_object_set_new(parent, "pid", number(event->parent_process_id));
    json_array_append_new(ancestors, parent);
    json_object_set_new(object, "ancestors", ancestors);
    return object;
}

static json_t *unsigned_text(uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return json_string(text);
}

static json_t *signed_text(int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return json_string(text);
}

static json_t *datum(const struct mrl_field *field, const struct mrl_value *value)
{
    json_t *object = json_object(), *json;

    if (field->kind->bits == 64)
        json = unsigned_text(value->unsigned_number);
    else if (field->kind->storage == MRL_STORAGE_SIGNED)
        json = json_integer(value->number);
    else
        json = json_integer((json_int_t)value->unsigned_number);
    json_object_set_new(object, "name", json_string(field->name));
    json_object_set_new(object, field->kind->protobuf, json);
    return object;
}

json_t *bench_peer__build_v1beta1(const struct mrl_event *event)
{
    json_t *object = json_object(), *policies = json_object(), *matched = json_array(),
           *workload = json_object(), *data = json_array(), *result = json_object();

    json_object_set_new(object, "timestamp", moment(event->entry_ns));
    json_object_set_new(object, "id", json_integer(event->def->protobuf_id));
    json_object_set_new(object, "name", json_string(event->def->name));
    json_array_append_new(matched, json_string(""));
    json_object_set_new(policies, "matched", matched);
    json_object_set_new(object, "policies", policies);
    json_object_set_new(workload, "process", process(event));
    json_object_set_new(object, "workload", workload);
    for (unsigned int i = 0; i < event->def->field_count; i++)
        json_array_append_new(data, datum(&event->def->fields[i], &event->values[i]));
    json_object_set_new(result, "name", json_string("returnValue"));
    json_object_set_new(result, "int64", signed_text(event->return_value));
    json_array_append_new(data, result);
    json_object_set_new(object, "data", data);
    return object;
}
