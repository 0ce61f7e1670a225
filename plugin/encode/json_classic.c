// SPDX-License-Identifier: Apache-2.0
/*
 * The classic JSON object of Tracee (v0.20 to v0.24): one line, 31 keys in a fixed order. A dialect
 * is a row; the encoder walks the event's fields and asks their kinds.
 */
#include <abi/record.h>
#include <assert.h>
#include <errno.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>

#include "encode/encoder.h"
#include "enrich/cgroups.h"
#include "enrich/entity.h"

enum { FIELDS_MAX = 32, PREFIX_BYTES = 96, EXTRAS_MAX = 8, EXTRA_FIELDS_MAX = 16 };

/* All keys with their largest numbers and names take less than this; strings of any size come on
 * top. */
enum { FIXED_BYTES = 2048 };

/* Each byte of a string may take six. A container's id stands twice, and a target has another. */
_Static_assert(FIXED_BYTES + (FIELDS_MAX + EXTRA_FIELDS_MAX) * (PREFIX_BYTES + 32) +
                       6 * (3 * MRL_NAME_BYTES + 3 * MRL_CONTAINER_BYTES + MRL_EXE_BYTES) <
                   MRL_EVENT_TEXT_MAX,
               "no event is longer than the room that callers give");

struct dialect {
    /** Entity ids hash start times cut down to a multiple of this. */
    uint64_t rounding_ns;
    const char *(*type_of)(const struct mrl_kind *kind);
};

/* The constant text before each value: {"name":"pidfd","type":"int","value": */
struct prefix {
    char bytes[PREFIX_BYTES];
    size_t size;
};

