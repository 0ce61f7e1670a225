// SPDX-License-Identifier: Apache-2.0
/* The options of a plugin: their rows, and what they mean together. */
#include "read/plugin_options.h"

#include <errno.h>
#include <mrelease/extra.h>
#include <string.h>
#include <unistd.h>

#include "filter/filter.h"

#define RING_BYTES_MAX (1ULL << 30)

/* For who asks only whether a text is right. */
#define MRL_ANY_START                                                \
    {                                                                \
        .boot_ns = 1, .cgroup_id = 1, .mount_namespace = UINT32_MAX, \
    }

/* What can be chosen: calls and what happens within them, then sets. */
static const char *event_word(unsigned int index)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (*mrl_event_def__at(i)->syscall && !index--)
            return mrl_event_def__at(i)->name;
    return mrl_set_name(index);
}

static const char *rung_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);

    return index < count ? rungs[index].name : NULL;
}

static int check_events(void *member, const char *value, struct mrl_error *error)
{
    uint32_t events;

    (void)member;
    return mrl_events__parse(value, &events, error);
}

static int check_scope(void *member, const char *value, struct mrl_error *error)
{
    const struct mrl_filter_texts texts = { .scopes = &value,
                                            .scope_count = 1,
                                            .start = MRL_ANY_START };
    struct mrl_filter *filter;
    int err = mrl_filter__new(&texts, error, &filter);

    (void)member;
    if (!err)
        mrl_filter__free(filter);
    return err;
}

static const char *const any_rung[] = { "auto", NULL };
static const char *const coverages[] = { "compat", "native", "all", NULL };

#define AT(member) offsetof(struct mrl_plugin_options, member)

static const struct mrl_option rows[] = {
    { .name = "events",
      .letter = 'e',
      .type = MRL_OPTION_TEXT,
      .offset = AT(more_events),
      .many = MRL_FILTERS_MAX,
      .counter = AT(more_event_count),
      .parse = check_events,
      .word = event_word,
      .separator = ',',
      .value = "EVENTS",
      .preset = "default",
      .reloads = true,
      .doc = "Events to watch: names, sets, prefixes like 'mlock*'; '-NAME' leaves one out. Or a "
             "condition on one: NAME.data.FIELD=..., NAME.retval<0, NAME.scope.uid!=0. May be "
             "repeated." },
    { .name = "scope",
      .letter = 's',
      .type = MRL_OPTION_TEXT,
      .offset = AT(scopes),
      .many = MRL_FILTERS_MAX,
      .counter = AT(scope_count),
      .parse = check_scope,
      .value = "SCOPE",
      .reloads = true,
      .doc = "Only calls from there: uid=0, pid=N, comm=NAME, container, not-container, ... May be "
             "repeated: all must hold." },
    { .name = "rung",
      .type = MRL_OPTION_WORD,
      .offset = AT(rung),
      .words = any_rung,
      .word = rung_word,
      .value = "RUNG",
      .preset = "auto",
      .doc = "How to probe; auto takes the best that works." },
    { .name = "coverage",
      .type = MRL_OPTION_WORD,
      .offset = AT(coverage),
      .words = coverages,
      .preset = "compat",
      .doc =
          "What must be seen: compat (32-bit calls too), native (they may be missed, for a lower "
          "tax), all." },
    { .name = "ring",
      .type = MRL_OPTION_BYTES,
      .offset = AT(rare_ring_bytes),
      .min = 1,
      .max = RING_BYTES_MAX,
      .preset = "8M",
      .doc = "Ring buffer of the rare events." },
    { .name = "busy-ring",
      .was = "mlock-ring",
      .type = MRL_OPTION_BYTES,
      .offset = AT(busy_ring_bytes),
      .min = 1,
      .max = RING_BYTES_MAX,
      .preset = "4M",
      .doc = "Ring buffer of the mlock family." },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

const struct mrl_option *mrl_plugin_options__rows(unsigned int *ret_count)
{
    *ret_count = ROW_COUNT;
    return rows;
}

static int make_policies(const struct mrl_plugin_options *given,
                         const struct mrl_start *start,
                         struct mrl_filter **ret_filter,
                         struct mrl_error *error)
{
    if (given->events || given->more_event_count || given->scope_count)
        return mrl_error__set(
            error, -EINVAL, "policies say which events and scopes: none can be given beside them");
    return mrl_filter__of_policies(given->policies, given->policy_count, start, error, ret_filter);
}

/* A capture holds what was chosen when it was recorded: by default, all of it is wanted. */
int mrl_plugin_options__filter(const struct mrl_plugin_options *given,
                               const struct mrl_start *start,
                               struct mrl_filter **ret_filter,
                               struct mrl_error *error)
{
    const char *events[MRL_FILTERS_MAX + 1];
    struct mrl_filter_texts texts = {
        .events = events,
        .scopes = given->scopes,
        .scope_count = given->scope_count,
        .preset = given->replay ? mrl_event_list__nameable() : 0,
        .start = *start,
    };

    if (given->policy_count)
        return make_policies(given, start, ret_filter, error);
    if (given->more_event_count > MRL_FILTERS_MAX || given->scope_count > MRL_FILTERS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d filters", MRL_FILTERS_MAX);
    if (given->events)
        events[texts.event_count++] = given->events;
    for (unsigned int i = 0; i < given->more_event_count; i++)
        events[texts.event_count++] = given->more_events[i];
    return mrl_filter__new(&texts, error, ret_filter);
}

int mrl_plugin_options__events(const struct mrl_plugin_options *options,
                               uint32_t *ret_events,
                               struct mrl_error *error)
{
    struct mrl_filter *filter;
    const struct mrl_start start = MRL_ANY_START, none = { .boot_ns = 0 };
    int err = mrl_plugin_options__filter(options, options->replay ? &none : &start, &filter, error);

    if (err)
        return err;
    *ret_events = filter->events;
    mrl_filter__free(filter);
    return 0;
}

/* The kernel wants a power of two of pages. */
static int round_ring(uint64_t wanted, uint64_t *ret_bytes, struct mrl_error *error)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PAGESIZE);

    if (wanted > RING_BYTES_MAX)
        return mrl_error__set(error, -EINVAL, "a ring buffer of more than 1G");
    while (bytes < wanted)
        bytes *= 2;
    *ret_bytes = bytes;
    return 0;
}

