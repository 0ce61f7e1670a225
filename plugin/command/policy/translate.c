// SPDX-License-Identifier: Apache-2.0
/*
 * What stands in a policy, as texts of --scope and --events. Rules of events that are not here are
 * left out and counted. What Tracee takes and can never match is taken too, and said.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/texts.h"
#include "command/policy/tracee.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No process has this number: the condition holds for none. */
#define NO_CALL "pid=0"

enum { NAME_MAX_SHOWN = 6 };

static int fault_at(const struct mrl_translation *in,
                    const struct mrl_policy_line *at,
                    const char *text)
{
    return mrl_policy_set__say(in->set, MRL_POLICY_FAULT, in->policy->file, at->line, at->column,
                               "%s", text);
}

/* What this version of Tracee would refuse is refused in its name. */
static bool is_refused(const struct mrl_translation *in,
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
    fault_at(in, at, text.text);
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
        return fault_at(in, &begin,
                        policy->is_plain ? "name: is missing" : "metadata: name: is missing");
    if (is_name(policy->name.text))
        return 0;
    return fault_at(in, &policy->name,
                    "a name is of a-z, 0-9, '-' and '.', begins and ends with a letter or digit, "
                    "and has 253 bytes at most");
}

/* As is_refused(), of the whole file. */
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

static int check_actions(const struct mrl_translation *in, const struct mrl_policy_lines *actions)
{
    static const char *const known[] = { "log", "print" };
    struct mrl_error text;

    for (unsigned int i = 0; i < actions->count; i++) {
        const char *action = actions->list[i].text;

        if (!strcmp(action, known[0]) || !strcmp(action, known[1]))
            continue;
        mrl_error__unknown(&text, "action", action, known, COUNT(known));
        fault_at(in, &actions->list[i], text.text);
    }
    return 0;
}

static void free_texts(struct mrl_policy_lines *lines)
{
    for (unsigned int i = 0; i < lines->count; i++)
        free(lines->list[i].text);
    free(lines->list);
    *lines = (struct mrl_policy_lines){ .count = 0 };
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
        return fault_at(in, scope, "a scope is empty");
    if (is_refused(in, MRL_TRACEE_IN_SCOPE, NULL, scope))
        return 0;
    if (!strcmp(scope->text, "global"))
        return policy->scopes.count == 1
                   ? 0
                   : fault_at(in, scope, "'global' stands alone: it means that no scope limits");
    if (!strcmp(scope->text, "not-container") && has_scope(policy, "container"))
        return mrl_policy_set__say(in->set, MRL_POLICY_WARNING, policy->file, scope->line,
                                   scope->column,
                                   "'not-container' beside 'container': the latter holds, as in "
                                   "Tracee");
    return mrl_texts__add_condition(in, NULL, scope, &policy->here_scopes);
}

/* No call is in these scopes. */
static int never_hold(struct mrl_written_policy *policy)
{
    free_texts(&policy->here_scopes);
    policy->never = true;
    return mrl_policy_lines__add(&policy->here_scopes, NO_CALL, policy->line, policy->column);
}

static int take_scopes(struct mrl_translation *in)
{
    struct mrl_written_policy *policy = in->policy;
    const struct mrl_policy_line begin = { NULL, policy->line, policy->column };
    int err = 0;

    if (!policy->scopes.count)
        return fault_at(in, &begin,
                        "scope: is missing: write 'scope: [global]' if nothing limits it");
    for (unsigned int i = 0; i < policy->scopes.count; i++)
        remove_blanks(policy->scopes.list[i].text);
    for (unsigned int i = 0; !err && i < policy->scopes.count; i++)
        err = add_scope(in, &policy->scopes.list[i]);
    if (!err && !in->is_never)
        err = mrl_texts__check(in, &policy->here_events, &policy->scopes.list[0]);
    return err || !in->is_never ? err : never_hold(policy);
}

/* -- events of a rule ------------------------------------------------------------------------- */

static bool is_word(const char *text)
{
    text += *text == '-';
    if (*text == '*' && !text[1])
        return true;
    for (; isalnum((unsigned char)*text) || *text == '_'; text++)
        ;
    return !*text || (*text == '*' && !text[1]);
}

/* What misses one of ours by a letter or two is probably meant to be it. */
static void warn_near(const struct mrl_translation *in,
                      const struct mrl_policy_line *at,
                      const char *term)
{
    const struct mrl_event_def *def;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        def = mrl_event_def__at(i);
        if (*def->syscall && (!strcasecmp(def->name, term) || mrl_texts__is_near(term, def->name)))
            mrl_policy_set__say(in->set, MRL_POLICY_WARNING, in->policy->file, at->line, at->column,
                                "'%.64s' is no event of this program: did you mean '%s'?", term,
                                def->name);
    }
}

/* Appends those terms of a list that are of this program; "": none is. -EINVAL: it is no list,
 * which was said. */