struct classic_encoder {
    struct mrl_encoder base;
    const struct dialect *dialect;
    struct prefix prefixes[MRL_EVENT_COUNT][FIELDS_MAX];
    const struct mrl_extra *extras[EXTRAS_MAX];
    unsigned int extra_count, extra_field_count;
    struct prefix extra_prefixes[EXTRA_FIELDS_MAX];
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

static const put_value put_by_wire[MRL_WIRE_COUNT] = {
    [MRL_WIRE_SIGNED] = put_signed,
    [MRL_WIRE_UNSIGNED] = put_unsigned,
    [MRL_WIRE_TEXT] = put_text,
    [MRL_WIRE_ENTITY] = put_entity,
};

/* -- the object, in Tracee's order ------------------------------------------------------------ */

#define PUT_UNSIGNED(writer, literal, number) \
    do {                                      \
        mrl_put_literal(writer, literal);     \
        mrl_put_unsigned(writer, number);     \
    } while (0)

#define PUT_STRING(writer, literal, text)  \
    do {                                   \
        mrl_put_literal(writer, literal);  \
        mrl_put_json_string(writer, text); \
    } while (0)

static void put_task(struct mrl_writer *writer, const struct mrl_event *event)
{
    PUT_UNSIGNED(writer, "{\"timestamp\":", event->entry_ns);
    PUT_UNSIGNED(writer, ",\"threadStartTime\":", event->thread_start_ns);
    PUT_UNSIGNED(writer, ",\"processorId\":", event->cpu);
    PUT_UNSIGNED(writer, ",\"processId\":", event->process_id);
    PUT_UNSIGNED(writer, ",\"cgroupId\":", event->cgroup_id);
    PUT_UNSIGNED(writer, ",\"threadId\":", event->thread_id);
    PUT_UNSIGNED(writer, ",\"parentProcessId\":", event->parent_process_id);
    PUT_UNSIGNED(writer, ",\"hostProcessId\":", event->host_process_id);
    PUT_UNSIGNED(writer, ",\"hostThreadId\":", event->host_thread_id);
    PUT_UNSIGNED(writer, ",\"hostParentProcessId\":", event->host_parent_process_id);
    PUT_UNSIGNED(writer, ",\"userId\":", event->user_id);
    PUT_UNSIGNED(writer, ",\"mountNamespace\":", event->mount_namespace);
    PUT_UNSIGNED(writer, ",\"pidNamespace\":", event->pid_namespace);
    PUT_STRING(writer, ",\"processName\":", event->process_name);
    PUT_STRING(writer, ",\"executable\":{\"path\":\"\"},\"hostName\":", event->host_name);
    PUT_STRING(writer, ",\"containerId\":", event->container_id);
    if (event->container_id.size) {
        PUT_STRING(writer, ",\"container\":{\"id\":", event->container_id);
        mrl_put_literal(writer, "},\"kubernetes\":{}");
    } else {
        mrl_put_literal(writer, ",\"container\":{},\"kubernetes\":{}");
    }
}

static void put_bool(struct mrl_writer *writer, bool value)
{
    if (value)
        mrl_put_literal(writer, "true");
    else
        mrl_put_literal(writer, "false");
}

static void put_call(struct mrl_writer *writer,
                     const struct classic_encoder *encoder,
                     const struct mrl_event *event)
{
    const struct mrl_event_def *def = event->def;
    unsigned int arguments =
        def->field_count + (mrl_extra__fits(def) ? encoder->extra_field_count : 0);

    PUT_UNSIGNED(writer, ",\"eventId\":\"", (uint64_t)def->id);
    mrl_put_literal(writer, "\",\"eventName\":\"");
    mrl_put_bytes(writer, def->name, strlen(def->name));
    PUT_UNSIGNED(writer, "\",\"matchedPolicies\":[\"\"],\"argsNum\":", arguments);
    mrl_put_literal(writer, ",\"returnValue\":");
    mrl_put_signed(writer, event->return_value);
    mrl_put_literal(writer, ",\"syscall\":\"");
    mrl_put_bytes(writer, def->syscall, strlen(def->syscall));
    mrl_put_literal(writer, "\",\"stackAddresses\":null,\"contextFlags\":{\"containerStarted\":");
    put_bool(writer, event->container_id.size);
    mrl_put_literal(writer, ",\"isCompat\":");
    put_bool(writer, event->flags & MRL_EVENT_IS_COMPAT);
}

/* A lone thread is its process; most callers are, and then one hash serves twice. */
static void put_entities(struct mrl_writer *writer,
                         const struct mrl_event *event,
                         uint64_t rounding_ns)
{
    uint32_t thread = mrl_entity_id(event->host_thread_id, event->thread_start_ns, rounding_ns);
    uint32_t process = thread;
    uint32_t parent =
        mrl_entity_id(event->host_parent_process_id, event->parent_start_ns, rounding_ns);

    if (event->host_process_id != event->host_thread_id ||
        event->process_start_ns != event->thread_start_ns)
        process = mrl_entity_id(event->host_process_id, event->process_start_ns, rounding_ns);
    PUT_UNSIGNED(writer, "},\"threadEntityId\":", thread);
    PUT_UNSIGNED(writer, ",\"processEntityId\":", process);
    PUT_UNSIGNED(writer, ",\"parentEntityId\":", parent);
}

static void put_argument(struct mrl_writer *writer,
                         const struct classic_encoder *encoder,
                         const struct prefix *prefix,
                         const struct mrl_field *field,
                         const struct mrl_value *value)
{
    mrl_put_bytes(writer, prefix->bytes, prefix->size);
    if (value->absent)
        mrl_put_literal(writer, "null");
    else
        put_by_wire[field->kind->wire](writer, encoder->dialect, value);
    mrl_put_char(writer, '}');
}

/* Their prefixes begin with a comma, which the first argument of all does not want. */
static void put_extras(struct mrl_writer *writer,
                       const struct classic_encoder *encoder,
                       const struct mrl_event *event)
{
    const struct prefix *prefix = encoder->extra_prefixes;
    char *start = writer->at;

    for (unsigned int i = 0; i < encoder->extra_count; i++) {
        const struct mrl_extra *extra = encoder->extras[i];
        struct mrl_value values[MRL_EXTRA_FIELDS_MAX] = { 0 };

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
    const struct prefix *prefixes = encoder->prefixes[event->def->index];

    mrl_put_literal(writer, ",\"args\":[");
    for (unsigned int i = 0; i < event->def->field_count; i++)
        put_argument(writer, encoder, &prefixes[i], &event->def->fields[i], &event->values[i]);
    if (encoder->extra_count && mrl_extra__fits(event->def))
        put_extras(writer, encoder, event);
    mrl_put_literal(writer, "]}\n");
}

static void classic_put(struct mrl_encoder *base,
                        const struct mrl_event *event,
                        struct mrl_writer *writer)
{
    const struct classic_encoder *encoder = (const struct classic_encoder *)base;

    put_task(writer, event);
    put_call(writer, encoder, event);
    put_entities(writer, event, encoder->dialect->rounding_ns);
    put_args(writer, encoder, event);
}

/* -- making one ------------------------------------------------------------------------------- */

static void make_prefix(const struct dialect *dialect,
                        const struct mrl_field *field,
                        bool first,
                        struct prefix *prefix)
{
    int size = snprintf(prefix->bytes, sizeof(prefix->bytes),
                        "%s{\"name\":\"%s\",\"type\":\"%s\",\"value\":", first ? "" : ",",
                        field->name, dialect->type_of(field->kind));

    prefix->size = (size_t)size;
}

static void add_extra(struct classic_encoder *encoder, const struct mrl_extra *extra)
{
    assert(encoder->extra_count < EXTRAS_MAX &&
           encoder->extra_field_count + extra->field_count <= EXTRA_FIELDS_MAX);
    encoder->extras[encoder->extra_count++] = extra;
    for (unsigned int i = 0; i < extra->field_count; i++)
        make_prefix(encoder->dialect, &extra->fields[i], false,
                    &encoder->extra_prefixes[encoder->extra_field_count++]);
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
    for (unsigned int event = 0; event < mrl_event_def__count(); event++)
        for (unsigned int i = 0; i < mrl_event_def__at(event)->field_count; i++)
            make_prefix(dialect, &mrl_event_def__at(event)->fields[i], !i,
                        &encoder->prefixes[event][i]);
    for (unsigned int i = 0; i < extra_count; i++)
        if (options->extras & (1U << i))
            add_extra(encoder, &extras[i]);
    *ret_encoder = &encoder->base;
    return 0;
}

static void classic_destroy(struct mrl_encoder *encoder)
{
    free(encoder);
}

/* -- v0.23 ------------------------------------------------------------------------------------ */

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
