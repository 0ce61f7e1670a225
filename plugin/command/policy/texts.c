// SPDX-License-Identifier: Apache-2.0
/* Texts of policies, tried with the library's own parser: one at a time, so that what is wrong has
 * a place. */
#include "command/policy/texts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"

/* The library's word on some texts. -EDOM: they can never hold. */
static int try_texts(const char *const *scopes,
                     unsigned int scope_count,
                     const char *const *events,
                     unsigned int event_count,
                     struct mrl_error *error)
{
    const struct mrl_policy_texts policy = { "a", events, event_count, scopes, scope_count };
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    uint32_t chosen;
    struct mrl_error reason = { "" };
    const char *behind;
    int err;

    options.policies = &policy;
    options.policy_count = 1;
    err = mrl_plugin_options__events(&options, &chosen, &reason);
    behind = strncmp(reason.text, "policy a: ", 10) ? reason.text : reason.text + 10;
    return err ? mrl_error__set(error, err, "%s", behind) : 0;
}

static int try_one(bool is_scope, const char *text, struct mrl_error *error)
{
    return is_scope ? try_texts(&text, 1, NULL, 0, error) : try_texts(NULL, 0, &text, 1, error);
}

/* Files may name events of Tracee by the ten thousand: most are told apart without a trial. */
static bool may_be_known(const char *term)
{
    const size_t size = strcspn(term, "*");

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (!strncmp(mrl_event_def__at(i)->name, term, size))
            return true;
    for (unsigned int bit = 0; mrl_set_name(bit); bit++)
        if (!strcmp(mrl_set_name(bit), term))
            return true;
    return false;
}

bool mrl_texts__knows_event(const char *prefix, const char *term)
{
    char text[128];
    struct mrl_error ignored;

    if (!may_be_known(term + (*term == '-')))
        return false;
    snprintf(text, sizeof(text), "%s%.100s", prefix, term + (*term == '-'));
    return !try_one(false, text, &ignored);
}

bool mrl_texts__is_near(const char *word, const char *other)
{
    return strlen(word) > 3 && mrl_word__distance(word, other) <= 2;
}

/* -- conditions ------------------------------------------------------------------------------- */

/* What can never hold is a warning, since Tracee takes it. */
static int say_of(const struct mrl_translation *in,
                  enum mrl_policy_remark remark,
                  const struct mrl_policy_line *at,
                  const char *text)
{
    return mrl_policy_set__say(in->set, remark, in->policy->file, at->line, at->column, "%s%s",
                               text, remark == MRL_POLICY_WARNING ? "; it never matches" : "");
}

/* Keeps of "NAME=a,b" the values that can match; "" when none is left. */
static int keep_values(struct mrl_translation *in,
                       bool is_scope,
                       const struct mrl_policy_line *line,
                       const char *text,
                       char *kept)
{
    const size_t name = strcspn(text, "=!<>"), head = name + strspn(text + name, "=!<>");
    char *copy = strdup(text), *one = malloc(strlen(text) + 1), *rest = copy, *value;
    size_t used = head;
    int err = copy && one ? 0 : -ENOMEM;
    struct mrl_error error;

    if (!err) {
        memcpy(kept, text, head);
        rest = copy + head;
    }
    while (!err && (value = strsep(&rest, ","))) {
        int fit;

        sprintf(one, "%.*s%s", (int)head, text, value);
        fit = try_one(is_scope, one, &error);
        if (!fit)
            used += (size_t)sprintf(kept + used, "%s%s", used > head ? "," : "", value);
        else if (fit == -ENOMEM)
            err = fit;
        else
            say_of(in, fit == -EDOM ? MRL_POLICY_WARNING : MRL_POLICY_FAULT, line, error.text);
    }
    if (used == head)
        used = 0;
    kept[used] = '\0';
    free(copy);
    free(one);
    return err;
}

