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
static const struct mrl_shape date = MRL_TEXT_OF("time", mrl_text_time);
static const struct mrl_shape truth = { .types = MRL_JSON_BOOLEAN };
static const struct mrl_shape only_true = { .types = MRL_JSON_BOOLEAN, .only_true = true };
static const struct mrl_shape null = { .types = MRL_JSON_NULL };

static const struct mrl_shape policy_names = MRL_LIST(text, 1, 64);
static const struct mrl_member policies_members[] = { { "matched", &policy_names, false } };
static const struct mrl_shape policies = MRL_OBJECT("policies", policies_members);

/* -- the workload ----------------------------------------------------------------------------- */

static const struct mrl_member executable_members[] = { { "path", &text, false } };
static const struct mrl_shape executable = MRL_OBJECT("executable", executable_members);

static const struct mrl_member user_members[] = { { "id", &u32, false } };
static const struct mrl_shape user = MRL_OBJECT("user", user_members);

static const struct mrl_member address_members[] = {
    { "address", &u64, false },
    { "symbol", &text, true },
};
static const struct mrl_shape address = MRL_OBJECT("address", address_members);
static const struct mrl_shape addresses = MRL_LIST(address, 1, 20);
static const struct mrl_member stack_members[] = { { "addresses", &addresses, false } };
static const struct mrl_shape stack = MRL_OBJECT("stack", stack_members);

static const struct mrl_member ancestor_members[] = {
    { "unique_id", &u32, false },
    { "host_pid", &u32, false },
    { "pid", &u32, false },
};
static const struct mrl_shape ancestor = MRL_OBJECT("ancestor", ancestor_members);
static const struct mrl_shape ancestors = { /* the parent and nobody else */
                                            .types = MRL_JSON_ARRAY,
                                            .each = &ancestor,
                                            .items_min = 1,
                                            .items_max = 1
};

static const struct mrl_shape digests = MRL_LIST(text, 1, 64);
static const struct mrl_member image_members[] = {
    { "id", &text, false },
    { "repo_digests", &digests, true },
    { "name", &text, false },
};
static const struct mrl_shape image = MRL_OBJECT("image", image_members);
static const struct mrl_member container_members[] = {
    { "id", &text, false },
    { "name", &text, false },
    { "image", &image, true },
    { "started", &truth, false },
};
static const struct mrl_shape container = MRL_OBJECT("container", container_members);

static const struct mrl_member pod_members[] = {
    { "name", &text, false },
    { "uid", &text, false },
};
static const struct mrl_shape pod = MRL_OBJECT("pod", pod_members);
static const struct mrl_member namespace_members[] = { { "name", &text, false } };
static const struct mrl_shape namespace = MRL_OBJECT("namespace", namespace_members);
static const struct mrl_member k8s_members[] = {
    { "pod", &pod, false },
    { "namespace", &namespace, false },
};
static const struct mrl_shape k8s = MRL_OBJECT("k8s", k8s_members);

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

static const struct mrl_shape u64_text = MRL_TEXT_OF("u64", mrl_text_u64);
static const struct mrl_shape s64_text = MRL_TEXT_OF("s64", mrl_text_s64);
static const struct mrl_shape hex = MRL_TEXT_OF("hex", mrl_text_hex);

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
