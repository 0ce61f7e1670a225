// SPDX-License-Identifier: Apache-2.0
/* The texts of --scope, as conditions on all events. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "filter/parse.h"

#define SCOPE_TEXT "a scope, like 'uid=0' or 'container'"

/* What all of them are made with. */
struct scoping {
    struct mrl_filter *filter;
    struct mrl_condition_of of;
    const struct mrl_start *start;
    struct mrl_error *error;
};

static int out_of_memory(struct mrl_error *error)
{
    return mrl_error__set(error, -ENOMEM, "out of memory");
}

/* A number of the event, of which only limits are asked. */
static struct mrl_filter_field field_of(const char *name,
                                        size_t offset,
                                        unsigned int flags,
                                        enum mrl_subject subject)
{
    return (struct mrl_filter_field){
        .name = name,
        .type = MRL_FILTER_NUMBER,
        .flags = MRL_FILTER_IN_SCOPE | MRL_FILTER_ORDERED | flags,
        .offset = (int)offset,
        .size = sizeof(uint64_t),
        .other_offset = MRL_FILTER_NOWHERE,
        .value = MRL_FILTER_NOWHERE,
        .subject = subject,
    };
}

/* NAME=new: from `first` on; NAME!=new: before. */
static int add_new(const struct scoping *in,
                   const struct mrl_filter_field *field,
                   enum mrl_comparison comparison,
                   uint64_t first)
{
    struct mrl_condition *condition;

    if (comparison != MRL_EQUAL && comparison != MRL_NOT_EQUAL)
        return mrl_error__set(in->error, -EINVAL, "%s=new or %s!=new", field->name, field->name);
    if (!first)
        return mrl_error__set(in->error, -EINVAL,
                              "%s: 'new' means nothing in a replay: nobody knows since when",
                              field->name);
    condition = mrl_condition__on(in->filter, field, in->of);
    if (!condition)
        return out_of_memory(in->error);
    mrl_condition__add_limit(condition, comparison == MRL_NOT_EQUAL,
                             first - (comparison == MRL_EQUAL));
    return 0;
}

/* -- containers ------------------------------------------------------------------------------- */

/* container=ID: the beginning of an id. */
static int add_id(const struct scoping *in, const struct mrl_expression *expression)
{
    const struct mrl_filter_field field = {
        .name = "container",
        .type = MRL_FILTER_TEXT,
        .flags = MRL_FILTER_IN_SCOPE | MRL_FILTER_PREFIX | MRL_FILTER_CONTAINER_ID,
        .offset = (int)offsetof(struct mrl_event, container_id),
        .size = MRL_FILTER_ID_BYTES,
        .other_offset = MRL_FILTER_NOWHERE,
        .value = MRL_FILTER_NOWHERE,
        .subject = MRL_SUBJECT_NONE,
    };

    if (strchr(expression->values, '*'))
        return mrl_error__set(in->error, -EINVAL,
                              "'%.64s' is no value of container: the beginning of an id is",
                              expression->values);
    return mrl_condition__add_expression(in->filter, &field, in->of, expression, in->error);
}

/* The kernel numbers cgroups in the order in which they are made. */
static int add_container(const struct scoping *in,
                         const struct mrl_filter_field *container,
                         const struct mrl_expression *expression)
{
    const struct mrl_filter_field cgroup =
        field_of("container", offsetof(struct mrl_event, cgroup_id), 0, MRL_SUBJECT_NONE);
    const uint64_t newest = in->start->cgroup_id;
    const bool is_new = !strcmp(expression->values, "new");

    if (mrl_expression__asks_started(expression))
        return mrl_condition__add_started(in->filter, container, in->of, in->error);
    if (!is_new)
        return add_id(in, expression);
    if (!mrl_condition__on(in->filter, container, in->of))
        return out_of_memory(in->error);
    if (!newest && in->start->boot_ns)
        return mrl_error__set(in->error, -EINVAL,
                              "container: 'new' cannot be told: the tree of cgroups is not there");
    return add_new(in, &cgroup, expression->comparison, newest ? newest + 1 : 0);
}

/* -- executables ------------------------------------------------------------------------------ */

