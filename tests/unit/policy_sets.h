/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of tests: read, with all that is said of them, and what the plugin is given. */
#ifndef MRL_TESTS_POLICY_SETS_H
#define MRL_TESTS_POLICY_SETS_H

#include "command/policy/policy.h"
#include "command/policy/tracee.h"

#define POLICY_HEAD(name) \
    "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata: {name: " name "}\nspec:\n"
#define POLICY_OF(name) POLICY_HEAD(name) "  scope: [global]\n  rules: [{event: mlock}]\n"

enum { SAID_BYTES = 16384, JOINED_BYTES = 512 };

struct test_policies {
    struct mrl_policy_set set;
    int err;
    char said[SAID_BYTES];     /* a line each; faults begin with '!' */
    char joined[JOINED_BYTES]; /* "name: scopes; events|" of each, as the plugin is given them */
};

/** Reads a text, which is called F. */
void test_policies__parse(struct test_policies *test, enum mrl_tracee tracee, const char *text);

/** Reads a path; `is_again`: as a reload does. */
void test_policies__read(struct test_policies *test, const char *path, bool is_again);

void test_policies__done(struct test_policies *test);

#endif
