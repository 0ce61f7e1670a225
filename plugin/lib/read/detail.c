// SPDX-License-Identifier: Apache-2.0
#include "read/detail.h"

#include "filter/filter.h"

/* A text of users: what ends a value there must not end it here. */
static void put_filter(FILE *to, unsigned int *count, const char *before, const char *text)
{
    fprintf(to, "%s%s", (*count)++ ? " " : "", before);
    for (; *text; text++)
        fputc(*text == ';' ? ',' : *text, to);
}

static void put_policies(FILE *to, const struct mrl_plugin_options *given)
{
    fputs("; policies=", to);
    for (unsigned int i = 0; i < given->policy_count; i++)
        fprintf(to, "%s%s", i ? "," : "", given->policies[i].name);
}

void mrl_detail__put_filters(FILE *to, const struct mrl_plugin_options *given)
{
    unsigned int count = 0;

    if (given->policy_count) {
        put_policies(to, given);
        return;
    }
    fputs("; filters=", to);
    if (given->events && mrl_condition__is(given->events))
        put_filter(to, &count, "", given->events);
    for (unsigned int i = 0; i < given->more_event_count; i++)
        if (mrl_condition__is(given->more_events[i]))
            put_filter(to, &count, "", given->more_events[i]);
    for (unsigned int i = 0; i < given->scope_count; i++)
        put_filter(to, &count, "scope ", given->scopes[i]);
    if (!count)
        fputs("none", to);
}

void mrl_detail__put_events(FILE *to, uint32_t events)
{
    const char *between = "";

    fputs("events=", to);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (events & (1U << i)) {
            fprintf(to, "%s%s", between, mrl_event_def__at(i)->name);
            between = ",";
        }
}