static int add_text(struct mrl_translation *in,
                    bool is_scope,
                    const struct mrl_policy_line *line,
                    char *text,
                    struct mrl_policy_lines *here)
{
    struct mrl_error error;
    bool is_refusing = text[strcspn(text, "=!<>")] == '!';
    int fit = try_one(is_scope, text, &error);

    if (fit == -ENOMEM)
        return fit;
    if (fit && fit != -EDOM)
        return say_of(in, MRL_POLICY_FAULT, line, error.text);
    if (fit) {
        char *kept = malloc(strlen(text) + 1);

        fit = kept ? keep_values(in, is_scope, line, text, kept) : -ENOMEM;
        if (!fit)
            strcpy(text, kept);
        free(kept);
        if (fit)
            return fit;
    }
    if (*text)
        return mrl_policy_lines__add(here, text, line->line, line->column);
    in->is_never |= !is_refusing;
    return 0;
}

/* container=ID and host=ANYTHING behind an event ask for no id: the value is not looked at. */
static const char *without_value(struct mrl_translation *in, const struct mrl_policy_line *line)
{
    static const char *const words[] = { "container", "host" };
    char text[160];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t size = strlen(words[i]);

        if (strncmp(line->text, words[i], size) != 0 || !line->text[size] ||
            !strchr("=!", line->text[size]))
            continue;
        if (!strcmp(line->text + size, "=started") && !i)
            return NULL;
        snprintf(text, sizeof(text),
                 "'%.40s' behind an event means '%s', whatever the value: an id is containerId=",
                 line->text, words[i]);
        mrl_policy_set__say(in->set, MRL_POLICY_WARNING, in->policy->file, line->line, line->column,
                            "%s", text);
        return words[i];
    }
    return NULL;
}

/* "EVENT.data.…", "EVENT.retval…", and all else "EVENT.scope.…". */
static char *filter_text(struct mrl_translation *in,
                         const char *event,
                         const struct mrl_policy_line *line)
{
    const char *text = line->text, *word = without_value(in, line);
    const bool has_part =
        !strncmp(text, "data.", 5) || !strncmp(text, "args.", 5) || !strncmp(text, "retval", 6);
    char *whole;

    return asprintf(&whole, "%s.%s%s", event, has_part ? "" : "scope.", word ? word : text) < 0
               ? NULL
               : whole;
}

int mrl_texts__add_condition(struct mrl_translation *in,
                             const char *event,
                             const struct mrl_policy_line *line,
                             struct mrl_policy_lines *here)
{
    char *text;
    int err;

    if (event && !*line->text)
        return say_of(in, MRL_POLICY_FAULT, line, "a filter is empty");
    if (event && !strncmp(line->text, "scope.", 6))
        return say_of(in, MRL_POLICY_FAULT, line, "in a policy 'scope.' is left out, as in uid=0");
    text = event ? filter_text(in, event, line) : strdup(line->text);
    if (!text)
        return -ENOMEM;
    err = add_text(in, !event, line, text, here);
    free(text);
    return err;
}

int mrl_texts__check(struct mrl_translation *in,
                     const struct mrl_policy_lines *events,
                     const struct mrl_policy_line *at)
{
    const struct mrl_policy_lines *scopes = &in->policy->here_scopes;
    const char **words = calloc(events->count + scopes->count + 1, sizeof(*words));
    struct mrl_error error;
    int err;

    if (!words)
        return -ENOMEM;
    for (unsigned int i = 0; i < events->count; i++)
        words[i] = events->list[i].text;
    for (unsigned int i = 0; i < scopes->count; i++)
        words[events->count + i] = scopes->list[i].text;
    err = try_texts(words + events->count, scopes->count, words, events->count, &error);
    free(words);
    if (!err || err == -ENOMEM)
        return err;
    in->is_never |= err == -EDOM;
    return say_of(in, err == -EDOM ? MRL_POLICY_WARNING : MRL_POLICY_FAULT, at, error.text);
}
