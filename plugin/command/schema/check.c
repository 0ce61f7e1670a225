// SPDX-License-Identifier: Apache-2.0
/* The two ways of judging a line, and the rules that are of lines rather than of JSON. */
#include "command/schema/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mrl_check {
    struct mrl_schema *schema;
    struct mrl_judge *judge;
};

static int make(const struct mrl_dialect *dialect, struct mrl_check *check, struct mrl_error *error)
{
    char *text;
    int err = mrl_schema__new(dialect, &check->schema);

    if (err)
        return mrl_error__set(error, err, "out of memory");
    text = mrl_schema__text(check->schema);
    if (!text)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = mrl_judge__new(text, strlen(text), error, &check->judge);
    free(text);
    return err;
}

int mrl_check__new(const struct mrl_dialect *dialect,
                   struct mrl_error *error,
                   struct mrl_check **ret_check)
{
    struct mrl_check *check = calloc(1, sizeof(*check));
    int err;

    if (!check)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = make(dialect, check, error);
    if (err)
        mrl_check__free(check);
    else
        *ret_check = check;
    return err;
}

static int fail(struct mrl_fault *fault, const char *reason)
{
    fault->pointer[0] = '\0';
    snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return 0;
}

static bool is_blank(const char *line, size_t size)
{
    while (size && isspace((unsigned char)line[size - 1]))
        size--;
    return !size;
}

int mrl_check__line_slowly(struct mrl_check *check,
                           const char *line,
                           size_t size,
                           struct mrl_fault *ret_fault)
{
    if (size > MRL_LINE_MAX)
        return fail(ret_fault, "longer than 65535 bytes, where Tracee's own reader stops");
    if (is_blank(line, size))
        return fail(ret_fault, "empty: Tracee prints an empty line for an event that it cannot "
                               "encode, and its own reader stops there");
    return mrl_judge__check(check->judge, line, size, MRL_RULES_LINE, ret_fault);
}

int mrl_check__line(struct mrl_check *check,
                    const char *line,
                    size_t size,
                    struct mrl_fault *ret_fault)
{
    if (size <= MRL_LINE_MAX && mrl_schema__surely_holds(check->schema, line, size))
        return 1;
    return mrl_check__line_slowly(check, line, size, ret_fault);
}

const struct mrl_schema *mrl_check__schema(const struct mrl_check *check)
{
    return check->schema;
}

void mrl_check__free(struct mrl_check *check)
{
    if (!check)
        return;
    mrl_judge__free(check->judge);
    mrl_schema__free(check->schema);
    free(check);
}
