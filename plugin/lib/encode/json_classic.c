// SPDX-License-Identifier: Apache-2.0
/*
 * The classic JSON object of Tracee (v0.20 to v0.24): one line, 31 keys in a fixed order. A dialect
 * is a row; the encoder walks the event's fields and asks their kinds.
 */
#include <abi/record.h>
#include <assert.h>
#include <errno.h>
#include <mrelease/extra.h>
#include <stdlib.h>

#include "encode/classic_task.h"
#include "encode/constant_text.h"
#include "encode/encoder.h"
#include "enrich/cgroups.h"
#include "enrich/entity.h"

enum { FIELDS_MAX = 32, EXTRAS_MAX = 8, EXTRA_FIELDS_MAX = 40 };

/* All keys with their largest numbers and names take less than this; strings of any size come on
 * top. */
enum { FIXED_BYTES = 2048 };

/* Each byte of a string may take six. A container's id stands twice, and a target has another. */
_Static_assert(FIXED_BYTES + (FIELDS_MAX + EXTRA_FIELDS_MAX) * (96 + 32) +
                       6 * (3 * MRL_NAME_BYTES + 3 * MRL_CONTAINER_BYTES + 2 * MRL_EXE_TEXT_BYTES) <
                   MRL_EVENT_TEXT_MAX,
               "no event is longer than the room that callers give");

struct dialect {
    /** Entity ids hash start times cut down to a multiple of this. */
    uint64_t rounding_ns;
    const char *(*type_of)(const struct mrl_kind *kind);
};

/* What all events of one kind have in common. */
struct event_text {
    struct mrl_constant_text name;               /* from eventId to the return value */
    struct mrl_constant_text flags[2][2];        /* from syscall on; by in a container, is compat */
    struct mrl_constant_text fields[FIELDS_MAX]; /* {"name":"pidfd","type":"int","value": */
};

struct classic_encoder {
    struct mrl_encoder base;
    const struct dialect *dialect;
    struct event_text events[MRL_EVENT_COUNT];
    uint64_t rounding_ns;
    struct mrl_task_texts tasks;
    const struct mrl_extra *extras[EXTRAS_MAX];
    unsigned int extra_count, extra_field_count;
    uint32_t extended; /* bit per event that has any of them */
    struct mrl_constant_text extra_fields[EXTRA_FIELDS_MAX];
};

/* -- values, by wire -------------------------------------------------------------------------- */

typedef void (*put_value)(struct mrl_writer *writer,
                          const struct dialect *dialect,
                          const struct mrl_value *value);

static void put_signed(struct mrl_writer *writer,
                       const struct dialect *dialect,
                       const struct mrl_value *value)
{
    (void)dialect;
    mrl_put_signed(writer, value->number);
}

static void put_unsigned(struct mrl_writer *writer,
                         const struct dialect *dialect,
                         const struct mrl_value *value)
{
    (void)dialect;
    mrl_put_unsigned(writer, value->unsigned_number);
}

static void put_text(struct mrl_writer *writer,
                     const struct dialect *dialect,
                     const struct mrl_value *value)
{
    (void)dialect;
    mrl_put_json_string(writer, value->text);
}

static void put_entity(struct mrl_writer *writer,
                       const struct dialect *dialect,
                       const struct mrl_value *value)
{
    mrl_put_unsigned(writer, mrl_entity_id(value->entity.host_pid, value->entity.start_ns,
                                           dialect->rounding_ns));
}

static const put_value put_by_wire[MRL_STORAGE_COUNT] = {
    [MRL_STORAGE_SIGNED] = put_signed,
    [MRL_STORAGE_UNSIGNED] = put_unsigned,
    [MRL_STORAGE_TEXT] = put_text,
    [MRL_STORAGE_ENTITY] = put_entity,
};

/* -- the object, in Tracee's order ------------------------------------------------------------ */

