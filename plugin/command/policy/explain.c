// SPDX-License-Identifier: Apache-2.0
/* What policies mean here, and to whom else they mean what. */
#include "command/policy/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/tame.h"
#include "command/policy/tracee.h"

/* Texts are without control characters; what else must not be shown is tamed. */
static void print(const char *before, const char *text)
{
    char shown[MRL_POLICY_TEXT_BYTES_MAX + 1];

    snprintf(shown, sizeof(shown), "%s", text);
    printf("%s%s\n", before, mrl_tame(shown));
}

/* -- what Tracee makes of it ------------------------------------------------------------------ */

static bool say_the_same(const struct mrl_tracee_says *one, const struct mrl_tracee_says *other)
{
    return one->is_refused == other->is_refused && !strcmp(one->text, other->text);
}

/* Versions that say the same are one line. */
static void print_verdicts(struct mrl_tracee_says says[MRL_TRACEE_COUNT], int indent)
{
    bool is_told[MRL_TRACEE_COUNT] = { false };

    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++) {
        const char *between = "";

        if (is_told[i])
            continue;
        printf("%*sTracee ", indent, "");
        for (unsigned int j = i; j < MRL_TRACEE_COUNT; j++) {
            if (!say_the_same(&says[i], &says[j]))
                continue;
            is_told[j] = true;
            printf("%s%s", between, mrl_tracee__name((enum mrl_tracee)j));
            between = ", ";
        }
        printf(": %s%s%s\n", says[i].is_refused ? "refused" : "", says[i].is_refused ? ": " : "",
               *says[i].text ? mrl_tame(says[i].text) : "as here");
    }
}

static void judge(enum mrl_tracee_place place,
                  const char *event,
                  const char *text,
                  struct mrl_tracee_says ret_says[MRL_TRACEE_COUNT])
{
    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++)
        mrl_tracee__judge((enum mrl_tracee)i, place, event, text, &ret_says[i]);
}

/* Of which versions a text is refused; it adds up over texts. */
static void add_refused(enum mrl_tracee_place place,
                        const char *event,
                        const char *text,
                        bool is_refused[MRL_TRACEE_COUNT])
{
    struct mrl_tracee_says says[MRL_TRACEE_COUNT];

    judge(place, event, text, says);
    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++)
        is_refused[i] |= says[i].is_refused;
}

static void add_refused_filters(const struct mrl_policy_rule *rule,
                                bool is_refused[MRL_TRACEE_COUNT])
{
    for (unsigned int i = 0; i < rule->filters.count; i++)
        add_refused(MRL_TRACEE_IN_FILTER, rule->event.text, rule->filters.list[i].text, is_refused);
}

/* What is as here by itself is not, where a text below it is refused. */
static void look_below(struct mrl_tracee_says says[MRL_TRACEE_COUNT],
                       const bool is_refused[MRL_TRACEE_COUNT])
{
    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++)
        if (is_refused[i] && !*says[i].text)
            says[i] = (struct mrl_tracee_says){ true, "for what stands below" };
}

static void explain_form(const struct mrl_written_policy *policy)
{
    struct mrl_tracee_says says[MRL_TRACEE_COUNT];
    bool is_refused[MRL_TRACEE_COUNT] = { false };

    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++)
        mrl_tracee__judge_form((enum mrl_tracee)i, policy->is_plain, policy->file, &says[i]);
    for (unsigned int i = 0; i < policy->scopes.count; i++)
        add_refused(MRL_TRACEE_IN_SCOPE, "", policy->scopes.list[i].text, is_refused);
    for (unsigned int i = 0; i < policy->rule_count; i++) {
        if (policy->rules[i].fate == MRL_POLICY_RULE_NOT_OURS)
            continue;
        add_refused(MRL_TRACEE_IN_EVENT, "", policy->rules[i].event.text, is_refused);
        add_refused_filters(&policy->rules[i], is_refused);
    }
    look_below(says, is_refused);
    print_verdicts(says, 2);
}

/* -- what it means here ----------------------------------------------------------------------- */

/* What was made of a text; NULL: nothing. */
static const char *made_of(const struct mrl_policy_lines *here, const struct mrl_policy_line *line)
{
    for (unsigned int i = 0; i < here->count; i++)
        if (here->list[i].line == line->line && here->list[i].column == line->column)
            return here->list[i].text;
    return NULL;
}

static void explain_scope(const struct mrl_written_policy *policy,
                          const struct mrl_policy_line *scope)
{
    const char *here = made_of(&policy->here_scopes, scope);
    struct mrl_tracee_says says[MRL_TRACEE_COUNT];

    print("  scope ", scope->text);
    if (!strcmp(scope->text, "global"))
        puts("    here: no limit");
    else if (here)
        print("    here: ", here);
    else
        puts(policy->never ? "    here: never matches" : "    here: nothing, it changes nothing");
    judge(MRL_TRACEE_IN_SCOPE, "", scope->text, says);
    print_verdicts(says, 4);
}

