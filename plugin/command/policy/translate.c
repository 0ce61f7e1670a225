// SPDX-License-Identifier: Apache-2.0
/*
 * What stands in a policy, as texts of --scope and --events. Rules of events that are not here are
 * left out and counted. What Tracee takes and can never match is taken too, and said.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/texts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No process has this number: the condition holds for none. */
#define NO_CALL "pid=0"

enum { NAME_MAX_SHOWN = 6 };

int mrl_translation__fault(const struct mrl_translation *in,
                           const struct mrl_policy_line *at,
                           const char *text)
{
    return mrl_policy_set__say(in->set, MRL_POLICY_FAULT, in->policy->file, at->line, at->column,
                               "%s", text);
}

/* What this version of Tracee would refuse is refused in its name. */
bool mrl_translation__is_refused(const struct mrl_translation *in,
                                 enum mrl_tracee_place place,
                                 const struct mrl_policy_rule *rule,
                                 const struct mrl_policy_line *at)
{
    struct mrl_tracee_says says = { .is_refused = false };
    struct mrl_error text;

    if (in->set->tracee == MRL_TRACEE_ANY)
        return false;
    mrl_tracee__judge(in->set->tracee, place, rule ? rule->event.text : "", at->text, &says);
    if (!says.is_refused)
        return false;
    mrl_error__set(&text, -EINVAL, "Tracee %s refuses this: %s", mrl_tracee__name(in->set->tracee),
                   says.text);
    mrl_translation__fault(in, at, text.text);
    return true;
}

/* -- the policy itself ------------------------------------------------------------------------ */

/* A label of a DNS name: a-z, 0-9 and '-', of which the last stands within. */
static size_t label_size(const char *text)
{
    const size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return size && text[0] != '-' && text[size - 1] != '-' ? size : 0;
}

static bool is_name(const char *text)
{
    size_t size = label_size(text);

    if (strlen(text) > MRL_POLICY_NAME_MAX)
        return false;
    while (size && text[size] == '.') {
        text += size + 1;
        size = label_size(text);
    }
    return size && !text[size];
}

static int check_name(const struct mrl_translation *in)
{
    const struct mrl_written_policy *policy = in->policy;
    const struct mrl_policy_line begin = { NULL, policy->line, policy->column };

    if (!policy->name.text)
        return mrl_translation__fault(
            in, &begin, policy->is_plain ? "name: is missing" : "metadata: name: is missing");
    if (is_name(policy->name.text))
        return 0;
    return mrl_translation__fault(
        in, &policy->name,
        "a name is of a-z, 0-9, '-' and '.', begins and ends with a letter or digit, "
        "and has 253 bytes at most");
}

/* As mrl_translation__is_refused(), of the whole file. */
static int check_form(const struct mrl_translation *in)
{
    const struct mrl_written_policy *policy = in->policy;
    struct mrl_tracee_says says = { .is_refused = false };

    if (in->set->tracee != MRL_TRACEE_ANY)
        mrl_tracee__judge_form(in->set->tracee, policy->is_plain, policy->file, &says);
    return says.is_refused
               ? mrl_policy_set__say(in->set, MRL_POLICY_FAULT, policy->file, policy->line,
                                     policy->column, "Tracee %s refuses this: %s",
                                     mrl_tracee__name(in->set->tracee), says.text)
               : 0;
}

int mrl_translation__check_actions(const struct mrl_translation *in,
                                   const struct mrl_policy_lines *actions)
{
    static const char *const known[] = { "log", "print" };
    struct mrl_error text;

    for (unsigned int i = 0; i < actions->count; i++) {
        const char *action = actions->list[i].text;

        if (!strcmp(action, known[0]) || !strcmp(action, known[1]))
            continue;
        mrl_error__unknown(&text, "action", action, known, COUNT(known));
        mrl_translation__fault(in, &actions->list[i], text.text);
    }
    return 0;
}

/* -- scopes ----------------------------------------------------------------------------------- */

static bool has_scope(const struct mrl_written_policy *policy, const char *name)
{
    for (unsigned int i = 0; i < policy->scopes.count; i++)
        if (!strcmp(policy->scopes.list[i].text, name))
            return true;
    return false;
}

/* Of scopes, and only of them, Tracee removes blanks. */
static void remove_blanks(char *text)
{
    char *to = text;

    for (; *text; text++)
        if (*text != ' ')
            *to++ = *text;
    *to = '\0';
}

static int add_scope(struct mrl_translation *in, const struct mrl_policy_line *scope)
{
    struct mrl_written_policy *policy = in->policy;

    if (!*scope->text)
        return mrl_translation__fault(in, scope, "a scope is empty");
    if (mrl_translation__is_refused(in, MRL_TRACEE_IN_SCOPE, NULL, scope))
        return 0;
    if (!strcmp(scope->text, "global"))
        return policy->scopes.count == 1
                   ? 0
                   : mrl_translation__fault(in, scope,
                                            "'global' stands alone: it means that no scope limits");
    if (!strcmp(scope->text, "not-container") && in->has_container)
        return mrl_policy_set__say(in->set, MRL_POLICY_WARNING, policy->file, scope->line,
                                   scope->column,
                                   "'not-container' beside 'container': the latter holds, as in "
                                   "Tracee");
    return mrl_texts__add_condition(in, NULL, scope, &policy->here_scopes);
}

