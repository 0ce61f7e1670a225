// SPDX-License-Identifier: Apache-2.0
/*
 * The hot encoder of the gRPC API. A message is written from its end to its start, so that each
 * length is known when its turn comes; what a kind of event and a task repeat is kept ready.
 */
#include "encode/protobuf.h"

#include <abi/record.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "encode/protobuf_task.h"
#include "encode/varint.h"
#include "enrich/entity.h"
#include "event/layout.h"

enum { FIXED_BYTES = 1024 };
enum { PIECE_BYTES = 80 };

/* No text grows; a container's id and an executable stand at most twice. */
_Static_assert(FIXED_BYTES + MRL_POLICY_NAMES_MAX + 4 * MRL_POLICIES_MAX +
                       MRL_LAYOUT_FIELDS_MAX * (PIECE_BYTES + 32) +
                       2 * (MRL_NAME_BYTES + MRL_CONTAINER_BYTES + MRL_EXE_TEXT_BYTES) +
                       MRL_NAMES_BYTES_MAX <
                   MRL_EVENT_TEXT_MAX,
               "no event is longer than the room that callers give");

/* Field numbers of tracee.v1beta1. */
enum { RESPONSE_EVENT = 1, WORKLOAD_PROCESS = 1, PROCESS_THREAD = 6 };
enum { EVENT_TIMESTAMP = 1, EVENT_ID, EVENT_NAME, EVENT_POLICIES, EVENT_WORKLOAD, EVENT_DATA };
enum { EVENT_DETECTED_FROM = 8, THREAD_SYSCALL = 6, THREAD_COMPAT = 7, VALUE_NAME = 1 };
enum { TIME_SECONDS = 1, TIME_NANOS = 2, POLICIES_MATCHED = 1 };

struct bytes {
    char bytes[PIECE_BYTES];
    size_t size;
};

/* What stands before a value, its name and the tag of the member that holds it, and where it lies.
 */
struct datum {
    struct bytes head;
    size_t name_size; /* of it, without the tag */
    struct mrl_layout_field place;
};

/* What all events of one kind have in common. */
struct constant {
    struct bytes name;    /* id, name, policies */
    size_t policies_at;   /* in it, to its end */
    struct bytes syscall; /* of a thread */
    struct datum data[MRL_LAYOUT_FIELDS_MAX];
    unsigned int own_count, count; /* of the data: the event's own, and with the extras */
};

struct mrl_protobuf {
    enum mrl_grpc_dialect dialect;
    struct constant events[MRL_EVENT_COUNT];
    struct datum return_value;
    struct mrl_task_texts tasks;
};

/* -- values, by wire -------------------------------------------------------------------------- */

typedef void (*front_value)(struct mrl_front *front, const struct mrl_value *value);

/* Protobuf extends the sign of an int32 to 64 bits as well. */
static void front_number(struct mrl_front *front, const struct mrl_value *value)
{
    mrl_front_varint(front, value->unsigned_number);
}

static void front_entity(struct mrl_front *front, const struct mrl_value *value)
{
    mrl_front_varint(front, mrl_entity_id(value->entity.host_pid, value->entity.start_ns,
                                          MRL_PROTOBUF_ROUNDING_NS));
}

static void front_text(struct mrl_front *front, const struct mrl_value *value)
{
    const char *end = front->at;

    mrl_front_valid_text(front, value->text);
    mrl_front_varint(front, (uint64_t)(end - front->at));
}

static const front_value front_by_wire[MRL_STORAGE_COUNT] = {
    [MRL_STORAGE_SIGNED] = front_number,
    [MRL_STORAGE_UNSIGNED] = front_number,
    [MRL_STORAGE_TEXT] = front_text,
    [MRL_STORAGE_ENTITY] = front_entity,
};

/* -- the message, from its end ---------------------------------------------------------------- */

/* An absent value has its name only. */
static void front_datum(struct mrl_front *front,
                        const struct datum *datum,
                        enum mrl_storage wire,
                        const struct mrl_value *value)
{
    const char *end = front->at;

    if (!value->absent)
        front_by_wire[wire](front, value);
    mrl_front_bytes(front, datum->head.bytes, value->absent ? datum->name_size : datum->head.size);
    mrl_front_wrap(front, end, EVENT_DATA);
}

static void front_extras(struct mrl_front *front,
                         const struct datum *data,
                         unsigned int count,
                         const struct mrl_event *event)
{
    /* From the last field to the first, as the whole message is written from its end. */
    while (count-- > 0) {
        const struct mrl_value value = mrl_layout_value(&data[count].place, event);

        front_datum(front, &data[count], data[count].place.field->kind->storage, &value);
    }
}

