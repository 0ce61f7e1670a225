// SPDX-License-Identifier: Apache-2.0
/* The policies of a run: what was said of them, what the plugin is given, and what all that takes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/policy.h"

enum { REMARKS_MAX = 64 };

/* -- remarks ---------------------------------------------------------------------------------- */

/* Of more than a screenful, faults are only counted. */
static int add_remark(struct mrl_policy_set *set,
                      enum mrl_policy_remark remark,
                      const char *place,
                      const char *text)
{
    if (remark == MRL_POLICY_FAULT && !set->faults++)
        mrl_error__set(&set->first, -EINVAL, "%s%s%s", place, *place ? ": " : "", text);
    if (++set->remarks <= REMARKS_MAX && set->say)
        set->say(set->context, remark, place, text);
    else if (set->remarks == REMARKS_MAX + 1 && set->say)
        set->say(set->context, MRL_POLICY_WARNING, "", "there is more to say than this");
    return 0;
}

bool mrl_policy_set__hears(const struct mrl_policy_set *set)
{
    return set->remarks <= REMARKS_MAX;
}

int mrl_policy_set__note(struct mrl_policy_set *set,
                         enum mrl_policy_remark remark,
                         const char *text)
{
    return add_remark(set, remark, "", text);
}

int mrl_policy_set__say(struct mrl_policy_set *set,
                        enum mrl_policy_remark remark,
                        const char *file,
                        size_t line,
                        size_t column,
                        const char *format,
                        ...)
{
    struct mrl_error place, text;
    va_list arguments;
    char whole[sizeof(text.text)];

    va_start(arguments, format);
    vsnprintf(whole, sizeof(whole), format, arguments);
    va_end(arguments);
    mrl_error__set(&place, -EINVAL, "%.200s:%zu:%zu", file, line, column);
    mrl_error__set(&text, -EINVAL, "%s", whole);
    return add_remark(set, remark, place.text, text.text);
}

/* -- lines ------------------------------------------------------------------------------------ */

int mrl_policy_lines__add(struct mrl_policy_lines *lines,
                          const char *text,
                          size_t line,
                          size_t column)
{
    struct mrl_policy_line *list = reallocarray(lines->list, lines->count + 1, sizeof(*list));
    char *copy = strdup(text);

    if (list)
        lines->list = list;
    if (!list || !copy) {
        free(copy);
        return -ENOMEM;
    }
    list[lines->count].text = copy;
    list[lines->count].line = line;
    list[lines->count++].column = column;
    return 0;
}

void mrl_policy_lines__clear(struct mrl_policy_lines *lines)
{
    for (unsigned int i = 0; i < lines->count; i++)
        free(lines->list[i].text);
    free(lines->list);
    *lines = (struct mrl_policy_lines){ .count = 0 };
}

static bool lines_equal(const struct mrl_policy_lines *one, const struct mrl_policy_lines *other)
{
    if (one->count != other->count)
        return false;
    for (unsigned int i = 0; i < one->count; i++)
        if (strcmp(one->list[i].text, other->list[i].text) != 0)
            return false;
    return true;
}

/* -- sets ------------------------------------------------------------------------------------- */

struct mrl_written_policy *mrl_policy_set__add(struct mrl_policy_set *set, const char *file)
{
    struct mrl_written_policy *policy;

    if (!set->list)
        set->list = calloc(MRL_POLICIES_MAX, sizeof(*set->list));
    if (!set->list || set->count == MRL_POLICIES_MAX)
        return NULL;
    policy = &set->list[set->count++];
    policy->file = file;
    return policy;
}

bool mrl_policy_set__equal(const struct mrl_policy_set *one, const struct mrl_policy_set *other)
{
    if (one->count != other->count)
        return false;
    for (unsigned int i = 0; i < one->count; i++)
        if (strcmp(one->list[i].name.text, other->list[i].name.text) != 0 ||
            !lines_equal(&one->list[i].here_scopes, &other->list[i].here_scopes) ||
            !lines_equal(&one->list[i].here_events, &other->list[i].here_events))
            return false;
    return true;
}

static unsigned int count_words(const struct mrl_policy_set *set)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < set->count; i++)
        count += set->list[i].here_scopes.count + set->list[i].here_events.count;
    return count;
}

static const char **take_words(const char **at, const struct mrl_policy_lines *lines)
{
    for (unsigned int i = 0; i < lines->count; i++)
        *at++ = lines->list[i].text;
    return at;
}

int mrl_policy_set__make_texts(struct mrl_policy_set *set)
{
    const char **at;

    set->texts = calloc(set->count, sizeof(*set->texts));
    set->words = calloc(count_words(set) + 1, sizeof(*set->words));
    if (!set->texts || !set->words)
        return -ENOMEM;
    at = set->words;
    for (unsigned int i = 0; i < set->count; i++) {
        const struct mrl_written_policy *policy = &set->list[i];

        set->texts[i] = (struct mrl_policy_texts){
            .name = policy->name.text,
            .events = at,
            .event_count = policy->here_events.count,
            .scopes = at + policy->here_events.count,
            .scope_count = policy->here_scopes.count,
        };
        at = take_words(take_words(at, &policy->here_events), &policy->here_scopes);
    }
    return 0;
}

static void free_policy(struct mrl_written_policy *policy)
{
    free(policy->name.text);
    mrl_policy_lines__clear(&policy->scopes);
    mrl_policy_lines__clear(&policy->actions);
    mrl_policy_lines__clear(&policy->here_scopes);
    mrl_policy_lines__clear(&policy->here_events);
    for (unsigned int i = 0; i < policy->rule_count; i++) {
        free(policy->rules[i].event.text);
        mrl_policy_lines__clear(&policy->rules[i].filters);
        mrl_policy_lines__clear(&policy->rules[i].actions);
    }
    free(policy->rules);
}

void mrl_policy_set__free(struct mrl_policy_set *set)
{
    for (unsigned int i = 0; i < set->count; i++)
        free_policy(&set->list[i]);
    for (unsigned int i = 0; i < set->file_count; i++)
        free(set->files[i]);
    free(set->list);
    free(set->files);
    free(set->texts);
    free(set->words);
    *set = (struct mrl_policy_set){ .count = 0 };
}
