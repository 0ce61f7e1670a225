// SPDX-License-Identifier: Apache-2.0
/*
 * Shapes of json-v1beta1: the protobuf event of Tracee's main branch, in the JSON that it prints.
 * Keys whose value is not known are left out there, so many are optional.
 */
#include <string.h>

#include "command/schema/dialect.h"

static const struct mrl_shape u64 = MRL_NUMBER(0, UINT64_MAX);
static const struct mrl_shape u32 = MRL_NUMBER(0, UINT32_MAX);
static const struct mrl_shape text = MRL_TEXT_ANY;
static const struct mrl_shape comm = { .types = MRL_JSON_STRING,
                                       .length_min = 1,
                                       .length_max = 15 };
static const struct mrl_shape date = { .name = "time",
                                       .types = MRL_JSON_STRING,
                                       .text = &mrl_text_time };
static const struct mrl_shape truth = { .types = MRL_JSON_BOOLEAN };
static const struct mrl_shape only_true = { .types = MRL_JSON_BOOLEAN, .only_true = true };
static const struct mrl_shape null = { .types = MRL_JSON_NULL };

static const struct mrl_shape policy_names = {
    .types = MRL_JSON_ARRAY, .each = &text, .items_min = 1, .items_max = 64
};
static const struct mrl_member policies_members[] = { { "matched", &policy_names, false } };
static const struct mrl_shape policies = { .name = "policies",
                                           .types = MRL_JSON_OBJECT,
                                           MRL_MEMBERS(policies_members) };

/* -- the workload ----------------------------------------------------------------------------- */

static const struct mrl_member executable_members[] = { { "path", &text, false } };
static const struct mrl_shape executable = { .name = "executable",
                                             .types = MRL_JSON_OBJECT,
                                             MRL_MEMBERS(executable_members) };

static const struct mrl_member user_members[] = { { "id", &u32, false } };
static const struct mrl_shape user = { .name = "user",
                                       .types = MRL_JSON_OBJECT,
                                       MRL_MEMBERS(user_members) };

static const struct mrl_member address_members[] = {
    { "address", &u64, false },
    { "symbol", &text, true },
};
static const struct mrl_shape address = { .name = "address",
                                          .types = MRL_JSON_OBJECT,
                                          MRL_MEMBERS(address_members) };
static const struct mrl_shape addresses = {
    .types = MRL_JSON_ARRAY, .each = &address, .items_min = 1, .items_max = 20
};
static const struct mrl_member stack_members[] = { { "addresses", &addresses, false } };
static const struct mrl_shape stack = { .name = "stack",
                                        .types = MRL_JSON_OBJECT,
                                        MRL_MEMBERS(stack_members) };

static const struct mrl_member ancestor_members[] = {
    { "unique_id", &u32, false },
    { "host_pid", &u32, false },
    { "pid", &u32, false },
};
static const struct mrl_shape ancestor = { .name = "ancestor",
                                           .types = MRL_JSON_OBJECT,
                                           MRL_MEMBERS(ancestor_members) };
static const struct mrl_shape ancestors = { /* the parent and nobody else */
                                            .types = MRL_JSON_ARRAY,
                                            .each = &ancestor,
                                            .items_min = 1,
                                            .items_max = 1
};

static const struct mrl_shape digests = {
    .types = MRL_JSON_ARRAY, .each = &text, .items_min = 1, .items_max = 64
};
static const struct mrl_member image_members[] = {
    { "id", &text, false },
    { "repo_digests", &digests, true },
    { "name", &text, false },
};
static const struct mrl_shape image = { .name = "image",
                                        .types = MRL_JSON_OBJECT,
                                        MRL_MEMBERS(image_members) };
static const struct mrl_member container_members[] = {
    { "id", &text, false },
    { "name", &text, false },
    { "image", &image, true },
    { "started", &truth, false },
};
static const struct mrl_shape container = { .name = "container",
                                            .types = MRL_JSON_OBJECT,
                                            MRL_MEMBERS(container_members) };

static const struct mrl_member pod_members[] = {
    { "name", &text, false },
    { "uid", &text, false },
};
static const struct mrl_shape pod = { .name = "pod",
                                      .types = MRL_JSON_OBJECT,
                                      MRL_MEMBERS(pod_members) };
static const struct mrl_member namespace_members[] = { { "name", &text, false } };
static const struct mrl_shape namespace = { .name = "namespace",
                                            .types = MRL_JSON_OBJECT,
                                            MRL_MEMBERS(namespace_members) };
static const struct mrl_member k8s_members[] = {
    { "pod", &pod, false },
    { "namespace", &namespace, false },
};
static const struct mrl_shape k8s = { .name = "k8s",
                                      .types = MRL_JSON_OBJECT,
                                      MRL_MEMBERS(k8s_members) };

static struct mrl_shape object(struct mrl_shape_pool *pool,
                               const struct mrl_member *members,
                               size_t size)
{
    return (struct mrl_shape){
        .types = MRL_JSON_OBJECT,
        .members = mrl_shape_pool__copy(pool, members, size),
        .member_count = (unsigned int)(size / sizeof(*members)),
    };
}

