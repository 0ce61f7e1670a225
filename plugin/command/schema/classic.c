// SPDX-License-Identifier: Apache-2.0
/*
 * Shapes of the classic object: json-v0.23 and json-v0.24, which differ in their type strings only.
 * What is accepted is what Tracee of that version prints for these events, containers, pods,
 * policies, stacks and the option parse-arguments included.
 */
#include <stdio.h>
#include <string.h>

#include "command/schema/dialect.h"

/* -- what all events have in common ----------------------------------------------------------- */

static const struct mrl_shape s64 = MRL_NUMBER(INT64_MIN, INT64_MAX);
static const struct mrl_shape time_ns = MRL_NUMBER(0, INT64_MAX);
static const struct mrl_shape u64 = MRL_NUMBER(0, UINT64_MAX);
static const struct mrl_shape u32 = MRL_NUMBER(0, UINT32_MAX);
static const struct mrl_shape u16 = MRL_NUMBER(0, UINT16_MAX);
static const struct mrl_shape text = MRL_TEXT_ANY;
static const struct mrl_shape some_text = MRL_TEXT_FROM(1); /* Go leaves out what is empty */
static const struct mrl_shape comm = MRL_TEXT_UP_TO(15);
static const struct mrl_shape truth = { .types = MRL_JSON_BOOLEAN };
static const struct mrl_shape only_true = { .types = MRL_JSON_BOOLEAN, .only_true = true };

static const struct mrl_member executable_members[] = { { "path", &text, false } };
static const struct mrl_shape executable = MRL_OBJECT("executable", executable_members);

static const struct mrl_member container_members[] = {
    { "id", &some_text, true },
    { "name", &some_text, true },
    { "image", &some_text, true },
    { "imageDigest", &some_text, true },
};
static const struct mrl_shape container = MRL_OBJECT("container", container_members);

static const struct mrl_member kubernetes_members[] = {
    { "podName", &some_text, true },
    { "podNamespace", &some_text, true },
    { "podUID", &some_text, true },
    { "podSandbox", &only_true, true },
};
static const struct mrl_shape kubernetes = MRL_OBJECT("kubernetes", kubernetes_members);

/* One empty name stands for the events chosen on the command line. Tracee has 64 policies at most.
 */
static const struct mrl_shape policies = {
    .name = "policies", .types = MRL_JSON_ARRAY, .each = &text, .items_min = 1, .items_max = 64
};

/* null but with the option stack-addresses; then 20 at most. */
static const struct mrl_shape stack = {
    .name = "stack", .types = MRL_JSON_ARRAY | MRL_JSON_NULL, .each = &u64, .items_max = 20
};

static const struct mrl_member flags_members[] = {
    { "containerStarted", &truth, false },
    { "isCompat", &truth, false },
};
static const struct mrl_shape flags = MRL_OBJECT("contextFlags", flags_members);