static int keep_terms(const struct mrl_translation *in,
                      const struct mrl_policy_line *at,
                      const char *list,
                      const char *prefix,
                      char *kept)
{
    char *copy = strdup(list), *rest = copy, *term;
    size_t used = 0;
    int err = copy ? 0 : -ENOMEM;

    kept[0] = '\0';
    while (!err && (term = strsep(&rest, ","))) {
        if (!*term || !is_word(term)) {
            fault_at(
                in, at,
                "an event, a set, or a list of them is wanted: conditions stand below filters:");
            err = -EINVAL;
        } else if (mrl_texts__knows_event(prefix, term)) {
            used += (size_t)sprintf(kept + used, "%s%s", used ? "," : prefix, term);
        } else if (!*prefix) {
            warn_near(in, at, term);
        }
    }
    free(copy);
    return err;
}

/* `kept` has room for the event's text. */
static int find_events(const struct mrl_translation *in,
                       const struct mrl_policy_line *event,
                       char *kept)
{
    kept[0] = '\0';
    if (!strncmp(event->text, "threat.", 7))
        return 0; /* of detectors, which there are none of */
    if (!strncmp(event->text, "tag=", 4))
        return keep_terms(in, event, event->text + 4, "tag=", kept);
    return keep_terms(in, event, event->text, "", kept);
}

/* -- rules ------------------------------------------------------------------------------------ */

static int check_rule(const struct mrl_translation *in, const struct mrl_policy_rule *rule)
{
    const struct mrl_written_policy *policy = in->policy;

    if (!rule->event.text || !*rule->event.text)
        return fault_at(in, &rule->event, "event: is missing");
    for (const struct mrl_policy_rule *other = policy->rules; other < rule; other++)
        if (other->event.text && !strcmp(other->event.text, rule->event.text))
            return fault_at(in, &rule->event,
                            "this event has a rule already: put all filters into one");
    return check_actions(in, &rule->actions);
}

static bool is_one_event(const char *text)
{
    return mrl_event_def__find(text, NULL);
}

static int add_filters(struct mrl_translation *in,
                       struct mrl_policy_rule *rule,
                       struct mrl_policy_lines *here)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < rule->filters.count; i++)
        if (!is_refused(in, MRL_TRACEE_IN_FILTER, rule, &rule->filters.list[i]))
            err = mrl_texts__add_condition(in, rule->event.text, &rule->filters.list[i], here);
    return err;
}

static int move_texts(struct mrl_policy_lines *from, struct mrl_policy_lines *to)
{
    int err = 0;

    for (unsigned int i = 0; !err && i < from->count; i++)
        err =
            mrl_policy_lines__add(to, from->list[i].text, from->list[i].line, from->list[i].column);
    return err;
}

/* A rule of one event of ours, with its conditions. */
static int add_rule(struct mrl_translation *in, struct mrl_policy_rule *rule, const char *kept)
{
    struct mrl_written_policy *policy = in->policy;
    struct mrl_policy_lines here = { .count = 0 };
    char out[128];
    int err;

    if (rule->filters.count && !is_one_event(rule->event.text))
        return fault_at(in, &rule->filters.list[0],
                        "filters are of one event, and not of a list, a prefix or a set");
    in->is_never = false;
    err = mrl_policy_lines__add(&here, kept, rule->event.line, rule->event.column);
    if (!err)
        err = add_filters(in, rule, &here);
    if (!err && rule->filters.count && !in->is_never)
        err = mrl_texts__check(in, &here, &rule->event);
    rule->fate = in->is_never ? MRL_POLICY_RULE_NEVER : MRL_POLICY_RULE_HOLDS;
    if (!err && !in->is_never)
        err = move_texts(&here, &policy->here_events);
    free_texts(&here);
    if (err || !in->is_never)
        return err;
    snprintf(out, sizeof(out), "-%.64s", kept); /* a list may name the event as well */
    return mrl_policy_lines__add(&policy->here_events, out, rule->event.line, rule->event.column);
}

static int take_rule(struct mrl_translation *in, struct mrl_policy_rule *rule)
{
    const unsigned int faults = in->set->faults;
    int err = check_rule(in, rule);
    char *kept;

    if (err || in->set->faults != faults || is_refused(in, MRL_TRACEE_IN_EVENT, rule, &rule->event))
        return err;
    kept = malloc(strlen(rule->event.text) + sizeof("tag="));
    if (!kept)
        return -ENOMEM;
    err = find_events(in, &rule->event, kept);
    if (!err && !*kept) {
        rule->fate = MRL_POLICY_RULE_NOT_OURS;
        in->policy->left_out++;
    } else if (!err) {
        err = add_rule(in, rule, kept);
    }
    free(kept);
    return err == -EINVAL ? 0 : err; /* which was said */
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

    free_texts(&policy->here_events);
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
    int err = 0;

    if (!policy->rule_count)
        return fault_at(in, &begin, "rules: is missing, or empty");
    for (unsigned int i = 0; !err && i < policy->rule_count; i++)
        err = take_rule(in, &policy->rules[i]);
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
    check_actions(&in, &policy->actions);
    err = take_scopes(&in);
    return err ? err : take_rules(&in);
}
