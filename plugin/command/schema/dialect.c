// SPDX-License-Identifier: Apache-2.0
/* The dialects by name, and by what a line looks like. */
#include "command/schema/dialect.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const struct mrl_dialect *const dialects[] = {
    &mrl_dialect_v0_23, &mrl_dialect_v0_24, &mrl_dialect_v1beta1,
    &mrl_dialect_ecs,   &mrl_dialect_ocsf,
};

enum { DIALECT_COUNT = sizeof(dialects) / sizeof(dialects[0]) };

const struct mrl_dialect *const *mrl_dialect__all(unsigned int *ret_count)
{
    *ret_count = DIALECT_COUNT;
    return dialects;
}

const char *mrl_dialect__name(unsigned int index)
{
    return index < DIALECT_COUNT ? dialects[index]->name : NULL;
}

/* "json" is the default. NULL, with a line. */
static const struct mrl_dialect *find(const char *name, struct mrl_error *error)
{
    const char *names[DIALECT_COUNT + 1];

    if (!strcmp(name, "json"))
        return dialects[0];
    for (unsigned int i = 0; i < DIALECT_COUNT; i++) {
        if (!strcmp(dialects[i]->name, name))
            return dialects[i];
        names[i] = dialects[i]->name;
    }
    names[DIALECT_COUNT] = "json";
    mrl_error__unknown(error, "dialect", name, names, DIALECT_COUNT + 1);
    return NULL;
}

int mrl_dialect__parse(void *member, const char *name, struct mrl_error *error)
{
    const struct mrl_dialect *dialect = find(name, error);

    if (!dialect)
        return -EINVAL;
    *(const struct mrl_dialect **)member = dialect;
    return 0;
}

/* -- of a line -------------------------------------------------------------------------------- */

/* The first value behind a quoted key at or after `at`, or NULL. */
static const char *value_of(const char *at, const char *end, const char *quoted_key)
{
    size_t size = strlen(quoted_key);

    while (at && at < end && (at = memmem(at, (size_t)(end - at), quoted_key, size))) {
        at += size;
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at == end || *at != ':')
            continue;
        for (at++; at < end && isspace((unsigned char)*at); at++)
            ;
        return at < end ? at : NULL;
    }
    return NULL;
}

/* Whether any field of the table has the type string that begins at `quoted`, with its quotes. */
static bool knows_type(const struct mrl_dialect *dialect, const char *quoted, const char *end)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_event_def *def = mrl_event_def__at(i);

        for (unsigned int j = 0; j < def->field_count; j++) {
            const char *type = dialect->type_of(def->fields[j].kind);
            size_t size = strlen(type);

            if ((size_t)(end - quoted) > size + 1 && !memcmp(quoted + 1, type, size) &&
                quoted[size + 1] == '"')
                return true;
        }
    }
    return false;
}

const struct mrl_dialect *mrl_dialect__detect(const char *line, size_t size)
{
    const char *end = line + size;
    const char *value = value_of(line, end, "\"timestamp\"");

    for (unsigned int i = 0; i < DIALECT_COUNT; i++)
        if (dialects[i]->mark && value_of(line, end, dialects[i]->mark))
            return dialects[i];
    if (!value)
        return NULL;
    if (*value == '"')
        return &mrl_dialect_v1beta1;
    value = value_of(value, end, "\"type\"");
    for (unsigned int i = 0; value && *value == '"' && i < DIALECT_COUNT; i++)
        if (dialects[i]->type_of && knows_type(dialects[i], value, end))
            return dialects[i];
    return NULL;
}
