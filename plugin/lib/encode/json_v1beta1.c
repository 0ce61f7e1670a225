// SPDX-License-Identifier: Apache-2.0
/*
 * The JSON of Tracee's main branch: its protobuf event, printed by hand there. Keys whose value is
 * not known are left out; numbers of 64 bits are strings; the return value is the last of the data.
 */
#include <abi/record.h>
#include <errno.h>
#include <stdlib.h>

#include "encode/constant_text.h"
#include "encode/encoder.h"
#include "encode/policy_names.h"
#include "encode/rfc3339.h"
#include "encode/v1beta1_task.h"
#include "enrich/entity.h"
#include "event/layout.h"

enum { FIXED_BYTES = 1024 };

/* Each byte of a string may take six. A container's id stands once, and a target has another. */
_Static_assert(FIXED_BYTES + MRL_POLICY_NAMES_JSON_MAX + MRL_LAYOUT_FIELDS_MAX * (96 + 32) +
                       6 * (2 * MRL_NAME_BYTES + 2 * MRL_CONTAINER_BYTES + 2 * MRL_EXE_TEXT_BYTES +
                            MRL_NAMES_BYTES_MAX) <
                   MRL_EVENT_TEXT_MAX,
               "no event is longer than the room that callers give");

/* A datum: what stands before its value, and where the value lies. */
struct data_text {
    struct mrl_constant_text prefix; /* {"name":"pidfd","int32": */
    size_t name_size;                /* of it, up to the end of the name */
    bool quoted;                     /* a number as a string */
    struct mrl_layout_field place;
};

/* What all events of one kind have in common. */
struct event_text {
    struct mrl_constant_text name;      /* from the end of the timestamp to the policies */
    size_t policies_at;                 /* in it */
    struct mrl_constant_text thread[2]; /* the end of a thread; by is compat */
    struct data_text data[MRL_LAYOUT_FIELDS_MAX];
    unsigned int own_count, count; /* of the data: the event's own, and with the extras */
};

struct v1beta1_encoder {
    struct mrl_encoder base;
    struct event_text events[MRL_EVENT_COUNT];
    struct mrl_v1beta1_dates dates;
    struct mrl_task_texts tasks;
};

/* -- values, by wire -------------------------------------------------------------------------- */

typedef void (*put_value)(struct mrl_writer *writer, const struct mrl_value *value);

static void put_signed(struct mrl_writer *writer, const struct mrl_value *value)
{
    mrl_put_signed(writer, value->number);
}

static void put_unsigned(struct mrl_writer *writer, const struct mrl_value *value)
{
    mrl_put_unsigned(writer, value->unsigned_number);
}

static void put_text(struct mrl_writer *writer, const struct mrl_value *value)
{
    mrl_put_valid_json_string(writer, value->text);
}

static void put_entity(struct mrl_writer *writer, const struct mrl_value *value)
{
    mrl_put_unsigned(writer, mrl_entity_id(value->entity.host_pid, value->entity.start_ns,
                                           MRL_V1BETA1_ROUNDING_NS));
}

static const put_value put_by_wire[MRL_STORAGE_COUNT] = {
    [MRL_STORAGE_SIGNED] = put_signed,
    [MRL_STORAGE_UNSIGNED] = put_unsigned,
    [MRL_STORAGE_TEXT] = put_text,
    [MRL_STORAGE_ENTITY] = put_entity,
};

/* -- the object, in Tracee's order ------------------------------------------------------------ */

static void put_datum(struct mrl_writer *writer,
                      const struct data_text *text,
                      const struct mrl_value *value)
{
    if (value->absent) {
        mrl_put_bytes(writer, text->prefix.bytes, text->name_size);
        mrl_put_literal(writer, ",\"value\":null},");
        return;
    }
    mrl_put_piece(writer, &text->prefix);
    put_by_wire[text->place.field->kind->storage](writer, value);
    if (text->quoted)
        mrl_put_char(writer, '"');
    mrl_put_literal(writer, "},");
}

static void put_fields(struct mrl_writer *writer,
                       const struct data_text *data,
                       unsigned int count,
                       const struct mrl_event *event)
{
    for (unsigned int i = 0; i < count; i++) {
        const struct mrl_value value = mrl_layout_value(&data[i].place, event);

        put_datum(writer, &data[i], &value);
    }
}

