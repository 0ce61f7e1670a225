// SPDX-License-Identifier: Apache-2.0
/* The validator of a build that has none. */
#include <errno.h>

#include "command/schema/judge.h"

int mrl_judge__new(const char *schema,
                   size_t size,
                   struct mrl_error *error,
                   struct mrl_judge **ret_judge)
{
    (void)schema;
    (void)size;
    (void)ret_judge;
    return mrl_error__set(error, -ENOTSUP,
                          "this build cannot validate: it was made with MRELEASE_VALIDATE=OFF");
}

int mrl_judge__check(struct mrl_judge *judge,
                     const char *text,
                     size_t size,
                     enum mrl_judge_rules rules,
                     struct mrl_fault *ret_fault)
{
    (void)judge;
    (void)text;
    (void)size;
    (void)rules;
    (void)ret_fault;
    return -ENOTSUP;
}

void mrl_judge__free(struct mrl_judge *judge)
{
    (void)judge;
}
