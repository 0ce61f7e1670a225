// SPDX-License-Identifier: Apache-2.0
/* The plugin object: options checked, a source opened, batches handed out. */
#include <errno.h>
#include <mrelease/extra.h>
#include <mrelease/mrelease.h>
#include <mrelease/plugin.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/utsname.h>

#include "base/clock.h"
#include "event/batch.h"
#include "filter/filter.h"
#include "read/source.h"
#include "read/states.h"

#define RING_BYTES_MAX (1ULL << 30)

struct mrl_plugin {
    const struct mrl_source_ops *ops;
    struct mrl_source *source;
    struct mrl_pool *pool;
    struct mrl_filter *filter;
    bool switchable;
    pthread_mutex_t lock; /* of the next two, when they change */
    uint32_t watched;
    atomic_uint chosen; /* watched now, or once */
    struct mrl_states states;
    atomic_bool stopped;
    struct mrl_error error;
};

/* -- options ---------------------------------------------------------------------------------- */

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
    const struct mrl_filter_texts texts = { .scopes = &value, .scope_count = 1, .start_ns = 1 };
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
      .doc = "Events to watch: names, sets, prefixes like 'mlock*'; '-NAME' leaves one out. Or a "
             "condition on one: NAME.data.FIELD=…, NAME.retval<0, NAME.scope.uid!=0. May be "
             "repeated." },
    { .name = "scope",
      .letter = 's',
      .type = MRL_OPTION_TEXT,
      .offset = AT(scopes),
      .many = MRL_FILTERS_MAX,
      .counter = AT(scope_count),
      .parse = check_scope,
      .value = "SCOPE",
      .doc = "Only calls from there: uid=0, pid=N, comm=NAME, container, not-container, … May be "
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

/* A capture holds what was chosen when it was recorded: by default, all of it is wanted. */
static int make_filter(const struct mrl_plugin_options *given,
                       struct mrl_filter **ret_filter,
                       struct mrl_error *error)
{
    const char *events[MRL_FILTERS_MAX + 1];
    struct mrl_filter_texts texts = {
        .events = events,
        .scopes = given->scopes,
        .scope_count = given->scope_count,
        .preset = given->replay ? mrl_event_list__nameable() : 0,
        .start_ns = given->replay ? 0 : (uint64_t)mrl_clock__boot_ns(),
    };

    if (given->more_event_count > MRL_FILTERS_MAX || given->scope_count > MRL_FILTERS_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d filters", MRL_FILTERS_MAX);
    if (given->events)
        events[texts.event_count++] = given->events;
    for (unsigned int i = 0; i < given->more_event_count; i++)
        events[texts.event_count++] = given->more_events[i];
    return mrl_filter__new(&texts, error, ret_filter);
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

/* Also completes `given`. */
static int check_options(struct mrl_plugin_options *given,
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
    probes->coverage = given->coverage;
    probes->rung = strcmp(given->rung, "auto") ? given->rung : NULL;
    probes->log = given->log;
    probes->log_context = given->log_context;
    probes->needs = mrl_extras__needs(given->extras);
    probes->caller_exe = given->caller_exe;
    return 0;
}

/* -- the object ------------------------------------------------------------------------------- */

/* Texts of users: what ends a value there must not end it here. */
static void put_filters(FILE *to, const struct mrl_plugin_options *given)
{
    const char *between = "";

    fputs("; filters=", to);
    for (unsigned int i = 0; i < given->more_event_count + given->scope_count; i++) {
        bool is_scope = i >= given->more_event_count;
        const char *text =
            is_scope ? given->scopes[i - given->more_event_count] : given->more_events[i];

        if (!is_scope && !mrl_condition__is(text))
            continue;
        fprintf(to, "%s%s", between, is_scope ? "scope " : "");
        for (; *text; text++)
            fputc(*text == ';' ? ',' : *text, to);
        between = " ";
    }
    if (!*between)
        fputs("none", to);
}

/* What `started` says. */
static void describe(const struct mrl_plugin *plugin,
                     const struct mrl_plugin_options *given,
                     char detail[MRL_STATE_DETAIL_MAX])
{
    FILE *to = fmemopen(detail, MRL_STATE_DETAIL_MAX, "w");
    struct utsname host = { .nodename = "" };
    const char *between = "";

    *detail = '\0';
    if (!to)
        return;
    uname(&host);
    fprintf(to, "version=%s; rung=%s; coverage=%s; host=%s; kernel=%s; events=", mrl_version(),
            mrl_plugin__rung(plugin), given->coverage, host.nodename, host.release);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (plugin->watched & (1U << i)) {
            fprintf(to, "%s%s", between, mrl_event_def__at(i)->name);
            between = ",";
        }
    put_filters(to, given);
    fclose(to);
}

static void start_states(struct mrl_plugin *plugin, const struct mrl_plugin_options *given)
{
    char detail[MRL_STATE_DETAIL_MAX];

    describe(plugin, given, detail);
    mrl_states__start(&plugin->states, given->states || (plugin->filter->events & MRL_STATES),
                      detail);
}

int mrl_plugin__open(const struct mrl_plugin_options *options,
                     struct mrl_error *error,
                     struct mrl_plugin **ret_plugin)
{
    struct mrl_plugin_options given = MRL_PLUGIN_OPTIONS;
    struct mrl_source_options checked;
    struct mrl_plugin *plugin;
    int err;

    /* A program built against an older header passes fewer members. */
    if (options)
        memcpy(&given, options, options->size < sizeof(given) ? options->size : sizeof(given));
    err = check_options(&given, &checked, error);
    if (err)
        return err;
    plugin = calloc(1, sizeof(*plugin));
    if (!plugin)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    pthread_mutex_init(&plugin->lock, NULL);
    mrl_states__init(&plugin->states, &(struct mrl_states_log){ given.log, given.log_context });
    plugin->switchable = given.switchable;
    plugin->ops = checked.replay ? &mrl_replay_source : &mrl_live_source;
    plugin->pool = mrl_pool__new(MRL_BATCHES_MAX);
    err = plugin->pool ? make_filter(&given, &plugin->filter, error)
                       : mrl_error__set(error, -ENOMEM, "out of memory");
    if (plugin->filter) {
        checked.probes.filter = plugin->filter;
        plugin->chosen = plugin->watched = checked.probes.events =
            plugin->filter->events & mrl_event_list__choosable();
        checked.probes.may_watch =
            checked.probes.events | (given.switchable ? mrl_event_list__choosable() : 0);
        err = plugin->ops->open(&checked, error, &plugin->source);
    }
    if (err) {
        mrl_plugin__close(plugin);
        return err;
    }
    if (!given.replay)
        start_states(plugin, &given);
    *ret_plugin = plugin;
    return 0;
}

/* What the sensor says of itself comes in batches of its own: a source fills empty ones. */
static int read_batch(struct mrl_plugin *plugin, int timeout_ms, struct mrl_batch *batch)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    int count = mrl_states__take(&plugin->states, now_ns, batch);

    if (count)
        return count;
    count = plugin->ops->read(plugin->source,
                              mrl_states__wait_ms(&plugin->states, now_ns, timeout_ms), batch);
    /* Perhaps it was woken for that. */
    if (!count)
        count = mrl_states__take(&plugin->states, mrl_clock__ns(CLOCK_MONOTONIC), batch);
    if (!count && atomic_load(&plugin->stopped))
        count = mrl_states__stop(&plugin->states, batch);
    return count;
}

int mrl_plugin__next_batch(struct mrl_plugin *plugin, int timeout_ms, struct mrl_batch **ret_batch)
{
    struct mrl_batch *batch = mrl_pool__get(plugin->pool);
    int count;

    if (!batch)
        return mrl_error__set(&plugin->error, -EAGAIN,
                              "no batch: %d are out, or there is no memory", MRL_BATCHES_MAX);
    count = read_batch(plugin, timeout_ms, batch);
    if (count > 0) {
        mrl_states__count(&plugin->states, batch);
        *ret_batch = batch;
        return count;
    }
    mrl_batch__unref(batch);
    if (count < 0 && plugin->ops->problem)
        mrl_error__set(&plugin->error, count, "%s", plugin->ops->problem(plugin->source));
    else if (count < 0)
        mrl_error__set(&plugin->error, count, "reading events: %s", strerror(-count));
    return count;
}

void mrl_plugin__interrupt(struct mrl_plugin *plugin)
{
    plugin->ops->interrupt(plugin->source);
}

void mrl_plugin__stop(struct mrl_plugin *plugin)
{
    plugin->ops->stop(plugin->source);
    atomic_store(&plugin->stopped, true);
}

void mrl_plugin__close(struct mrl_plugin *plugin)
{
    if (!plugin)
        return;
    /* The source first: it uses the pool's batches and the filter. */
    plugin->ops->close(plugin->source);
    mrl_pool__unref(plugin->pool);
    mrl_filter__free(plugin->filter);
    mrl_states__done(&plugin->states);
    pthread_mutex_destroy(&plugin->lock);
    free(plugin);
}

const char *mrl_plugin__run(const struct mrl_plugin *plugin)
{
    return plugin->states.run;
}

int mrl_plugin__tell(struct mrl_plugin *plugin,
                     enum mrl_what what,
                     const char *detail,
                     int64_t by_uid,
                     int64_t by_pid,
                     uint64_t from_ns,
                     uint64_t to_ns)
{
    const struct mrl_state state = {
        .what = what,
        .detail = { detail ? detail : "", detail ? strlen(detail) : 0 },
        .by_uid = by_uid,
        .by_pid = by_pid,
        .from_ns = from_ns,
        .to_ns = to_ns,
    };
    int err = mrl_states__tell(&plugin->states, &state);

    mrl_plugin__interrupt(plugin);
    return err;
}

void mrl_plugin__set_alive_ns(struct mrl_plugin *plugin, int64_t alive_ns)
{
    plugin->states.alive_ns = alive_ns;
}

const char *mrl_plugin__error(const struct mrl_plugin *plugin)
{
    return plugin->error.text;
}

const char *mrl_plugin__rung(const struct mrl_plugin *plugin)
{
    return plugin->ops->rung(plugin->source);
}

unsigned int mrl_plugin__progress(const struct mrl_plugin *plugin)
{
    return plugin->ops->progress ? plugin->ops->progress(plugin->source) : 0;
}

uint32_t mrl_plugin__events(const struct mrl_plugin *plugin)
{
    return plugin->chosen;
}

/* -- switching -------------------------------------------------------------------------------- */

static int watch(struct mrl_plugin *plugin, uint32_t events, struct mrl_error *error)
{
    int err = 0;

    if (events != plugin->watched)
        err = plugin->ops->watch(plugin->source, events, error);
    if (err)
        return err;
    plugin->watched = events;
    /* An event that is switched off keeps its counts, and so stays among those that are shown. */
    plugin->chosen |= events;
    return 0;
}

static int switch_event(struct mrl_plugin *plugin,
                        unsigned int event,
                        bool on,
                        struct mrl_error *error)
{
    uint32_t bit;
    int err;

    if (event >= mrl_event_def__count())
        return mrl_error__set(error, -EINVAL, "there is no event %u", event);
    bit = 1U << event;
    if (!(mrl_event_list__choosable() & bit))
        return mrl_error__set(error, -EOPNOTSUPP, "%s is always on: it is about the others",
                              mrl_event_def__at(event)->name);
    if (!plugin->switchable || !plugin->ops->watch)
        return mrl_error__set(error, -EOPNOTSUPP, "its events were chosen at the start");
    pthread_mutex_lock(&plugin->lock);
    err = watch(plugin, on ? plugin->watched | bit : plugin->watched & ~bit, error);
    pthread_mutex_unlock(&plugin->lock);
    return err;
}

int mrl_plugin__enable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error)
{
    return switch_event(plugin, event, true, error);
}

int mrl_plugin__disable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error)
{
    return switch_event(plugin, event, false, error);
}

int mrl_plugin__counts(struct mrl_plugin *plugin,
                       unsigned int event,
                       struct mrl_event_counts *ret_counts)
{
    if (event >= mrl_event_def__count())
        return -EINVAL;
    return plugin->ops->counts(plugin->source, event, ret_counts);
}