/* No call is in these scopes. */
static int never_hold(struct mrl_written_policy *policy)
{
    mrl_policy_lines__clear(&policy->here_scopes);
    policy->never = true;
    return mrl_policy_lines__add(&policy->here_scopes, NO_CALL, policy->line, policy->column);
}

static int take_scopes(struct mrl_translation *in)
{
    struct mrl_written_policy *policy = in->policy;
    const struct mrl_policy_line begin = { NULL, policy->line, policy->column };
    int err = 0;

    if (!policy->scopes.count)
        return mrl_translation__fault(
            in, &begin, "scope: is missing: write 'scope: [global]' if nothing limits it");
    for (unsigned int i = 0; i < policy->scopes.count; i++)
        remove_blanks(policy->scopes.list[i].text);
    in->has_container = has_scope(policy, "container");
    for (unsigned int i = 0; !err && i < policy->scopes.count; i++)
        err = add_scope(in, &policy->scopes.list[i]);
    if (!err && !in->is_never)
        err = mrl_texts__check(in, &policy->here_events, &policy->scopes.list[0]);
    return err || !in->is_never ? err : never_hold(policy);
}

/* -- together --------------------------------------------------------------------------------- */

/* The first few events that are not here, for people. */
static void name_left_out(const struct mrl_written_policy *policy, char *text, size_t size)
{
    unsigned int named = 0;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned int i = 0; i < policy->rule_count && named <= NAME_MAX_SHOWN; i++) {
        if (policy->rules[i].fate != MRL_POLICY_RULE_NOT_OURS)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%.40s", named ? ", " : "",
                                 named < NAME_MAX_SHOWN ? policy->rules[i].event.text : "...");
        named++;
    }
}

static int tell_left_out(const struct mrl_translation *in)
{
    const struct mrl_written_policy *policy = in->policy;
    const bool is_all = policy->left_out == policy->rule_count;
    char names[(NAME_MAX_SHOWN + 1) * 44];

    if (!policy->left_out)
        return 0;
    name_left_out(policy, names, sizeof(names));
    if (is_all)
        return mrl_policy_set__say(in->set, MRL_POLICY_FAULT, policy->file, policy->line,
                                   policy->column,
                                   "policy '%.64s': none of its %u rules is for an event of this "
                                   "program (%s)",
                                   policy->name.text, policy->rule_count, names);
    return mrl_policy_set__say(
        in->set, MRL_POLICY_WARNING, policy->file, policy->line, policy->column,
        "policy '%.64s': %u of %u rules are left out: their events are not of "
        "this program (%s)",
        policy->name.text, policy->left_out, policy->rule_count, names);
}

/* What never matches has its name in the list all the same, and costs no call anything. */
static int match_nothing(struct mrl_written_policy *policy)
{
    int err = 0;

    mrl_policy_lines__clear(&policy->here_events);
    policy->never = true;
    for (unsigned int i = 0; !err && i < policy->rule_count; i++)
        if (policy->rules[i].fate == MRL_POLICY_RULE_NEVER)
            err = mrl_policy_lines__add(&policy->here_events, policy->rules[i].event.text,
                                        policy->rules[i].event.line, policy->rules[i].event.column);
    return err ? err
               : mrl_policy_lines__add(&policy->here_scopes, NO_CALL, policy->line, policy->column);
}

static bool has_fate(const struct mrl_written_policy *policy, enum mrl_policy_fate fate)
{
    for (unsigned int i = 0; i < policy->rule_count; i++)
        if (policy->rules[i].fate == fate)
            return true;
    return false;
}

static int take_rules(struct mrl_translation *in)
{
    struct mrl_written_policy *policy = in->policy;
    const struct mrl_policy_line begin = { NULL, policy->line, policy->column };
    int err;

    if (!policy->rule_count)
        return mrl_translation__fault(in, &begin, "rules: is missing, or empty");
    err = mrl_translation__mark_doubles(policy);
    for (unsigned int i = 0; !err && i < policy->rule_count; i++)
        err = mrl_translation__take_rule(in, &policy->rules[i]);
    if (err || in->set->faults != in->faults)
        return err;
    err = tell_left_out(in);
    if (err || in->set->faults != in->faults)
        return err;
    if (!has_fate(policy, MRL_POLICY_RULE_HOLDS))
        return match_nothing(policy);
    return mrl_texts__check(in, &policy->here_events, &begin);
}

int mrl_written_policy__translate(struct mrl_policy_set *set, struct mrl_written_policy *policy)
{
    struct mrl_translation in = { .set = set, .policy = policy, .faults = set->faults };
    int err;

    check_form(&in);
    check_name(&in);
    mrl_translation__check_actions(&in, &policy->actions);
    err = take_scopes(&in);
    return err ? err : take_rules(&in);
}