static void front_data(struct mrl_front *front,
                       const struct mrl_protobuf *encoder,
                       const struct mrl_event *event)
{
    const struct constant *constant = &encoder->events[event->def->index];
    const struct mrl_value return_value = { .number = event->return_value };

    if (constant->count > constant->own_count)
        front_extras(front, constant->data + constant->own_count,
                     constant->count - constant->own_count, event);
    if (*event->def->syscall)
        front_datum(front, &encoder->return_value, MRL_STORAGE_SIGNED, &return_value);
    /* An event's own values lie in the order of its fields. To look up where each of them lies, as
     * those of extras must be, would cost a tenth of the whole message. */
    for (unsigned int i = constant->own_count; i-- > 0;)
        front_datum(front, &constant->data[i], constant->data[i].place.field->kind->storage,
                    &event->values[i]);
}

static void front_thread(struct mrl_front *front,
                         const struct bytes *syscall,
                         struct mrl_text task,
                         bool compat)
{
    const char *end = front->at;

    if (compat) {
        *--front->at = true;
        *--front->at = (char)MRL_PB_KEY(THREAD_COMPAT, MRL_PB_VARINT);
    }
    mrl_front_bytes(front, syscall->bytes, syscall->size);
    mrl_front_bytes(front, task.bytes, task.size);
    mrl_front_wrap(front, end, PROCESS_THREAD);
}

static void front_workload(struct mrl_front *front,
                           struct mrl_protobuf *encoder,
                           const struct mrl_event *event)
{
    struct mrl_task_text task = mrl_task_texts__get(&encoder->tasks, event);
    size_t process = task.piece_sizes[MRL_PROTOBUF_PROCESS];
    size_t thread = task.piece_sizes[MRL_PROTOBUF_THREAD];
    const char *rest = task.bytes + process + thread;
    size_t rest_size = task.piece_sizes[MRL_PROTOBUF_END];
    const char *end = front->at, *process_end;

    mrl_front_bytes(front, rest, rest_size);
    process_end = front->at + mrl_protobuf_task__ancestors_size(rest, rest_size);
    front_thread(front, &encoder->events[event->def->index].syscall,
                 (struct mrl_text){ task.bytes + process, thread },
                 event->flags & MRL_EVENT_IS_COMPAT);
    mrl_front_bytes(front, task.bytes, process);
    mrl_front_wrap(front, process_end, WORKLOAD_PROCESS);
    mrl_front_wrap(front, end, EVENT_WORKLOAD);
}

static void front_scalar(struct mrl_front *front, unsigned int number, uint64_t value)
{
    if (!value)
        return;
    mrl_front_varint(front, value);
    *--front->at = (char)MRL_PB_KEY(number, MRL_PB_VARINT);
}

static void front_timestamp(struct mrl_front *front, uint64_t ns)
{
    const char *end = front->at;

    if (!ns)
        return;
    front_scalar(front, TIME_NANOS, ns % 1000000000);
    front_scalar(front, TIME_SECONDS, ns / 1000000000);
    mrl_front_wrap(front, end, EVENT_TIMESTAMP);
}

/* What kind of event it is, and which policies want it. */
static void front_name(struct mrl_front *front,
                       const struct constant *constant,
                       const struct mrl_event *event)
{
    struct mrl_text names[MRL_POLICIES_MAX];
    const char *end = front->at;

    if (!event->all_policies) {
        mrl_front_bytes(front, constant->name.bytes, constant->name.size);
        return;
    }
    for (unsigned int i = mrl_event__policies(event, names); i-- > 0;) {
        const char *name_end = front->at;

        mrl_front_bytes(front, names[i].bytes, names[i].size);
        mrl_front_wrap(front, name_end, POLICIES_MATCHED);
    }
    mrl_front_wrap(front, end, EVENT_POLICIES);
    mrl_front_bytes(front, constant->name.bytes, constant->policies_at);
}

struct mrl_text mrl_protobuf__put(struct mrl_protobuf *encoder,
                                  const struct mrl_event *event,
                                  char buffer[MRL_EVENT_TEXT_MAX])
{
    const char *end = buffer + MRL_EVENT_TEXT_MAX;
    struct mrl_front front = { buffer + MRL_EVENT_TEXT_MAX };

    if (encoder->dialect == MRL_GRPC_V0_24) /* an empty message, always */
        mrl_front_wrap(&front, front.at, EVENT_DETECTED_FROM);
    front_data(&front, encoder, event);
    front_workload(&front, encoder, event);
    front_name(&front, &encoder->events[event->def->index], event);
    front_timestamp(&front, event->entry_ns);
    mrl_front_wrap(&front, end, RESPONSE_EVENT);
    return (struct mrl_text){ front.at, (size_t)(end - front.at) };
}

