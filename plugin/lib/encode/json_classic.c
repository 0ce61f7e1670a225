// SPDX-License-Identifier: Apache-2.0
/*
 * The classic JSON object of Tracee (v0.20 to v0.24): one line, 31 keys in a fixed order. A dialect
 * is a row; the encoder walks the event's fields and asks their kinds.
 */
#include <abi/record.h>
#include <errno.h>
#include <stdlib.h>

#include "encode/classic_task.h"
#include "encode/constant_text.h"
#include "encode/encoder.h"
#include "encode/policy_names.h"
#include "enrich/cgroups.h"
#include "enrich/entity.h"
#include "event/layout.h"

/* All keys with their largest numbers and names take less than this; strings of any size come on
 * top. */
enum { FIXED_BYTES = 2048 };

/* Each byte of a string may take six. A container's id stands twice, and a target has another. */
_Static_assert(FIXED_BYTES + MRL_POLICY_NAMES_JSON_MAX + MRL_LAYOUT_FIELDS_MAX * (96 + 32) +
                       6 * (3 * MRL_NAME_BYTES + 3 * MRL_CONTAINER_BYTES + 2 * MRL_EXE_TEXT_BYTES +
                            MRL_NAMES_BYTES_MAX) <
                   MRL_EVENT_TEXT_MAX,
               "no event is longer than the room that callers give");

struct dialect {
    /** Entity ids hash start times cut down to a multiple of this. */
    uint64_t rounding_ns;
    const char *(*type_of)(const struct mrl_kind *kind);
};

/* What stands before a value, {"name":"pidfd","type":"int","value": and where the value lies. */
struct argument {
    struct mrl_constant_text prefix;
    struct mrl_layout_field place;
};

/* What all events of one kind have in common. */
struct event_text {
    struct mrl_constant_text name;        /* from eventId to the return value */
    size_t policies_at;                   /* in it */
    struct mrl_constant_text flags[2][2]; /* from syscall on; by in a container, is compat */
    struct argument arguments[MRL_LAYOUT_FIELDS_MAX];
    unsigned int argument_count;
};

struct classic_encoder {
    struct mrl_encoder base;
    const struct dialect *dialect;
    struct event_text events[MRL_EVENT_COUNT];
    uint64_t rounding_ns;
    struct mrl_task_texts tasks;
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

/* By how a value is stored, and not by its kind: a new kind needs no line here. */
static const put_value put_by_wire[MRL_STORAGE_COUNT] = {
    [MRL_STORAGE_SIGNED] = put_signed,
    [MRL_STORAGE_UNSIGNED] = put_unsigned,
    [MRL_STORAGE_TEXT] = put_text,
    [MRL_STORAGE_ENTITY] = put_entity,
};

/* -- the object, in Tracee's order ------------------------------------------------------------ */

static void put_argument(struct mrl_writer *writer,
                         const struct classic_encoder *encoder,
                         const struct argument *argument,
                         const struct mrl_value *value)
{
    mrl_put_piece(writer, &argument->prefix);
    if (value->absent)
        mrl_put_literal(writer, "null");
    else
        put_by_wire[argument->place.field->kind->storage](writer, encoder->dialect, value);
    mrl_put_char(writer, '}');
}

static void put_args(struct mrl_writer *writer,
                     const struct classic_encoder *encoder,
                     const struct mrl_event *event)
{
    const struct event_text *text = &encoder->events[event->def->index];

    for (unsigned int i = 0; i < text->argument_count; i++) {
        const struct mrl_value value = mrl_layout_value(&text->arguments[i].place, event);

        put_argument(writer, encoder, &text->arguments[i], &value);
    }
    mrl_put_literal(writer, "]}\n");
}

static void classic_put(struct mrl_encoder *base,
                        const struct mrl_event *event,
                        struct mrl_writer *writer)
{
    struct classic_encoder *encoder = (struct classic_encoder *)base;
    const struct event_text *constant = &encoder->events[event->def->index];
    struct mrl_task_text task = mrl_task_texts__get(&encoder->tasks, event);
    /* Only what differs from call to call is printed below. What a task and a kind of event repeat
     * is copied as bytes that were made once. */
    const char *context = task.bytes + task.piece_sizes[MRL_CLASSIC_START],
               *ids = context + task.piece_sizes[MRL_CLASSIC_CONTEXT];

