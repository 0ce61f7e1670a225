// SPDX-License-Identifier: Apache-2.0
/* Messages for tests. What is no UTF-8, jansson decides. */
#include "unit/messages.h"

#include <jansson.h>
#include <mrelease/extra.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "enrich/entity.h"
#include "event/host.h"
#include "unit/extras.h"
#include "unit/unit.h"

enum { VALUES_MAX = 96, TEXTS_MAX = 192 };

typedef Google__Protobuf__UInt32Value Number;

struct message {
    Tracee__V1beta1__StreamEventsResponse response;
    Tracee__V1beta1__Event event;
    Tracee__V1beta1__Policies policies;
    Tracee__V1beta1__Workload workload;
    Tracee__V1beta1__Process process, ancestor, *ancestors;
    Tracee__V1beta1__Executable executable;
    Tracee__V1beta1__User user;
    Tracee__V1beta1__Thread thread;
    Tracee__V1beta1__Container container;
    Tracee__V1beta1__ContainerImage image;
    Tracee__V1beta1__K8s k8s;
    Tracee__V1beta1__Pod pod;
    Tracee__V1beta1__K8sNamespace name_space;
    Tracee__V1beta1__DetectedFrom detected_from;
    Google__Protobuf__Timestamp time, start_time;
    Number numbers[16];
    unsigned int number_count;
    Tracee__V1beta1__EventValue values[VALUES_MAX], *value_list[VALUES_MAX];
    char *texts[TEXTS_MAX], *matched[MRL_POLICIES_MAX], *digest;
    unsigned int text_count;
    enum mrl_grpc_dialect dialect;
};

static bool is_character(const char *at, size_t size)
{
    json_t *text = json_stringn(at, size);

    json_decref(text);
    return text;
}

/* Without the bytes that are no UTF-8; and if there are any, without U+FFFD. NUL bytes: none. */
static char *cleaned(struct message *message, struct mrl_text text)
{
    char *result = calloc(1, text.size + 1), *to = result;
    bool valid = is_character(text.bytes, text.size);

    assert_non_null(result);
    assert_in_range(message->text_count, 0, TEXTS_MAX - 1);
    message->texts[message->text_count++] = result;
    for (size_t i = 0, size; i < text.size; i += size) {
        for (size = 1; size < 4 && i + size < text.size; size++)
            if (is_character(text.bytes + i, size))
                break;
        if (!is_character(text.bytes + i, size)) {
            size = 1;
            continue;
        }
        if (valid || size != 3 || memcmp(text.bytes + i, "\xef\xbf\xbd", 3) != 0) {
            memcpy(to, text.bytes + i, size);
            to += size;
        }
    }
    return result;
}

static char *literal(struct message *message, const char *text)
{
    return cleaned(message, (struct mrl_text){ text, strlen(text) });
}

static Number *number(struct message *message, uint32_t value)
{
    Number *number = &message->numbers[message->number_count++];

    google__protobuf__uint32_value__init(number);
    number->value = value;
    return number;
}

static uint32_t entity(uint32_t pid, uint64_t start_ns)
{
    return start_ns ? mrl_entity_hash(pid, start_ns / 100000000 * 100000000) : 0;
}

static Google__Protobuf__Timestamp *timestamp(Google__Protobuf__Timestamp *time, uint64_t ns)
{
    google__protobuf__timestamp__init(time);
    time->seconds = (int64_t)(ns / 1000000000);
    time->nanos = (int32_t)(ns % 1000000000);
    return ns ? time : NULL;
}

/* -- data ------------------------------------------------------------------------------------- */

static Tracee__V1beta1__EventValue *add_value(struct message *message, const char *name)
{
    size_t index = message->event.n_data++;
    Tracee__V1beta1__EventValue *value = &message->values[index];

    assert_in_range(index, 0, VALUES_MAX - 1);
    tracee__v1beta1__event_value__init(value);
    value->name = literal(message, name);
    message->value_list[index] = value;
    return value;
}