/* "host:/PATH", "MNTNS:/PATH", "/PATH": where the path begins, and in which namespace it is. */
static int take_namespace(const struct scoping *in,
                          const char *text,
                          const char **ret_path,
                          uint32_t *ret_namespace)
{
    const char *colon = *text == '/' ? NULL : strchr(text, ':');
    unsigned long number;
    char *end;

    *ret_path = colon ? colon + 1 : text;
    *ret_namespace = 0;
    if (!colon)
        return 0;
    if (!strncmp(text, "host:", 5)) {
        *ret_namespace = in->start->mount_namespace;
        return *ret_namespace
                   ? 0
                   : mrl_error__set(in->error, -EINVAL,
                                    "'%.64s': which mount namespace is the host's is not "
                                    "known here",
                                    text);
    }
    number = strtoul(text, &end, 10);
    if (end != colon || !number || number > UINT32_MAX || *text < '0' || *text > '9')
        return mrl_error__set(in->error, -EINVAL,
                              "'%.64s': before ':' stands host, or the number of a mount namespace",
                              text);
    *ret_namespace = (uint32_t)number;
    return 0;
}

static int add_path(const struct scoping *in,
                    struct mrl_condition *condition,
                    enum mrl_comparison comparison,
                    const char *text)
{
    uint32_t mount_namespace;
    const char *path;
    char copy[PATH_MAX];
    int err = take_namespace(in, text, &path, &mount_namespace);

    if (err)
        return err;
    if (*path != '/')
        return mrl_error__set(in->error, -EINVAL,
                              "'%.64s' is no value of %s: a path begins with '/'", text,
                              condition->field.name);
    if (strlen(path) >= sizeof(copy))
        return mrl_error__set(in->error, -EINVAL, "'%.64s...' is longer than a path", text);
    strcpy(copy, path);
    err = mrl_condition__add_text(condition, comparison, copy, in->error);
    if (!err)
        condition->values[condition->value_count - 1].mount_namespace = mount_namespace;
    return err;
}

static int add_executable(const struct scoping *in,
                          const struct mrl_filter_field *field,
                          const struct mrl_expression *expression)
{
    struct mrl_condition *condition;
    char *copy, *rest, *value;
    int err = 0;

    if (expression->comparison != MRL_EQUAL && expression->comparison != MRL_NOT_EQUAL)
        return mrl_error__set(in->error, -EINVAL, "'%s' needs = or !=, and a path", field->name);
    copy = rest = strdup(expression->values);
    condition = copy ? mrl_condition__on(in->filter, field, in->of) : NULL;
    if (!condition)
        err = out_of_memory(in->error);
    while (!err && (value = strsep(&rest, ",")))
        err = add_path(in, condition, expression->comparison, value);
    in->filter->wants_executable = true;
    free(copy);
    return err;
}

/* -- all of them ------------------------------------------------------------------------------ */

static int add(const struct scoping *in,
               const struct mrl_filter_field *field,
               const struct mrl_expression *expression)
{
    const struct mrl_filter_field process =
        field_of("pid", offsetof(struct mrl_event, process_start_ns), MRL_FILTER_BOOT_TIME,
                 MRL_SUBJECT_START);

    if (!strcmp(field->name, "container") && expression->comparison != MRL_NO_OPERATOR)
        return add_container(in, field, expression);
    if (field->subject == MRL_SUBJECT_HOST_TASK && !strcmp(expression->values, "new"))
        return add_new(in, &process, expression->comparison, in->start->boot_ns);
    if (field->flags & MRL_FILTER_EXECUTABLE)
        return add_executable(in, field, expression);
    return mrl_condition__add_expression(in->filter, field, in->of, expression, in->error);
}

int mrl_condition__add_scope(struct mrl_filter *filter,
                             uint64_t policy,
                             const char *text,
                             const struct mrl_start *start,
                             struct mrl_error *error)
{
    const struct scoping in = { filter, { mrl_event_list__choosable(), policy }, start, error };
    struct mrl_expression expression = { .comparison = MRL_NO_OPERATOR };
    const struct mrl_filter_field *field;
    int err;

    if (*text == '!') /* no operator, but how Tracee once began a word */
        return mrl_filter_fields__find(MRL_FILTER_IN_SCOPE, text, error) ? 0 : -EINVAL;
    err = mrl_expression__split(&expression, text, SCOPE_TEXT, error);
    if (err)
        return err;
    if (expression.part_count != 1)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not " SCOPE_TEXT, text);
    field = mrl_filter_fields__find(MRL_FILTER_IN_SCOPE, expression.parts[0], error);
    return field ? add(&in, field, &expression) : -EINVAL;
}
