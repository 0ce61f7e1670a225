// SPDX-License-Identifier: Apache-2.0
/*
 * Any text as --events, and as --scope: known events and a filter that can be asked and turned into
 * rules, or one line that says why not.
 */
#include <mrelease/event.h>

#include "filter/filter.h"
#include "fuzz.h"

enum { FIELDS_MAX = 64 };

static void ask(const struct mrl_filter *filter)
{
    static struct mrl_value values[FIELDS_MAX];
    const struct mrl_text none = { "", 0 };

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct mrl_event event = { .def = mrl_event_def__at(i),
                                   .process_name = none,
                                   .host_name = none,
                                   .container_id = none,
                                   .values = values };

        for (unsigned int j = 0; j < FIELDS_MAX; j++)
            values[j] = (struct mrl_value){ .absent = j % 2 };
        for (unsigned int j = 0; j < event.def->field_count; j++)
            if (event.def->fields[j].kind->storage == MRL_STORAGE_TEXT)
                values[j] = (struct mrl_value){ .text = none };
        mrl_filter__accepts(filter, &event);
    }
}

static void make(const struct mrl_filter_texts *texts)
{
    struct mrl_error error = { "" };
    struct mrl_filter *filter = NULL;
    struct mrl_rules rules;

    if (mrl_filter__new(texts, &error, &filter)) {
        must(!filter && error.text[0] && !strchr(error.text, '\n'));
        return;
    }
    must(filter->events && !(filter->events >> mrl_event_def__count()));
    must(mrl_filter__rules(filter, &rules) <= filter->condition_count);
    must(rules.count <= MRL_RULES_MAX && rules.name_count <= MRL_NAME_RULES_MAX);
    ask(filter);
    mrl_filter__free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    const char *const texts[] = { text };
    uint32_t events = 0;

    if (mrl_events__parse(text, &events, NULL))
        must(!events);
    make(&(struct mrl_filter_texts){ .events = texts, .event_count = 1 });
    make(&(struct mrl_filter_texts){
        .scopes = texts, .scope_count = 1, .start = { .boot_ns = 1, .cgroup_id = 1 } });
    free(text);
    return 0;
}