/* Each datum ends with a comma; the last one's gives way to the bracket. */
static void put_data(struct mrl_writer *writer,
                     const struct v1beta1_encoder *encoder,
                     const struct mrl_event *event)
{
    const struct event_text *text = &encoder->events[event->def->index];

    mrl_put_literal(writer, ",\"data\":[");
    put_fields(writer, text->data, text->own_count, event);
    if (*event->def->syscall) {
        mrl_put_literal(writer, "{\"name\":\"returnValue\",\"int64\":\"");
        mrl_put_signed(writer, event->return_value);
        mrl_put_literal(writer, "\"},");
    }
    put_fields(writer, text->data + text->own_count, text->count - text->own_count, event);
    writer->at--;
    mrl_put_literal(writer, "]}\n");
}

static void v1beta1_put(struct mrl_encoder *base,
                        const struct mrl_event *event,
                        struct mrl_writer *writer)
{
    struct v1beta1_encoder *encoder = (struct v1beta1_encoder *)base;
    const struct event_text *constant = &encoder->events[event->def->index];
    struct mrl_task_text task = mrl_task_texts__get(&encoder->tasks, event);
    size_t start_size = task.piece_sizes[MRL_V1BETA1_START];

    mrl_put_literal(writer, "{\"timestamp\":\"");
    if (event->entry_ns)
        mrl_put_rfc3339(writer, &encoder->dates.event, event->entry_ns);
    else
        mrl_put_literal(writer, "null");
    mrl_put_piece_with_policies(writer, &constant->name, constant->policies_at, event);
    if (start_size) {
        mrl_put_bytes(writer, task.bytes, start_size);
        mrl_put_piece(writer, &constant->thread[(event->flags & MRL_EVENT_IS_COMPAT) != 0]);
    }
    mrl_put_bytes(writer, task.bytes + start_size, task.piece_sizes[MRL_V1BETA1_END]);
    put_data(writer, encoder, event);
}

/* -- making one ------------------------------------------------------------------------------- */

static void make_datum(const struct mrl_layout_field *place, struct data_text *text)
{
    const struct mrl_field *field = place->field;

    text->place = *place;
    text->quoted = field->kind->bits == 64;
    mrl_constant_text__make(&text->prefix, "{\"name\":\"%s\"", field->name);
    /* The first text is made for its size only; the second begins with the same bytes. */
    text->name_size = text->prefix.size;
    mrl_constant_text__make(&text->prefix, "{\"name\":\"%s\",\"%s\":%s", field->name,
                            field->kind->protobuf, text->quoted ? "\"" : "");
}

static void make_event(const struct mrl_event_def *event, uint32_t extras, struct event_text *text)
{
    static const char *const compat[] = { "", ",\"compat\":true" };
    struct mrl_layout layout;

    mrl_constant_text__make(
        &text->name, "\",\"id\":%d,\"name\":\"%s\",\"policies\":{\"matched\":" MRL_NO_POLICY "}",
        event->protobuf_id, event->name);
    text->policies_at = mrl_policies_at(&text->name);
    for (int i = 0; i < 2; i++)
        mrl_constant_text__make(&text->thread[i], "%s%s%s%s}",
                                *event->syscall ? ",\"syscall\":\"" : "", event->syscall,
                                *event->syscall ? "\"" : "", compat[i]);
    mrl_layout__make(event, extras, &layout);
    text->own_count = layout.own_count;
    text->count = layout.count;
    for (unsigned int i = 0; i < layout.count; i++)
        make_datum(&layout.fields[i], &text->data[i]);
}

static int v1beta1_init(struct mrl_encoder *base, const struct mrl_encoder_options *options)
{
    struct v1beta1_encoder *encoder = (struct v1beta1_encoder *)base;

    encoder->tasks.put = mrl_v1beta1_task__put;
    encoder->tasks.context = &encoder->dates;
    encoder->tasks.with_executable = encoder->tasks.with_names = true;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        make_event(mrl_event_def__at(i), options->extras, &encoder->events[i]);
    return 0;
}

static void v1beta1_done(struct mrl_encoder *encoder)
{
    mrl_task_texts__done(&((struct v1beta1_encoder *)encoder)->tasks);
}

const struct mrl_encoder_ops mrl_json_v1beta1_encoder = {
    .name = "json-v1beta1",
    .bytes = sizeof(struct v1beta1_encoder),
    .init = v1beta1_init,
    .put = v1beta1_put,
    .done = v1beta1_done,
};