static void put_argument(struct mrl_writer *writer,
                         const struct classic_encoder *encoder,
                         const struct mrl_constant_text *prefix,
                         const struct mrl_field *field,
                         const struct mrl_value *value)
{
    mrl_put_piece(writer, prefix);
    if (value->absent)
        mrl_put_literal(writer, "null");
    else
        put_by_wire[field->kind->storage](writer, encoder->dialect, value);
    mrl_put_char(writer, '}');
}

/* Their prefixes begin with a comma, which the first argument of all does not want. */
static void put_extras(struct mrl_writer *writer,
                       const struct classic_encoder *encoder,
                       const struct mrl_event *event)
{
    const struct mrl_constant_text *prefix = encoder->extra_fields;
    char *start = writer->at;

    for (unsigned int i = 0; i < encoder->extra_count; i++) {
        const struct mrl_extra *extra = encoder->extras[i];
        struct mrl_value values[MRL_EXTRA_FIELDS_MAX] = { 0 };

        if (!mrl_extra__fits(extra, event->def)) {
            prefix += extra->field_count;
            continue;
        }
        extra->compute(event, values);
        for (unsigned int j = 0; j < extra->field_count; j++)
            put_argument(writer, encoder, prefix++, &extra->fields[j], &values[j]);
    }
    if (!event->def->field_count) {
        writer->at--;
        memmove(start, start + 1, (size_t)(writer->at - start));
    }
}

static void put_args(struct mrl_writer *writer,
                     const struct classic_encoder *encoder,
                     const struct mrl_event *event)
{
    const struct mrl_constant_text *prefixes = encoder->events[event->def->index].fields;

    for (unsigned int i = 0; i < event->def->field_count; i++)
        put_argument(writer, encoder, &prefixes[i], &event->def->fields[i], &event->values[i]);
    if (encoder->extended & (1U << event->def->index))
        put_extras(writer, encoder, event);
    mrl_put_literal(writer, "]}\n");
}

static void classic_put(struct mrl_encoder *base,
                        const struct mrl_event *event,
                        struct mrl_writer *writer)
{
    struct classic_encoder *encoder = (struct classic_encoder *)base;
    const struct event_text *constant = &encoder->events[event->def->index];
    struct mrl_task_text task = mrl_task_texts__get(&encoder->tasks, event);
    const char *context = task.bytes + task.piece_sizes[MRL_CLASSIC_START],
               *ids = context + task.piece_sizes[MRL_CLASSIC_CONTEXT];

    mrl_put_literal(writer, "{\"timestamp\":");
    mrl_put_unsigned(writer, event->entry_ns);
    mrl_put_bytes(writer, task.bytes, task.piece_sizes[MRL_CLASSIC_START]);
    mrl_put_unsigned(writer, event->cpu);
    mrl_put_bytes(writer, context, task.piece_sizes[MRL_CLASSIC_CONTEXT]);
    mrl_put_piece(writer, &constant->name);
    mrl_put_signed(writer, event->return_value);
    mrl_put_piece(
        writer,
        &constant->flags[event->container_id.size > 0][(event->flags & MRL_EVENT_IS_COMPAT) != 0]);
    mrl_put_bytes(writer, ids, task.piece_sizes[MRL_CLASSIC_IDS]);
    put_args(writer, encoder, event);
}

/* -- making one ------------------------------------------------------------------------------- */

static void make_field(const struct dialect *dialect,
                       const struct mrl_field *field,
                       bool first,
                       struct mrl_constant_text *piece)
{
    mrl_constant_text__make(piece,
                            "%s{\"name\":\"%s\",\"type\":\"%s\",\"value\":", first ? "" : ",",
                            field->name, dialect->type_of(field->kind));
}

static void add_extra(struct classic_encoder *encoder, const struct mrl_extra *extra)
{
    encoder->tasks.with_executable |= extra->fills_executable;
    if (!extra->field_count)
        return;
    assert(encoder->extra_count < EXTRAS_MAX &&
           encoder->extra_field_count + extra->field_count <= EXTRA_FIELDS_MAX);
    encoder->extras[encoder->extra_count++] = extra;
    for (unsigned int i = 0; i < extra->field_count; i++)
        make_field(encoder->dialect, &extra->fields[i], false,
                   &encoder->extra_fields[encoder->extra_field_count++]);
}