static const struct mrl_shape *keep(struct mrl_shape_pool *pool, struct mrl_shape shape)
{
    return mrl_shape_pool__copy(pool, &shape, sizeof(shape));
}

static const struct mrl_shape *thread_shape(struct mrl_shape_pool *pool, const char *syscall)
{
    const struct mrl_member members[] = {
        { "start_time", &date, false },
        { "name", &comm, true },
        { "unique_id", &u32, false },
        { "host_tid", &u32, false },
        { "tid", &u32, false },
        { "syscall", keep(pool, mrl_shape__word(pool, syscall)), false },
        { "compat", &only_true, true },
        { "user_stack_trace", &stack, true },
    };

    return keep(pool, object(pool, members, sizeof(members)));
}

static const struct mrl_shape *workload_shape(struct mrl_shape_pool *pool, const char *syscall)
{
    const struct mrl_member process_members[] = {
        { "executable", &executable, true }, { "unique_id", &u32, false },
        { "host_pid", &u32, false },         { "pid", &u32, false },
        { "real_user", &user, false },       { "thread", thread_shape(pool, syscall), false },
        { "ancestors", &ancestors, true },
    };
    const struct mrl_member members[] = {
        { "process", keep(pool, object(pool, process_members, sizeof(process_members))), false },
        { "container", &container, true },
        { "k8s", &k8s, true },
    };

    return keep(pool, object(pool, members, sizeof(members)));
}

/* -- data ------------------------------------------------------------------------------------- */

static const struct mrl_shape u64_text = { .name = "u64",
                                           .types = MRL_JSON_STRING,
                                           .text = &mrl_text_u64 };
static const struct mrl_shape s64_text = { .name = "s64",
                                           .types = MRL_JSON_STRING,
                                           .text = &mrl_text_s64 };
static const struct mrl_shape hex = { .name = "hex",
                                      .types = MRL_JSON_STRING,
                                      .text = &mrl_text_hex };

static const struct mrl_shape *value_shape(struct mrl_shape_pool *pool, const struct mrl_kind *kind)
{
    if (kind->storage == MRL_STORAGE_TEXT)
        return &text;
    if (kind->bits < 64)
        return keep(pool, mrl_shape__integer(kind));
    return kind->storage == MRL_STORAGE_SIGNED ? &s64_text : &u64_text;
}

/* A name and one value: under the key of its type, under "str" for a pointer that Tracee has
 * decoded, or null under "value" when nothing could be read. */
static struct mrl_shape datum_shape(struct mrl_shape_pool *pool, const struct mrl_field *field)
{
    struct mrl_member members[4] = {
        { "name", keep(pool, mrl_shape__word(pool, field->name)), false },
        { field->kind->protobuf, value_shape(pool, field->kind), false },
    };
    unsigned int count = 2;
    struct mrl_shape shape;

    if (field->kind->unit == MRL_UNIT_ADDRESS)
        members[count++] = (struct mrl_member){ "str", &hex, true };
    if (field->tags & MRL_TAG_OPT)
        members[count++] = (struct mrl_member){ "value", &null, true };
    members[1].optional = count > 2;
    shape = object(pool, members, count * sizeof(members[0]));
    shape.size = count > 2 ? 2 : 0;
    shape.field = field;
    return shape;
}

/* -- an event --------------------------------------------------------------------------------- */

/* The result of a call is a datum like its arguments, behind them. */
static const struct mrl_kind return_kind = {
    .name = "S64", .storage = MRL_STORAGE_SIGNED, .bits = 64, .protobuf = "int64"
};
static const struct mrl_field return_field = { "returnValue", &return_kind, MRL_TAG_K,
                                               "What the call returned: 0, or a negative errno." };

static struct mrl_shape line_shape(struct mrl_shape_pool *pool, const struct mrl_event_def *def)
{
    bool is_call = *def->syscall;
    struct mrl_shape data =
        mrl_shape__arguments(pool, def, datum_shape, is_call ? &return_field : NULL);
    const struct mrl_shape id = MRL_NUMBER(def->protobuf_id, (unsigned int)def->protobuf_id);
    struct mrl_member members[6] = {
        { "timestamp", &date, false },
        { "id", keep(pool, id), false },
        { "name", keep(pool, mrl_shape__word(pool, def->name)), false },
        { "policies", &policies, false },
    };
    unsigned int count = 4;
    struct mrl_shape shape;

    if (is_call) /* a gap is of no task */
        members[count++] =
            (struct mrl_member){ "workload", workload_shape(pool, def->syscall), false };
    members[count++] = (struct mrl_member){ "data", keep(pool, data), false };
    shape = object(pool, members, count * sizeof(members[0]));
    shape.name = def->name;
    shape.list_key = "data";
    return shape;
}

const struct mrl_dialect mrl_dialect_v1beta1 = {
    .name = "json-v1beta1",
    .doc = "One event per line, as Tracee's main branch prints it.",
    .version = 2,
    .name_key = "name",
    .line_shape = line_shape,
};