/* The keys in Tracee's order. Those without a shape depend on the event. */
static const struct mrl_member rows[] = {
    { "timestamp", &time_ns, false },
    { "threadStartTime", &time_ns, false },
    { "processorId", &u16, false },
    { "processId", &u32, false },
    { "cgroupId", &u64, false },
    { "threadId", &u32, false },
    { "parentProcessId", &u32, false },
    { "hostProcessId", &u32, false },
    { "hostThreadId", &u32, false },
    { "hostParentProcessId", &u32, false },
    { "userId", &u32, false },
    { "mountNamespace", &u32, false },
    { "pidNamespace", &u32, false },
    { "processName", &comm, false },
    { "executable", &executable, false },
    { "hostName", &comm, false },
    { "containerId", &text, false },
    { "container", &container, false },
    { "kubernetes", &kubernetes, false },
    { "eventId", NULL, false },
    { "eventName", NULL, false },
    { "matchedPolicies", &policies, true },
    { "argsNum", NULL, false },
    { "returnValue", &s64, false },
    { "syscall", NULL, false },
    { "stackAddresses", &stack, false },
    { "contextFlags", &flags, false },
    { "threadEntityId", &u32, false },
    { "processEntityId", &u32, false },
    { "parentEntityId", &u32, false },
    { "args", NULL, false },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* -- an argument ------------------------------------------------------------------------------ */

static struct mrl_shape value_shape(const struct mrl_field *field)
{
    struct mrl_shape shape = { .types = MRL_JSON_STRING };

    if (field->kind->storage != MRL_STORAGE_TEXT)
        shape = mrl_shape__integer(field->kind);
    if (field->kind->unit == MRL_UNIT_ADDRESS) { /* parse-arguments */
        shape.types |= MRL_JSON_STRING;
        shape.text = &mrl_text_hex;
    }
    if (field->tags & MRL_TAG_OPT)
        shape.types |= MRL_JSON_NULL;
    return shape;
}

static struct mrl_shape argument_shape(struct mrl_shape_pool *pool, const struct mrl_field *field)
{
    const struct mrl_shape shapes[] = {
        mrl_shape__word(pool, field->name),
        mrl_shape__word(pool, pool->dialect->type_of(field->kind)),
        value_shape(field),
    };
    const struct mrl_shape *kept = mrl_shape_pool__copy(pool, shapes, sizeof(shapes));
    const struct mrl_member members[] = {
        { "name", &kept[0], false },
        { "type", &kept[1], false },
        { "value", &kept[2], false },
    };

    return (struct mrl_shape){
        .types = MRL_JSON_OBJECT,
        .members = mrl_shape_pool__copy(pool, members, sizeof(members)),
        .member_count = sizeof(members) / sizeof(members[0]),
        .field = field,
    };
}

/* -- an event --------------------------------------------------------------------------------- */

static struct mrl_shape id_shape(struct mrl_shape_pool *pool, const struct mrl_event_def *def)
{
    const int ids[] = { def->id_x86_64, def->id_arm64 };
    char number[16];
    const char *words[2];
    struct mrl_shape shape = { .types = MRL_JSON_STRING };

    for (unsigned int i = 0; i < 2; i++) {
        if (i && ids[i] == ids[0])
            break;
        snprintf(number, sizeof(number), "%d", ids[i]);
        words[shape.word_count++] = mrl_shape_pool__copy(pool, number, sizeof(number));
    }
    shape.words = mrl_shape_pool__copy(pool, words, sizeof(words));
    return shape;
}

/* With extras, the number is bound by what may be in the list, whatever extras there will be. */
static struct mrl_shape count_shape(const struct mrl_shape *args)
{
    return (struct mrl_shape)MRL_NUMBER(args->items_min,
                                        args->extra_count ? UINT32_MAX : args->items_max);
}

/* The shapes of the rows that have none of their own, in their order. */
static struct mrl_shape line_shape(struct mrl_shape_pool *pool, const struct mrl_event_def *def)
{
    struct mrl_shape args = mrl_shape__arguments(pool, def, argument_shape, NULL);
    const struct {
        const char *key;
        struct mrl_shape shape;
    } own[] = {
        { "eventId", id_shape(pool, def) },
        { "eventName", mrl_shape__word(pool, def->name) },
        { "argsNum", count_shape(&args) },
        { "syscall", mrl_shape__word(pool, def->syscall) },
        { "args", args },
    };
    struct mrl_member *members = mrl_shape_pool__copy(pool, rows, sizeof(rows));
    unsigned int next = 0;

    for (unsigned int i = 0; i < ROW_COUNT; i++) {
        if (members[i].shape)
            continue;
        members[i].shape = mrl_shape_pool__copy(pool, &own[next].shape, sizeof(own[next].shape));
        next++;
    }
    return (struct mrl_shape){
        .name = def->name,
        .types = MRL_JSON_OBJECT,
        .members = members,
        .member_count = ROW_COUNT,
        .count_key = "argsNum",
        .list_key = "args",
    };
}

/* -- v0.23 and v0.24 -------------------------------------------------------------------------- */

static const char *type_v0_23(const struct mrl_kind *kind)
{
    return kind->type_v0_23;
}

const struct mrl_dialect mrl_dialect_v0_23 = {
    .name = "json-v0.23",
    .doc = "One event per line, as Tracee v0.20 to v0.23 prints it.",
    .version = 2,
    .name_key = "eventName",
    .type_of = type_v0_23,
    .line_shape = line_shape,
};

static const char *type_v0_24(const struct mrl_kind *kind)
{
    return kind->type_v0_24;
}

const struct mrl_dialect mrl_dialect_v0_24 = {
    .name = "json-v0.24",
    .doc = "One event per line, as Tracee v0.24 prints it.",
    .version = 2,
    .name_key = "eventName",
    .type_of = type_v0_24,
    .line_shape = line_shape,
};