static void add_field(struct message *message,
                      const struct mrl_field *field,
                      const struct mrl_value *from)
{
    Tracee__V1beta1__EventValue *value = add_value(message, field->name);
    const char *kind = field->kind->name;

    if (from->absent)
        return;
    if (!strcmp(kind, "S32")) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT32;
        value->int32 = (int32_t)from->number;
    } else if (!strcmp(kind, "S64")) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT64;
        value->int64 = from->number;
    } else if (!strcmp(kind, "U32")) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT32;
        value->u_int32 = (uint32_t)from->unsigned_number;
    } else if (!strcmp(kind, "ENTITY")) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT32;
        value->u_int32 = entity(from->entity.host_pid, from->entity.start_ns);
    } else if (!strcmp(kind, "TEXT")) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_STR;
        value->str = cleaned(message, from->text);
    } else if (!strcmp(kind, "POINTER") && message->dialect == MRL_GRPC_MAIN) {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_POINTER;
        value->pointer = from->unsigned_number;
    } else {
        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT64;
        value->u_int64 = from->unsigned_number;
    }
}

static void add_extras(struct message *message, const struct mrl_event *event, uint32_t extras)
{
    unsigned int count;
    const struct mrl_extra *all = mrl_extra__all(&count);

    for (unsigned int i = 0; i < count; i++) {
        struct mrl_value values[MRL_EXTRA_FIELDS_MAX] = { 0 };

        if (!(extras & (1U << i)) || !mrl_extra__fits(&all[i], event->def))
            continue;
        test_extra__values(&all[i], event, values);
        for (unsigned int j = 0; j < all[i].field_count; j++)
            add_field(message, &all[i].fields[j], &values[j]);
    }
}

static void fill_data(struct message *message, const struct mrl_event *event, uint32_t extras)
{
    message->event.data = message->value_list;
    for (unsigned int i = 0; i < event->def->field_count; i++)
        add_field(message, &event->def->fields[i], &event->values[i]);
    if (*event->def->syscall) {
        Tracee__V1beta1__EventValue *value = add_value(message, "returnValue");

        value->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT64;
        value->int64 = event->return_value;
    }
    add_extras(message, event, extras);
}

/* -- the workload ----------------------------------------------------------------------------- */

static void fill_thread(struct message *message, const struct mrl_event *event)
{
    Tracee__V1beta1__Thread *thread = &message->thread;

    tracee__v1beta1__thread__init(thread);
    thread->start_time = timestamp(&message->start_time, event->thread_start_ns);
    thread->name = cleaned(message, event->process_name);
    thread->unique_id = number(message, entity(event->host_thread_id, event->thread_start_ns));
    thread->host_tid = number(message, event->host_thread_id);
    thread->tid = number(message, event->thread_id);
    thread->syscall = literal(message, event->def->syscall);
    thread->compat = event->flags & MRL_EVENT_IS_COMPAT;
}

static void fill_ancestor(struct message *message, const struct mrl_event *event)
{
    uint32_t parent = entity(event->host_parent_process_id, event->parent_start_ns);

    if (!parent)
        return;
    tracee__v1beta1__process__init(&message->ancestor);
    message->ancestor.unique_id = number(message, parent);
    message->ancestor.host_pid = number(message, event->host_parent_process_id);
    message->ancestor.pid = number(message, event->parent_process_id);
    message->ancestors = &message->ancestor;
    message->process.ancestors = &message->ancestors;
    message->process.n_ancestors = 1;
}

static void fill_process(struct message *message, const struct mrl_event *event, bool executable)
{
    Tracee__V1beta1__Process *process = &message->process;

    tracee__v1beta1__process__init(process);
    if (executable && event->executable.size) {
        tracee__v1beta1__executable__init(&message->executable);
        message->executable.path = cleaned(message, event->executable);
        process->executable = &message->executable;
    }
    process->unique_id = number(message, entity(event->host_process_id, event->process_start_ns));
    process->host_pid = number(message, event->host_process_id);
    process->pid = number(message, event->process_id);
    tracee__v1beta1__user__init(&message->user);
    message->user.id = number(message, event->user_id);
    process->real_user = &message->user;
    process->thread = &message->thread;
    fill_thread(message, event);
    fill_ancestor(message, event);
}

/* Only of one that has a name; with it, the digest. */
static void fill_image(struct message *message, const struct mrl_event *event)
{
    if (!event->container_image.size)
        return;
    tracee__v1beta1__container_image__init(&message->image);
    message->image.name = cleaned(message, event->container_image);
    message->digest = cleaned(message, event->container_image_digest);
    message->image.repo_digests = &message->digest;
    message->image.n_repo_digests = *message->digest != '\0';
    message->container.image = &message->image;
}