static unsigned int extra_fields_of(const struct classic_encoder *encoder,
                                    const struct mrl_event_def *event)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < encoder->extra_count; i++)
        if (mrl_extra__fits(encoder->extras[i], event))
            count += encoder->extras[i]->field_count;
    return count;
}

static void make_event(const struct classic_encoder *encoder,
                       const struct mrl_event_def *event,
                       struct event_text *text)
{
    static const char *const words[] = { "false", "true" };

    mrl_constant_text__make(&text->name,
                            ",\"eventId\":\"%d\",\"eventName\":\"%s\",\"matchedPolicies\":[\"\"],"
                            "\"argsNum\":%u,\"returnValue\":",
                            event->id, event->name,
                            event->field_count + extra_fields_of(encoder, event));
    for (int started = 0; started < 2; started++)
        for (int compat = 0; compat < 2; compat++)
            mrl_constant_text__make(&text->flags[started][compat],
                                    ",\"syscall\":\"%s\",\"stackAddresses\":null,\"contextFlags\":"
                                    "{\"containerStarted\":%s,\"isCompat\":%s",
                                    event->syscall, words[started], words[compat]);
    for (unsigned int i = 0; i < event->field_count; i++)
        make_field(encoder->dialect, &event->fields[i], !i, &text->fields[i]);
}

static int classic_make(const struct dialect *dialect,
                        const struct mrl_encoder_options *options,
                        struct mrl_encoder **ret_encoder)
{
    struct classic_encoder *encoder = calloc(1, sizeof(*encoder));
    unsigned int extra_count;
    const struct mrl_extra *extras = mrl_extra__all(&extra_count);

    if (!encoder)
        return -ENOMEM;
    encoder->dialect = dialect;
    encoder->rounding_ns = dialect->rounding_ns;
    encoder->tasks.put = mrl_classic_task__put;
    encoder->tasks.context = &encoder->rounding_ns;
    for (unsigned int i = 0; i < extra_count; i++)
        if (options->extras & (1U << i))
            add_extra(encoder, &extras[i]);
    for (unsigned int event = 0; event < mrl_event_def__count(); event++) {
        const struct mrl_event_def *def = mrl_event_def__at(event);

        make_event(encoder, def, &encoder->events[event]);
        if (extra_fields_of(encoder, def))
            encoder->extended |= 1U << event;
    }
    *ret_encoder = &encoder->base;
    return 0;
}

static void classic_destroy(struct mrl_encoder *encoder)
{
    free(encoder);
}

/* -- the dialects ----------------------------------------------------------------------------- */

static const char *type_v0_23(const struct mrl_kind *kind)
{
    return kind->type_v0_23;
}

static const struct dialect v0_23 = { 10 * 1000 * 1000, type_v0_23 };

static int v0_23_make(const struct mrl_encoder_options *options, struct mrl_encoder **ret_encoder)
{
    return classic_make(&v0_23, options, ret_encoder);
}

const struct mrl_encoder_ops mrl_json_v0_23_encoder = {
    .name = "json-v0.23",
    .make = v0_23_make,
    .put = classic_put,
    .destroy = classic_destroy,
};

static const char *type_v0_24(const struct mrl_kind *kind)
{
    return kind->type_v0_24;
}

static const struct dialect v0_24 = { 100 * 1000 * 1000, type_v0_24 };

static int v0_24_make(const struct mrl_encoder_options *options, struct mrl_encoder **ret_encoder)
{
    return classic_make(&v0_24, options, ret_encoder);
}

const struct mrl_encoder_ops mrl_json_v0_24_encoder = {
    .name = "json-v0.24",
    .make = v0_24_make,
    .put = classic_put,
    .destroy = classic_destroy,
};
