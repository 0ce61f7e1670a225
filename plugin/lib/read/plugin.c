// SPDX-License-Identifier: Apache-2.0
/* The plugin object: a source opened, batches handed out, events switched. */
#include <assert.h>
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
#include "read/detail.h"
#include "read/plugin_options.h"
#include "read/states.h"

struct mrl_plugin {
    const struct mrl_source_ops *ops;
    struct mrl_source *source;
    struct mrl_pool *pool;
    struct mrl_filter *filter; /* of open() */
    bool wants_states;         /* whatever the filter names */
    bool switchable;
    char coverage[16];
    uint64_t started_ns;  /* since the epoch */
    atomic_uint unseen;   /* mrl_plugin_status.unseen */
    uint64_t start_ns;    /* CLOCK_BOOTTIME from which a process is new; 0: nobody knows */
    uint32_t may_watch;   /* the events whose programs are loaded */
    pthread_mutex_t lock; /* of the next two, when they change */
    uint32_t watched;
    atomic_uint chosen; /* watched now, or once */
    struct mrl_states states;
    atomic_bool stopped;
    struct mrl_error error;
};

/* -- the object ------------------------------------------------------------------------------- */

/* What `started` says. */
static void describe(const struct mrl_plugin *plugin,
                     const struct mrl_plugin_options *given,
                     char detail[MRL_STATE_DETAIL_MAX])
{
    FILE *to = fmemopen(detail, MRL_STATE_DETAIL_MAX, "w");
    struct utsname host = { .nodename = "" };
    const char *unproven = mrl_plugin__unproven(plugin);

    *detail = '\0';
    if (!to)
        return;
    uname(&host);
    fprintf(to, "version=%s; rung=%s; coverage=%s%s%s; host=%s; kernel=%s; ", mrl_version(),
            mrl_plugin__rung(plugin), given->coverage, *unproven ? "; unproven=" : "", unproven,
            host.nodename, host.release);
    mrl_detail__put_events(to, plugin->watched);
    mrl_detail__put_filters(to, given);
    fclose(to);
}

static bool are_wanted(const struct mrl_plugin *plugin, const struct mrl_filter *filter)
{
    return plugin->wants_states || filter->events & MRL_STATES;
}

static void start_states(struct mrl_plugin *plugin, const struct mrl_plugin_options *given)
{
    char detail[MRL_STATE_DETAIL_MAX];

    assert(plugin->filter);
    describe(plugin, given, detail);
    mrl_states__start(&plugin->states, are_wanted(plugin, plugin->filter), detail);
}

/* Said by the batch after the one that is being read, whose events are the first with the new
 * time. */
static void tell_clock_set(void *plugin, int64_t step_ns)
{
    char detail[64];

    snprintf(detail, sizeof(detail), "by=%+.3fs", (double)step_ns / 1e9);
    mrl_plugin__tell(plugin, MRL_WHAT_CLOCK_SET, detail, MRL_NOBODY, MRL_NOBODY, 0, 0);
}

int mrl_plugin__open(const struct mrl_plugin_options *options,
                     struct mrl_error *error,
                     struct mrl_plugin **ret_plugin)
{
    struct mrl_plugin_options given = MRL_PLUGIN_OPTIONS;
    struct mrl_source_options checked = { .replay = NULL };
    struct mrl_plugin *plugin;
    int err;

