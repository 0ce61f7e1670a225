// SPDX-License-Identifier: Apache-2.0
/* The classic object by way of jansson. */
#include "bench/peer.h"

#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "enrich/entity.h"

static const struct classic {
    const char *name;
    uint64_t rounding_ns;
    bool go_types;
} classics[] = {
    { "json-v0.23", 10 * 1000 * 1000, false },
    { "json-v0.24", 100 * 1000 * 1000, true },
};

static json_t *text(struct mrl_text value)
{
    return json_stringn(value.bytes, value.size);
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void set_task(json_t *object, const struct mrl_event *event)
{
    json_t *executable = json_object();

    set_number(object, "timestamp", event->entry_ns);
    set_number(object, "threadStartTime", event->thread_start_ns);
    set_number(object, "processorId", event->cpu);
    set_number(object, "processId", event->process_id);
    set_number(object, "cgroupId", event->cgroup_id);
    set_number(object, "threadId", event->thread_id);
    set_number(object, "parentProcessId", event->parent_process_id);
    set_number(object, "hostProcessId", event->host_process_id);
    set_number(object, "hostThreadId", event->host_thread_id);
    set_number(object, "hostParentProcessId", event->host_parent_process_id);
    set_number(object, "userId", event->user_id);
    set_number(object, "mountNamespace", event->mount_namespace);
    set_number(object, "pidNamespace", event->pid_namespace);
    json_object_set_new(object, "processName", text(event->process_name));
    json_object_set_new(executable, "path", json_string(""));
    json_object_set_new(object, "executable", executable);
    json_object_set_new(object, "hostName", text(event->host_name));
}

static void set_container(json_t *object, const struct mrl_event *event)
{
    json_t *container = json_object();

    json_object_set_new(object, "containerId", text(event->container_id));
    if (event->container_id.size)
        json_object_set_new(container, "id", text(event->container_id));
    json_object_set_new(object, "container", container);
    json_object_set_new(object, "kubernetes", json_object());
}

static void set_call(json_t *object, const struct mrl_event *event)
{
    json_t *policies = json_array(), *flags = json_object();
    char id[16];

    snprintf(id, sizeof(id), "%d", event->def->id);
    json_object_set_new(object, "eventId", json_string(id));
    json_object_set_new(object, "eventName", json_string(event->def->name));
    json_array_append_new(policies, json_string(""));
    json_object_set_new(object, "matchedPolicies", policies);
    set_number(object, "argsNum", event->def->field_count);
    json_object_set_new(object, "returnValue", json_integer(event->return_value));
    json_object_set_new(object, "syscall", json_string(event->def->syscall));
    json_object_set_new(object, "stackAddresses", json_null());
    json_object_set_new(flags, "containerStarted", json_boolean(event->container_id.size));
    json_object_set_new(flags, "isCompat", json_boolean(event->flags & MRL_EVENT_IS_COMPAT));
    json_object_set_new(object, "contextFlags", flags);
}

static void set_entities(json_t *object, const struct mrl_event *event, uint64_t rounding_ns)
{
    set_number(object, "threadEntityId",
               mrl_entity_id(event->host_thread_id, event->thread_start_ns, rounding_ns));
    set_number(object, "processEntityId",
               mrl_entity_id(event->host_process_id, event->process_start_ns, rounding_ns));
    set_number(object, "parentEntityId",
               mrl_entity_id(event->host_parent_process_id, event->parent_start_ns, rounding_ns));
}

static json_t *value_of(const struct mrl_value *value, enum mrl_storage wire, uint64_t rounding_ns)
{
    if (value->absent)
        return json_null();
    switch (wire) {
    case MRL_STORAGE_SIGNED:
        return json_integer(value->number);
    case MRL_STORAGE_UNSIGNED:
        return json_integer((json_int_t)value->unsigned_number);
    case MRL_STORAGE_TEXT:
        return text(value->text);
    default:
        return json_integer(
            mrl_entity_id(value->entity.host_pid, value->entity.start_ns, rounding_ns));
    }
}

static json_t *build_classic(const struct mrl_event *event, const struct classic *classic)
{
    json_t *object = json_object(), *args = json_array();

    set_task(object, event);
    set_container(object, event);
    set_call(object, event);
    set_entities(object, event, classic->rounding_ns);
    for (unsigned int i = 0; i < event->def->field_count; i++) {
        const struct mrl_kind *kind = event->def->fields[i].kind;
        json_t *arg = json_object();

        json_object_set_new(arg, "name", json_string(event->def->fields[i].name));
        json_object_set_new(arg, "type",
                            json_string(classic->go_types ? kind->type_v0_24 : kind->type_v0_23));
        json_object_set_new(arg, "value",
                            value_of(&event->values[i], kind->storage, classic->rounding_ns));
        json_array_append_new(args, arg);
    }
    json_object_set_new(object, "args", args);
    return object;
}

json_t *bench_peer__build(const struct mrl_event *event, const char *format)
{
    for (size_t i = 0; i < sizeof(classics) / sizeof(classics[0]); i++)
        if (!strcmp(classics[i].name, format))
            return build_classic(event, &classics[i]);
    return bench_peer__build_v1beta1(event);
}

size_t bench_peer__dump(const json_t *object, char *buffer, size_t size)
{
    return json_dumpb(object, buffer, size, JSON_COMPACT | JSON_PRESERVE_ORDER);
}