/* What a version makes of the filter alone, and if that is the same, beside those before it. */
static void judge_filter(const struct mrl_policy_rule *rule,
                         const char *text,
                         struct mrl_tracee_before before[MRL_TRACEE_COUNT])
{
    struct mrl_tracee_says says[MRL_TRACEE_COUNT], beside;

    for (unsigned int i = MRL_TRACEE_V0_23; i < MRL_TRACEE_COUNT; i++) {
        mrl_tracee__judge((enum mrl_tracee)i, MRL_TRACEE_IN_FILTER, rule->event.text, text,
                          &says[i]);
        mrl_tracee__judge_beside((enum mrl_tracee)i, &before[i], text, &beside);
        if (!says[i].is_refused && !*says[i].text)
            says[i] = beside;
    }
    print_verdicts(says, 6);
}

static void explain_filter(const struct mrl_written_policy *policy,
                           const struct mrl_policy_rule *rule,
                           const struct mrl_policy_line *filter,
                           struct mrl_tracee_before before[MRL_TRACEE_COUNT])
{
    const char *here = made_of(&policy->here_events, filter);

    print("    filter ", filter->text);
    if (here)
        print("      here: ", here);
    else
        puts(rule->fate == MRL_POLICY_RULE_NEVER ? "      here: the rule never matches"
                                                 : "      here: nothing, it changes nothing");
    judge_filter(rule, filter->text, before);
}

static void explain_rule(const struct mrl_written_policy *policy,
                         const struct mrl_policy_rule *rule)
{
    struct mrl_tracee_before before[MRL_TRACEE_COUNT] = { { .count = 0 } };
    const char *here = made_of(&policy->here_events, &rule->event);
    struct mrl_tracee_says says[MRL_TRACEE_COUNT];
    bool is_refused[MRL_TRACEE_COUNT] = { false };

    print("  rule ", rule->event.text);
    if (rule->fate == MRL_POLICY_RULE_NOT_OURS) {
        puts("    here: left out, no event of this program");
        return;
    }
    if (rule->fate == MRL_POLICY_RULE_NEVER)
        puts("    here: never matches");
    else if (here)
        print("    here: ", here);
    judge(MRL_TRACEE_IN_EVENT, "", rule->event.text, says);
    add_refused_filters(rule, is_refused);
    look_below(says, is_refused);
    print_verdicts(says, 4);
    for (unsigned int i = 0; i < rule->filters.count; i++)
        explain_filter(policy, rule, &rule->filters.list[i], before);
}

/* -- the command line ------------------------------------------------------------------------- */

/* As a shell takes it for one word. */
static void print_word(const char *text)
{
    if (*text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_-=.,:/+@%")]) {
        fputs(text, stdout);
        return;
    }
    putchar('\'');
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static void print_options(const char *option, const struct mrl_policy_lines *lines)
{
    for (unsigned int i = 0; i < lines->count; i++) {
        char shown[2 * MRL_POLICY_TEXT_BYTES_MAX];

        snprintf(shown, sizeof(shown), "%s", lines->list[i].text);
        printf(" %s ", option);
        print_word(mrl_tame(shown));
    }
}

static void explain_policy(const struct mrl_written_policy *policy)
{
    printf("policy %s\n", policy->name.text);
    print("  file ", policy->file);
    printf("  line %zu, %s\n", policy->line,
           policy->is_plain ? "in the plain form of Tracee's main" : "v1beta1");
    explain_form(policy);
    for (unsigned int i = 0; i < policy->scopes.count; i++)
        explain_scope(policy, &policy->scopes.list[i]);
    for (unsigned int i = 0; i < policy->rule_count; i++)
        explain_rule(policy, &policy->rules[i]);
    if (policy->never) {
        puts("  No call matches this policy.");
        return;
    }
    if (policy->here_scopes.count > MRL_FILTERS_MAX ||
        policy->here_events.count > MRL_FILTERS_MAX) {
        printf("  No command line says the same: -s and -e may stand there %d times each.\n",
               MRL_FILTERS_MAX);
        return;
    }
    printf("  The same without a file, and without its name:\n    mrelease run");
    print_options("-s", &policy->here_scopes);
    print_options("-e", &policy->here_events);
    putchar('\n');
}

void mrl_policy_set__explain(const struct mrl_policy_set *set)
{
    for (unsigned int i = 0; i < set->count; i++) {
        if (i)
            putchar('\n');
        explain_policy(&set->list[i]);
    }
}