    mrl_put_literal(writer, "{\"timestamp\":");
    mrl_put_unsigned(writer, event->entry_ns);
    mrl_put_bytes(writer, task.bytes, task.piece_sizes[MRL_CLASSIC_START]);
    mrl_put_unsigned(writer, event->cpu);
    mrl_put_bytes(writer, context, task.piece_sizes[MRL_CLASSIC_CONTEXT]);
    mrl_put_piece_with_policies(writer, &constant->name, constant->policies_at, event);
    mrl_put_signed(writer, event->return_value);
    mrl_put_piece(writer, &constant->flags[event->container_id.size && !event->container_starting]
                                          [(event->flags & MRL_EVENT_IS_COMPAT) != 0]);
    mrl_put_bytes(writer, ids, task.piece_sizes[MRL_CLASSIC_IDS]);
    put_args(writer, encoder, event);
}

/* -- making one ------------------------------------------------------------------------------- */

static void make_arguments(const struct classic_encoder *encoder,
                           const struct mrl_event_def *event,
                           uint32_t extras,
                           struct event_text *text)
{
    struct mrl_layout layout;

    mrl_layout__make(event, extras, &layout);
    text->argument_count = layout.count;
    for (unsigned int i = 0; i < layout.count; i++) {
        const struct mrl_field *field = layout.fields[i].field;

        text->arguments[i].place = layout.fields[i];
        mrl_constant_text__make(&text->arguments[i].prefix,
                                "%s{\"name\":\"%s\",\"type\":\"%s\",\"value\":", i ? "," : "",
                                field->name, encoder->dialect->type_of(field->kind));
    }
}

static void make_event(const struct mrl_event_def *event, struct event_text *text)
{
    static const char *const words[] = { "false", "true" };

    mrl_constant_text__make(
        &text->name,
        ",\"eventId\":\"%d\",\"eventName\":\"%s\",\"matchedPolicies\":" MRL_NO_POLICY
        ",\"argsNum\":%u,\"returnValue\":",
        event->id, event->name, text->argument_count);
    text->policies_at = mrl_policies_at(&text->name);
    /* Two flags are four texts, made once, so that an event is not pieced together from words. */
    for (int started = 0; started < 2; started++)
        for (int compat = 0; compat < 2; compat++)
            mrl_constant_text__make(&text->flags[started][compat],
                                    ",\"syscall\":\"%s\",\"stackAddresses\":null,\"contextFlags\":"
                                    "{\"containerStarted\":%s,\"isCompat\":%s",
                                    event->syscall, words[started], words[compat]);
}

/* -- the dialects ----------------------------------------------------------------------------- */

static const char *type_v0_23(const struct mrl_kind *kind)
{
    return kind->type_v0_23;
}

static const char *type_v0_24(const struct mrl_kind *kind)
{
    return kind->type_v0_24;
}

static const struct dialect v0_23 = { 10 * 1000 * 1000, type_v0_23 },
                            v0_24 = { 100 * 1000 * 1000, type_v0_24 };

static int classic_init(struct mrl_encoder *base, const struct mrl_encoder_options *options)
{
    struct classic_encoder *encoder = (struct classic_encoder *)base;

    encoder->dialect = base->ops == &mrl_json_v0_23_encoder ? &v0_23 : &v0_24;
    encoder->rounding_ns = encoder->dialect->rounding_ns;
    encoder->tasks.put = mrl_classic_task__put;
    encoder->tasks.context = &encoder->rounding_ns;
    encoder->tasks.with_names = true;
    encoder->tasks.with_executable = mrl_extras__fill_executable(options->extras);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        /* The arguments first: the name's text counts them. */
        make_arguments(encoder, mrl_event_def__at(i), options->extras, &encoder->events[i]);
        make_event(mrl_event_def__at(i), &encoder->events[i]);
    }
    return 0;
}

static void classic_done(struct mrl_encoder *encoder)
{
    mrl_task_texts__done(&((struct classic_encoder *)encoder)->tasks);
}

const struct mrl_encoder_ops mrl_json_v0_23_encoder = {
    .name = "json-v0.23",
    .bytes = sizeof(struct classic_encoder),
    .init = classic_init,
    .put = classic_put,
    .done = classic_done,
};

const struct mrl_encoder_ops mrl_json_v0_24_encoder = {
    .name = "json-v0.24",
    .bytes = sizeof(struct classic_encoder),
    .init = classic_init,
    .put = classic_put,
    .done = classic_done,
};
