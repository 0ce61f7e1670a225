// SPDX-License-Identifier: Apache-2.0
/* Making a filter from the texts of its policies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/policies.h"
#include "filter/filter.h"

#define SETS "tag=" /* how later versions of Tracee spell a set */

/* What a policy is made with, whichever it is. */
struct making {
    struct mrl_filter *filter;
    uint64_t policy; /* its bit */
    uint32_t preset;
    const struct mrl_start *start;
};

static int add_event_text(const struct making *making,
                          const char *text,
                          uint32_t *in,
                          uint32_t *out,
                          struct mrl_error *error)
{
    if (!strncmp(text, SETS, strlen(SETS)))
        return mrl_event_list__add_sets(text + strlen(SETS), in, error);
    return mrl_condition__is(text)
               ? mrl_condition__add(making->filter, making->policy, text, in, error)
               : mrl_event_list__add(text, in, out, error);
}

static int add_policy(const struct making *making,
                      const struct mrl_policy_texts *texts,
                      struct mrl_error *error)
{
    struct mrl_filter *filter = making->filter;
    uint32_t in = 0, out = 0, chosen;
    int err = 0;

    for (unsigned int i = 0; !err && i < texts->event_count; i++)
        err = add_event_text(making, texts->events[i], &in, &out, error);
    for (unsigned int i = 0; !err && i < texts->scope_count; i++)
        err = mrl_condition__add_scope(filter, making->policy, texts->scopes[i], making->start,
                                       error);
    if (err)
        return err;
    /* Who names sensor_state alone has chosen no call, and gets the usual ones. */
    if (!(in & ~MRL_STATES))
        in |= making->preset ? making->preset : mrl_event_list__set(MRL_SET_DEFAULT);
    /* What is left out stays out, wherever in the list it was said. */
    chosen = in & ~out;
    if (!(chosen & ~MRL_STATES))
        return mrl_error__set(error, -EINVAL, "'%.64s' leaves no event to watch",
                              texts->events[texts->event_count - 1]);
    filter->events |= chosen;
    filter->policies |= making->policy;
    for (; chosen; chosen &= chosen - 1)
        filter->chosen_by[__builtin_ctz(chosen)] |= making->policy;
    return mrl_conditions__agree(filter, making->policy, error);
}

static int add_named_policy(struct making *making,
                            const struct mrl_policy_texts *texts,
                            struct mrl_error *error)
{
    struct mrl_error reason;
    int err = mrl_policies__add(making->filter->names, texts->name, error);

    if (err)
        return err;
    err = add_policy(making, texts, &reason);
    making->policy <<= 1;
    return err ? mrl_error__set(error, err, "policy %s: %s", texts->name, reason.text) : 0;
}

static struct mrl_filter *new_filter(bool has_names, struct mrl_error *error)
{
    struct mrl_filter *filter = calloc(1, sizeof(*filter));

    if (filter && has_names)
        filter->names = mrl_policies__new();
    if (filter && (filter->names || !has_names))
        return filter;
    free(filter);
    mrl_error__set(error, -ENOMEM, "out of memory");
    return NULL;
}

int mrl_filter__new(const struct mrl_filter_texts *texts,
                    struct mrl_error *error,
                    struct mrl_filter **ret_filter)
{
    const struct mrl_policy_texts policy = { "", texts->events, texts->event_count, texts->scopes,
                                             texts->scope_count };
    struct making making = { .filter = new_filter(false, error),
                             .policy = 1,
                             .preset = texts->preset,
                             .start = &texts->start };
    int err = making.filter ? add_policy(&making, &policy, error) : -ENOMEM;

    if (err)
        mrl_filter__free(making.filter);
    else
        *ret_filter = making.filter;
    return err;
}

int mrl_filter__of_policies(const struct mrl_policy_texts *policies,
                            unsigned int count,
                            const struct mrl_start *start,
                            struct mrl_error *error,
                            struct mrl_filter **ret_filter)
{
    struct making making = { .filter = new_filter(true, error), .policy = 1, .start = start };
    int err = making.filter ? 0 : -ENOMEM;

    for (unsigned int i = 0; !err && i < count; i++)
        err = add_named_policy(&making, &policies[i], error);
    if (!err && !count)
        err = mrl_error__set(error, -EINVAL, "no policy");
    if (err) {
        mrl_filter__free(making.filter);
        return err;
    }
    mrl_conditions__merge(making.filter);
    *ret_filter = making.filter;
    return 0;
}

void mrl_filter__free(struct mrl_filter *filter)
{
    if (!filter)
        return;
    for (unsigned int i = 0; i < filter->condition_count; i++)
        mrl_condition__done(&filter->conditions[i]);
    free(filter->conditions);
    mrl_policies__unref(filter->names);
    free(filter);
}

int mrl_events__parse(const char *list, uint32_t *ret_events, struct mrl_error *error)
{
    const struct mrl_filter_texts texts = { .events = &list, .event_count = 1 };
    struct mrl_filter *filter;
    int err = mrl_filter__new(&texts, error, &filter);

    if (err)
        return err;
    *ret_events = filter->events;
    mrl_filter__free(filter);
    return 0;
}