static void fill_pod(struct message *message, const struct mrl_event *event)
{
    if (!event->pod_name.size)
        return;
    tracee__v1beta1__k8s__init(&message->k8s);
    tracee__v1beta1__pod__init(&message->pod);
    tracee__v1beta1__k8s_namespace__init(&message->name_space);
    message->pod.name = cleaned(message, event->pod_name);
    message->pod.uid = cleaned(message, event->pod_uid);
    message->name_space.name = cleaned(message, event->pod_namespace);
    message->k8s.pod = &message->pod;
    message->k8s.namespace_ = &message->name_space;
    message->workload.k8s = &message->k8s;
}

static void fill_container(struct message *message, const struct mrl_event *event)
{
    if (!event->container_id.size)
        return;
    tracee__v1beta1__container__init(&message->container);
    message->container.id = cleaned(message, event->container_id);
    message->container.started = !event->container_starting;
    message->workload.container = &message->container;
    if (event->names_result != MRL_NAMES_KNOWN)
        return;
    message->container.name = cleaned(message, event->container_name);
    fill_image(message, event);
    fill_pod(message, event);
}

static bool shows_executable(enum mrl_grpc_dialect dialect, uint32_t extras)
{
    uint32_t exe = 0;

    assert_int_equal(mrl_extras__parse("exe", &exe, NULL), 0);
    return dialect == MRL_GRPC_MAIN || extras & exe;
}

static void fill(struct message *message, const struct mrl_event *event, uint32_t extras)
{
    struct mrl_text names[MRL_POLICIES_MAX];

    tracee__v1beta1__event__init(&message->event);
    message->event.timestamp = timestamp(&message->time, event->entry_ns);
    message->event.id = (Tracee__V1beta1__EventId)event->def->protobuf_id;
    message->event.name = literal(message, event->def->name);
    tracee__v1beta1__policies__init(&message->policies);
    message->policies.matched = message->matched;
    message->policies.n_matched = mrl_event__policies(event, names);
    for (size_t i = 0; i < message->policies.n_matched; i++)
        message->matched[i] = literal(message, names[i].bytes);
    message->event.policies = &message->policies;
    tracee__v1beta1__workload__init(&message->workload);
    message->workload.process = &message->process;
    message->event.workload = &message->workload;
    fill_process(message, event, shows_executable(message->dialect, extras));
    fill_container(message, event);
    fill_data(message, event, extras);
    tracee__v1beta1__detected_from__init(&message->detected_from);
    if (message->dialect == MRL_GRPC_V0_24)
        message->event.detected_from = &message->detected_from;
}

/* -- for tests -------------------------------------------------------------------------------- */

struct mrl_text test_message(const struct mrl_event *event,
                             enum mrl_grpc_dialect dialect,
                             uint32_t extras)
{
    struct message *message = calloc(1, sizeof(*message));
    uint8_t *bytes;
    size_t size;

    assert_non_null(message);
    message->dialect = dialect;
    fill(message, event, extras);
    tracee__v1beta1__stream_events_response__init(&message->response);
    message->response.event = &message->event;
    size = tracee__v1beta1__stream_events_response__get_packed_size(&message->response);
    bytes = malloc(size);
    assert_non_null(bytes);
    tracee__v1beta1__stream_events_response__pack(&message->response, bytes);
    for (unsigned int i = 0; i < message->text_count; i++)
        free(message->texts[i]);
    free(message);
    return (struct mrl_text){ (char *)bytes, size };
}

struct mrl_protobuf *test_protobuf(enum mrl_grpc_dialect dialect, uint32_t extras)
{
    struct mrl_protobuf *encoder = NULL;

    assert_int_equal(mrl_protobuf__new(dialect, extras, &encoder), 0);
    return encoder;
}

void assert_same_message(struct mrl_protobuf *encoder,
                         const struct mrl_event *event,
                         enum mrl_grpc_dialect dialect,
                         uint32_t extras)
{
    static char buffer[MRL_EVENT_TEXT_MAX];
    struct mrl_text own = mrl_protobuf__put(encoder, event, buffer);
    struct mrl_text wanted = test_message(event, dialect, extras);
    size_t same = 0;

    while (same < own.size && same < wanted.size && own.bytes[same] == wanted.bytes[same])
        same++;
    if (own.size != wanted.size || same < own.size)
        fail_case("%s: %zu bytes, protobuf-c packs %zu; they part at %zu", event->def->name,
                  own.size, wanted.size, same);
    free((char *)wanted.bytes);
}
