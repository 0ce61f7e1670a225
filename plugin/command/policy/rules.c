// SPDX-License-Identifier: Apache-2.0
/* The rules of a policy, as texts of --events. Those of events that are not here are left out. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/texts.h"

/* -- events ----------------------------------------------------------------------------------- */

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

    for (unsigned int i = 0; mrl_policy_set__hears(in->set) && i < mrl_event_def__count(); i++) {
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
            mrl_translation__fault(
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

/* By event, and where it is the same, in the order of the file. */
static int by_event(const void *one, const void *other)
{
    const struct mrl_policy_rule *rules[] = { *(struct mrl_policy_rule *const *)one,
                                              *(struct mrl_policy_rule *const *)other };
    const char *texts[] = { rules[0]->event.text ? rules[0]->event.text : "",
                            rules[1]->event.text ? rules[1]->event.text : "" };
    const int order = strcmp(texts[0], texts[1]);

    return order ? order : (rules[0] > rules[1]) - (rules[0] < rules[1]);
}

/* Sorted, since to compare each with each takes seconds for as many as there may be. */
int mrl_translation__mark_doubles(struct mrl_written_policy *policy)
{
    struct mrl_policy_rule **sorted = malloc(policy->rule_count * sizeof(struct mrl_policy_rule *));

    if (!sorted)
        return -ENOMEM;
    for (unsigned int i = 0; i < policy->rule_count; i++)
        sorted[i] = &policy->rules[i];
    qsort(sorted, policy->rule_count, sizeof(struct mrl_policy_rule *), by_event);
    for (unsigned int i = 1; i < policy->rule_count; i++) {
        const char *text = sorted[i]->event.text, *before = sorted[i - 1]->event.text;

        sorted[i]->is_double = text && before && !strcmp(text, before);
    }
    free(sorted);
    return 0;
}

static int check_rule(const struct mrl_translation *in, const struct mrl_policy_rule *rule)
{
    if (!rule->event.text || !*rule->event.text)
        return mrl_translation__fault(in, &rule->event, "event: is missing");
    if (rule->is_double)
        return mrl_translation__fault(in, &rule->event,
                                      "this event has a rule already: put all filters into one");
    return mrl_translation__check_actions(in, &rule->actions);
}

static bool is_one_event(const char *text)
{
    return mrl_event_def__find(text, NULL);
}

/* Where the version that was asked for takes it in another meaning. */
static void warn_beside(const struct mrl_translation *in,
                        struct mrl_tracee_before *before,
                        const struct mrl_policy_line *filter)
{
    const enum mrl_tracee version = in->set->tracee;
    struct mrl_tracee_says says;

    mrl_tracee__judge_beside(version, before, filter->text, &says);
    if (*says.text)
        mrl_policy_set__say(in->set, MRL_POLICY_WARNING, in->policy->file, filter->line,
                            filter->column, "Tracee %s means something else: %s",
                            mrl_tracee__name(version), says.text);
}

static int add_filters(struct mrl_translation *in,
                       struct mrl_policy_rule *rule,
                       struct mrl_policy_lines *here)
{
    struct mrl_tracee_before before = { .count = 0 };
    int err = 0;

    for (unsigned int i = 0; !err && i < rule->filters.count; i++) {
        if (mrl_translation__is_refused(in, MRL_TRACEE_IN_FILTER, rule, &rule->filters.list[i]))
            continue;
        warn_beside(in, &before, &rule->filters.list[i]);
        err = mrl_texts__add_condition(in, rule->event.text, &rule->filters.list[i], here);
    }
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
        return mrl_translation__fault(
            in, &rule->filters.list[0],
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
    mrl_policy_lines__clear(&here);
    if (err || !in->is_never)
        return err;
    snprintf(out, sizeof(out), "-%.64s", kept); /* a list may name the event as well */
    return mrl_policy_lines__add(&policy->here_events, out, rule->event.line, rule->event.column);
}

int mrl_translation__take_rule(struct mrl_translation *in, struct mrl_policy_rule *rule)
{
    const unsigned int faults = in->set->faults;
    int err = check_rule(in, rule);
    char *kept;

    if (err || in->set->faults != faults ||
        mrl_translation__is_refused(in, MRL_TRACEE_IN_EVENT, rule, &rule->event))
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
