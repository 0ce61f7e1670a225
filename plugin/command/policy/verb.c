// SPDX-License-Identifier: Apache-2.0
/* The verb policy: looks at policy files before a run does. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/policy/explain.h"
#include "command/policy/tracee.h"

enum { ACTION_COUNT = 2 };

static const char *const actions[ACTION_COUNT] = { "check", "explain" };

struct policy_options {
    int tracee;
};

static const struct mrl_option rows[] = {
    { .name = "tracee",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct policy_options, tracee),
      .words = mrl_tracee_names,
      .what = "version of Tracee",
      .preset = "any",
      .doc = "What this version refuses in a policy is a fault; any: nothing is." },
};

static const char *action_word(unsigned int index)
{
    return index < ACTION_COUNT ? actions[index] : NULL;
}

/* "FILE:LINE:COLUMN: warning: text", as compilers have it. */
static void print_remark(void *context,
                         enum mrl_policy_remark remark,
                         const char *place,
                         const char *text)
{
    fprintf(context, "%s%s%s%s\n", place, *place ? ": " : "",
            remark == MRL_POLICY_WARNING ? "warning: " : "", text);
}

static void print_summary(const struct mrl_policy_set *set)
{
    for (unsigned int i = 0; i < set->count; i++) {
        const struct mrl_written_policy *policy = &set->list[i];

        printf("%s:%zu: policy '%s': %u of %u rules%s\n", policy->file, policy->line,
               policy->name.text, policy->rule_count - policy->left_out, policy->rule_count,
               policy->never ? ", and no call matches" : "");
    }
}

/* Remarks are what check prints; beside an explanation they are not part of it. */
static int act(bool explains, char **paths, unsigned int count, enum mrl_tracee tracee)
{
    struct mrl_policy_set set = { .say = print_remark,
                                  .context = explains ? stderr : stdout,
                                  .tracee = tracee };
    const char *names[MRL_POLICY_PATHS_MAX];
    struct mrl_error error = { "" };
    int err, status;

    for (unsigned int i = 0; i < count; i++)
        names[i] = paths[i];
    err = mrl_policy_set__read(&set, names, count, &error);
    if (err && !set.faults)
        mrl_say("%s", error.text);
    if (!err && explains)
        mrl_policy_set__explain(&set);
    else if (!err)
        print_summary(&set);
    mrl_policy_set__free(&set);
    status = mrl_flush_stdout();
    return err ? MRL_EXIT_FAILED : status;
}

static int policy(const struct mrl_verb *verb, int argc, char **argv)
{
    struct policy_options options = { .tracee = MRL_TRACEE_ANY };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);
    struct mrl_error error;
    unsigned int action = 0;

    if (operand < 0)
        return status;
    if (operand == argc)
        return mrl_usage_error(verb, "check or explain?");
    while (action < ACTION_COUNT && strcmp(actions[action], argv[operand]) != 0)
        action++;
    if (action == ACTION_COUNT) {
        mrl_error__unknown(&error, "action", argv[operand], actions, ACTION_COUNT);
        return mrl_usage_error(verb, error.text);
    }
    if (++operand == argc)
        return mrl_usage_error(verb, "which policy?");
    return act(action == 1, argv + operand, (unsigned int)(argc - operand),
               (enum mrl_tracee)options.tracee);
}

const struct mrl_verb mrl_verb_policy = {
    .name = "policy",
    .operands = "check|explain FILE|DIR...",
    .operands_max = 1 + MRL_POLICY_PATHS_MAX,
    .operand_word = action_word,
    .doc = "Tell what is wrong in policy files, or what they mean here and to Tracee.",
    .run = policy,
};