/* A word that no row has checked: the caller filled the struct by itself. */
static int check_word(const char *name, struct mrl_plugin_options *given, struct mrl_error *error)
{
    const struct mrl_option *row = mrl_option__find(rows, ROW_COUNT, "option", name, error);
    const char *word = *(const char **)(void *)((char *)given + row->offset);

    return mrl_option__set(row, given, word, error);
}

/* 0 or NULL is no value of these: it means that the caller left the choice to us. */
static void complete(struct mrl_plugin_options *given)
{
    struct mrl_plugin_options preset = MRL_PLUGIN_OPTIONS;

    mrl_options__preset(rows, ROW_COUNT, &preset);
    if (!given->rung)
        given->rung = preset.rung;
    if (!given->coverage)
        given->coverage = preset.coverage;
    if (!given->rare_ring_bytes)
        given->rare_ring_bytes = preset.rare_ring_bytes;
    if (!given->busy_ring_bytes)
        given->busy_ring_bytes = preset.busy_ring_bytes;
}

int mrl_plugin_options__check(struct mrl_plugin_options *given,
                              struct mrl_source_options *checked,
                              struct mrl_error *error)
{
    struct mrl_probe_options *probes = &checked->probes;
    int err;

    complete(given);
    err = check_word("rung", given, error);
    if (!err)
        err = check_word("coverage", given, error);
    if (!err)
        err = round_ring(given->rare_ring_bytes, &probes->rare_ring_bytes, error);
    if (!err)
        err = round_ring(given->busy_ring_bytes, &probes->busy_ring_bytes, error);
    if (err)
        return err;
    checked->replay = given->replay;
    checked->states = given->states;
    checked->names = probes->names = given->names;
    checked->asking = (struct mrl_names_asking){ given->ask_names, given->names_context };
    checked->names_wait_ns = given->names_wait_ns;
    probes->coverage = given->coverage;
    probes->rung = strcmp(given->rung, "auto") ? given->rung : NULL;
    probes->log = given->log;
    probes->log_context = given->log_context;
    probes->needs = mrl_extras__needs(given->extras);
    probes->caller_exe = given->caller_exe;
    probes->trials = given->trials;
    return 0;
}