    /* A program built against an older header passes fewer members. */
    if (options)
        memcpy(&given, options, options->size < sizeof(given) ? options->size : sizeof(given));
    err = mrl_plugin_options__check(&given, &checked, error);
    if (err)
        return err;
    plugin = calloc(1, sizeof(*plugin));
    if (!plugin)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    pthread_mutex_init(&plugin->lock, NULL);
    mrl_states__init(&plugin->states, &(struct mrl_states_log){ given.log, given.log_context });
    plugin->switchable = given.switchable;
    plugin->wants_states = given.states;
    plugin->started_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    if (!given.replay)
        snprintf(plugin->coverage, sizeof(plugin->coverage), "%s", given.coverage);
    plugin->start_ns = given.replay ? 0 : (uint64_t)mrl_clock__boot_ns();
    plugin->ops = checked.replay ? &mrl_replay_source : &mrl_live_source;
    plugin->pool = mrl_pool__new(MRL_BATCHES_MAX);
    err = plugin->pool
              ? mrl_plugin_options__filter(&given, plugin->start_ns, &plugin->filter, error)
              : mrl_error__set(error, -ENOMEM, "out of memory");
    if (plugin->filter) {
        checked.probes.filter = plugin->filter;
        checked.clock_set = tell_clock_set;
        checked.context = plugin;
        plugin->chosen = plugin->watched = checked.probes.events =
            plugin->filter->events & mrl_event_list__choosable();
        checked.probes.may_watch = plugin->may_watch =
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

/* A batch may outlive the plugin. */
static void name_run(const struct mrl_plugin *plugin, struct mrl_batch *batch)
{
    memcpy(batch->run, plugin->states.run, sizeof(batch->run));
    for (size_t i = 0; i < batch->count; i++)
        batch->events[i].run = batch->run;
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
        name_run(plugin, batch);
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

void mrl_plugin__prove(struct mrl_plugin *plugin)
{
    if (plugin->ops->find_unseen)
        plugin->unseen = plugin->ops->find_unseen(plugin->source);
}

void mrl_plugin__status(const struct mrl_plugin *plugin, struct mrl_plugin_status *ret_status)
{
    *ret_status =
        (struct mrl_plugin_status){ .started_ns = plugin->started_ns, .unseen = plugin->unseen };
    memcpy(ret_status->coverage, plugin->coverage, sizeof(plugin->coverage));
    if (plugin->ops->rings)
        ret_status->ring_count = plugin->ops->rings(plugin->source, ret_status->rings);
}

const char *mrl_plugin__unproven(const struct mrl_plugin *plugin)
{
    return plugin->ops->unproven ? plugin->ops->unproven(plugin->source) : "";
}

unsigned int mrl_plugin__progress(const struct mrl_plugin *plugin)
{
    return plugin->ops->progress ? plugin->ops->progress(plugin->source) : 0;
}

uint32_t mrl_plugin__events(const struct mrl_plugin *plugin)
{
    return plugin->chosen;
}

uint32_t mrl_plugin__watched(struct mrl_plugin *plugin)
{
    return __atomic_load_n(&plugin->watched, __ATOMIC_RELAXED);
}

/* -- configuring ------------------------------------------------------------------------------ */

/* With the lock. A filter that is NULL stays as it is; one that is not is stolen. */
static int configure(struct mrl_plugin *plugin,
                     uint32_t events,
                     struct mrl_filter *filter,
                     struct mrl_error *error)
{
    int err = filter || events != plugin->watched
                  ? plugin->ops->configure(plugin->source, events, filter, error)
                  : 0;

    if (err)
        return err;
    __atomic_store_n(&plugin->watched, events, __ATOMIC_RELAXED);
    /* An event that is switched off keeps its counts, and so stays among those that are shown. */
    plugin->chosen |= events;
    return 0;
}

/* What `reloaded` says. */
static void tell_reloaded(struct mrl_plugin *plugin,
                          uint32_t events,
                          const struct mrl_plugin_options *given)
{
    char detail[MRL_TOLD_BYTES] = "";
    FILE *to = fmemopen(detail, sizeof(detail), "w");

    if (!to)
        return;
    mrl_detail__put_events(to, events);
    mrl_detail__put_filters(to, given);
    fclose(to);
    mrl_plugin__tell(plugin, MRL_WHAT_RELOADED, detail, MRL_NOBODY, MRL_NOBODY, 0, 0);
}

static int check_loaded(const struct mrl_plugin *plugin, uint32_t events, struct mrl_error *error)
{
    uint32_t missing = events & ~plugin->may_watch;

    return missing ? mrl_error__set(error, -EOPNOTSUPP, "%s was not loaded at the start",
                                    mrl_event_def__at((unsigned int)__builtin_ctz(missing))->name)
                   : 0;
}

static int reconfigure(struct mrl_plugin *plugin,
                       const struct mrl_plugin_options *given,
                       struct mrl_filter *filter,
                       struct mrl_error *error)
{
    uint32_t events = filter->events & mrl_event_list__choosable();
    bool states = are_wanted(plugin, filter);
    int err = check_loaded(plugin, events, error);

    if (err)
        return err;
    pthread_mutex_lock(&plugin->lock);
    err = configure(plugin, events, filter, error);
    if (!err)
        mrl_states__want(&plugin->states, states);
    pthread_mutex_unlock(&plugin->lock);
    if (!err)
        tell_reloaded(plugin, events, given);
    return err;
}

int mrl_plugin__reconfigure(struct mrl_plugin *plugin,
                            const struct mrl_plugin_options *options,
                            struct mrl_error *error)
{
    struct mrl_plugin_options given = MRL_PLUGIN_OPTIONS;
    struct mrl_filter *filter;
    int err;

    if (!plugin->ops->configure)
        return mrl_error__set(error, -EOPNOTSUPP, "a replay keeps the filters that it began with");
    memcpy(&given, options, options->size < sizeof(given) ? options->size : sizeof(given));
    err = mrl_plugin_options__filter(&given, plugin->start_ns, &filter, error);
    if (err)
        return err;
    err = reconfigure(plugin, &given, filter, error);
    if (err)
        mrl_filter__free(filter);
    return err;
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
        return mrl_error__set(error, -EOPNOTSUPP,
                              "nobody switches %s: it tells of the others or of the sensor",
                              mrl_event_def__at(event)->name);
    if (!plugin->switchable || !plugin->ops->configure)
        return mrl_error__set(error, -EOPNOTSUPP, "its events were chosen at the start");
    pthread_mutex_lock(&plugin->lock);
    err = configure(plugin, on ? plugin->watched | bit : plugin->watched & ~bit, NULL, error);
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