/* -- making one ------------------------------------------------------------------------------- */

/* The members of EventValue that kinds name, and how they lie on the wire. v0.24 has no pointer. */
static unsigned int member_tag(const char *member, enum mrl_grpc_dialect dialect)
{
    static const struct {
        const char *name;
        unsigned int number, number_v0_24, wire_type;
    } members[] = {
        { "int32", 2, 2, MRL_PB_VARINT },   { "int64", 3, 3, MRL_PB_VARINT },
        { "u_int32", 4, 4, MRL_PB_VARINT }, { "u_int64", 5, 5, MRL_PB_VARINT },
        { "str", 6, 6, MRL_PB_BYTES },      { "pointer", 31, 5, MRL_PB_VARINT },
    };
    enum { MEMBERS = sizeof(members) / sizeof(members[0]) };
    unsigned int i = 0;

    while (i < MEMBERS - 1 && strcmp(members[i].name, member) != 0)
        i++;
    assert(!strcmp(members[i].name, member));
    return MRL_PB_KEY(dialect == MRL_GRPC_V0_24 ? members[i].number_v0_24 : members[i].number,
                      members[i].wire_type);
}

static void add_text(struct bytes *piece, unsigned int number, const char *text)
{
    struct mrl_writer writer = { piece->bytes + piece->size };
    char *start = writer.at;
    size_t size = strlen(text);

    assert(piece->size + 2 + size <= sizeof(piece->bytes) && size < 0x80);
    mrl_put_bytes(&writer, text, size);
    mrl_wrap(&writer, start, number);
    piece->size = (size_t)(writer.at - piece->bytes);
}

static void add_varint(struct bytes *piece, uint64_t number)
{
    assert(piece->size + MRL_VARINT_MAX <= sizeof(piece->bytes));
    piece->size = (size_t)(mrl_varint_store(piece->bytes + piece->size, number) - piece->bytes);
}

static void make_datum(struct datum *datum,
                       const char *name,
                       const char *member,
                       enum mrl_grpc_dialect dialect)
{
    add_text(&datum->head, VALUE_NAME, name);
    datum->name_size = datum->head.size;
    add_varint(&datum->head, member_tag(member, dialect));
}

static void make_data(struct constant *constant,
                      const struct mrl_event_def *event,
                      uint32_t extras,
                      enum mrl_grpc_dialect dialect)
{
    struct mrl_layout layout;

    mrl_layout__make(event, extras, &layout);
    constant->own_count = layout.own_count;
    constant->count = layout.count;
    for (unsigned int i = 0; i < layout.count; i++) {
        const struct mrl_field *field = layout.fields[i].field;

        make_datum(&constant->data[i], field->name, field->kind->protobuf, dialect);
        constant->data[i].place = layout.fields[i];
    }
}

static void make_event(struct constant *constant, const struct mrl_event_def *event)
{
    struct bytes policy = { .size = 0 };

    add_varint(&constant->name, MRL_PB_KEY(EVENT_ID, MRL_PB_VARINT));
    add_varint(&constant->name, (uint64_t)event->protobuf_id);
    add_text(&constant->name, EVENT_NAME, event->name);
    constant->policies_at = constant->name.size;
    /* One policy without a name: what was chosen on the command line. */
    add_text(&policy, POLICIES_MATCHED, "");
    add_varint(&constant->name, MRL_PB_KEY(EVENT_POLICIES, MRL_PB_BYTES));
    add_varint(&constant->name, policy.size);
    memcpy(constant->name.bytes + constant->name.size, policy.bytes, policy.size);
    constant->name.size += policy.size;
    if (*event->syscall)
        add_text(&constant->syscall, THREAD_SYSCALL, event->syscall);
}

int mrl_protobuf__new(enum mrl_grpc_dialect dialect,
                      uint32_t extras,
                      struct mrl_protobuf **ret_encoder)
{
    struct mrl_protobuf *encoder = calloc(1, sizeof(*encoder));

    if (!encoder)
        return -ENOMEM;
    encoder->dialect = dialect;
    encoder->tasks.put = mrl_protobuf_task__put;
    encoder->tasks.with_names = true;
    encoder->tasks.with_executable =
        dialect == MRL_GRPC_MAIN || mrl_extras__fill_executable(extras);
    make_datum(&encoder->return_value, "returnValue", "int64", dialect);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        make_event(&encoder->events[i], mrl_event_def__at(i));
        make_data(&encoder->events[i], mrl_event_def__at(i), extras, dialect);
    }
    *ret_encoder = encoder;
    return 0;
}

void mrl_protobuf__free(struct mrl_protobuf *encoder)
{
    if (encoder)
        mrl_task_texts__done(&encoder->tasks);
    free(encoder);
}
