// SPDX-License-Identifier: Apache-2.0
/* Events that a server sent, as messages and as events of ours. */
#include "side/grpc/client/received.h"

#include <string.h>
#include <tracee/v1beta1/event.pb-c.h>

#include "encode/protobuf_reader.h"

/* -- unpacking -------------------------------------------------------------------------------- */

/* Whether all fields are well formed, down to the bound. */
static bool is_sound(const ProtobufCMessageDescriptor *type, struct mrl_text bytes, int depth)
{
    struct mrl_protobuf_reader reader = { bytes.bytes, bytes.bytes + bytes.size };
    struct mrl_protobuf_field field;

    if (depth > MRL_RECEIVED_DEPTH)
        return false;
    while (reader.at < reader.end) {
        const ProtobufCFieldDescriptor *known;

        if (!mrl_protobuf_reader__next(&reader, &field))
            return false;
        known = protobuf_c_message_descriptor_get_field(type, field.number);
        if (field.wire_type == MRL_PB_BYTES && known && known->type == PROTOBUF_C_TYPE_MESSAGE &&
            !is_sound(known->descriptor, field.content, depth + 1))
            return false;
    }
    return true;
}

ProtobufCMessage *mrl_received__unpack(const ProtobufCMessageDescriptor *type,
                                       const uint8_t *bytes,
                                       size_t size)
{
    if (!is_sound(type, (struct mrl_text){ (const char *)bytes, size }, 0))
        return NULL;
    return protobuf_c_message_unpack(type, NULL, size, bytes);
}

/* -- events of ours --------------------------------------------------------------------------- */

static struct mrl_text text_of(const char *text)
{
    return (struct mrl_text){ text ? text : "", text ? strlen(text) : 0 };
}

static uint32_t number_of(const Google__Protobuf__UInt32Value *wrapped)
{
    return wrapped ? wrapped->value : 0;
}

static uint64_t ns_of(const Google__Protobuf__Timestamp *time)
{
    if (!time || time->seconds < 0 || time->seconds > UINT32_MAX || time->nanos < 0)
        return 0;
    return (uint64_t)time->seconds * 1000000000 + (uint64_t)time->nanos;
}

static bool read_number(const Tracee__V1beta1__EventValue *argument, uint64_t *ret_number)
{
    switch (argument->value_case) {
    case TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT32:
        *ret_number = (uint64_t)argument->int32;
        return true;
    case TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT64:
        *ret_number = (uint64_t)argument->int64;
        return true;
    case TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT32:
        *ret_number = argument->u_int32;
        return true;
    case TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT64:
        *ret_number = argument->u_int64;
        return true;
    case TRACEE__V1BETA1__EVENT_VALUE__VALUE_POINTER:
        *ret_number = argument->pointer;
        return true;
    default:
        return false;
    }
}

static struct mrl_value value_of(const struct mrl_field *field,
                                 const Tracee__V1beta1__EventValue *argument)
{
    struct mrl_value value = { .absent = true };

    if (field->kind->storage == MRL_STORAGE_TEXT) {
        value.text = text_of("");
        value.absent = argument->value_case != TRACEE__V1BETA1__EVENT_VALUE__VALUE_STR;
        if (!value.absent)
            value.text = text_of(argument->str);
    } else if (field->kind->storage != MRL_STORAGE_ENTITY) {
        value.absent = !read_number(argument, &value.unsigned_number);
    }
    return value;
}

/* The first of a name: extras follow Tracee's own. */
static const Tracee__V1beta1__EventValue *find(const Tracee__V1beta1__Event *message,
                                               const char *name)
{
    for (size_t i = 0; i < message->n_data; i++)
        if (!strcmp(message->data[i]->name, name))
            return message->data[i];
    return NULL;
}

static void take_values(const Tracee__V1beta1__Event *message, struct mrl_received *received)
{
    const struct mrl_event_def *def = received->event.def;
    const Tracee__V1beta1__EventValue *argument = find(message, "returnValue");
    uint64_t number = 0;

    for (unsigned int i = 0; i < def->field_count && i < MRL_RECEIVED_FIELDS; i++) {
        const Tracee__V1beta1__EventValue *its = find(message, def->fields[i].name);

        if (its)
            received->values[i] = value_of(&def->fields[i], its);
        else
            received->values[i] = (struct mrl_value){ .text = text_of(""), .absent = true };
    }
    if (argument && read_number(argument, &number))
        received->event.return_value = (int64_t)number;
}

static void take_thread(const Tracee__V1beta1__Thread *thread, struct mrl_event *event)
{
    event->process_name = text_of(thread->name);
    event->thread_id = number_of(thread->tid);
    event->host_thread_id = number_of(thread->host_tid);
    event->thread_start_ns = ns_of(thread->start_time);
    if (thread->compat)
        event->flags |= MRL_EVENT_IS_COMPAT;
    if (event->host_thread_id == event->host_process_id)
        event->process_start_ns = event->thread_start_ns;
}

static void take_process(const Tracee__V1beta1__Process *process, struct mrl_event *event)
{
    event->process_id = number_of(process->pid);
    event->host_process_id = number_of(process->host_pid);
    event->user_id = process->real_user ? number_of(process->real_user->id) : 0;
    if (process->executable)
        event->executable = text_of(process->executable->path);
    if (process->n_ancestors) {
        event->parent_process_id = number_of(process->ancestors[0]->pid);
        event->host_parent_process_id = number_of(process->ancestors[0]->host_pid);
    }
    if (process->thread)
        take_thread(process->thread, event);
}

/* What no event of ours exceeds; a server may send what it likes, and an encoder checks no bounds.
 */
enum { TEXT_BYTES_MAX = 1024, TEXTS_BYTES_MAX = 3584 };

static void bound(struct mrl_text *text, size_t *left)
{
    size_t most = *left < TEXT_BYTES_MAX ? *left : TEXT_BYTES_MAX;

    text->size = text->size < most ? text->size : most;
    *left -= text->size;
}

static void bound_texts(struct mrl_received *received)
{
    struct mrl_event *event = &received->event;
    size_t left = TEXTS_BYTES_MAX;

    bound(&event->process_name, &left);
    bound(&event->host_name, &left);
    bound(&event->container_id, &left);
    bound(&event->executable, &left);
    for (unsigned int i = 0; i < event->def->field_count; i++)
        if (event->def->fields[i].kind->storage == MRL_STORAGE_TEXT)
            bound(&received->values[i].text, &left);
}

bool mrl_received__event(const Tracee__V1beta1__Event *message, struct mrl_received *received)
{
    const Tracee__V1beta1__Workload *workload = message->workload;
    struct mrl_event *event = &received->event;

    *event = (struct mrl_event){ .def = mrl_event_def__find(message->name, NULL),
                                 .entry_ns = ns_of(message->timestamp),
                                 .process_name = text_of(""),
                                 .host_name = text_of(""),
                                 .container_id = text_of(""),
                                 .executable = text_of(""),
                                 .values = received->values };
    if (!event->def)
        return false;
    event->exit_ns = event->entry_ns;
    if (workload && workload->process)
        take_process(workload->process, event);
    if (workload && workload->container) {
        event->container_id = text_of(workload->container->id);
        event->container_starting = !workload->container->started;
    }
    take_values(message, received);
    bound_texts(received);
    return true;
}
