// SPDX-License-Identifier: Apache-2.0
/* The plugin object: a source opened, batches handed out. */
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
#include "enrich/start.h"
#include "read/detail.h"
#include "read/plugin_options.h"
#include "read/plugin_state.h"

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

static void start_states(struct mrl_plugin *plugin, const struct mrl_plugin_options *given)
{
    char detail[MRL_STATE_DETAIL_MAX];

    assert(plugin->filter);
    describe(plugin, given, detail);
    mrl_states__start(&plugin->states, mrl_plugin__wants_states(plugin, plugin->filter), detail);
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
    if (!given.replay)
        mrl_start__read(&plugin->start);
    plugin->ops = checked.replay ? &mrl_replay_source : &mrl_live_source;
    plugin->pool = mrl_pool__new(MRL_BATCHES_MAX);
    err = plugin->pool ? mrl_plugin_options__filter(&given, &plugin->start, &plugin->filter, error)
                       : mrl_error__set(error, -ENOMEM, "out of memory");
    if (plugin->filter) {
        plugin->policies = mrl_policies__ref(plugin->filter->names);
        checked.probes.filter = plugin->filter;
        checked.probes.may_read_exe = plugin->may_read_exe =
            given.caller_exe || plugin->filter->wants_executable || given.switchable;
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
    mrl_policies__unref(plugin->policies);
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

int mrl_plugin__tell_names(struct mrl_plugin *plugin, const struct mrl_container_names *names)
{
    return plugin->ops->tell_names ? plugin->ops->tell_names(plugin->source, names) : -EOPNOTSUPP;
}

bool mrl_plugin__names(const struct mrl_plugin *plugin, struct mrl_names_status *ret_status)
{
    return plugin->ops->names && plugin->ops->names(plugin->source, ret_status);
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

int mrl_plugin__counts(struct mrl_plugin *plugin,
                       unsigned int event,
                       struct mrl_event_counts *ret_counts)
{
    if (event >= mrl_event_def__count())
        return -EINVAL;
    return plugin->ops->counts(plugin->source, event, ret_counts);
}

int mrl_plugin__policy(struct mrl_plugin *plugin,
                       unsigned int index,
                       struct mrl_policy_count *ret_count)
{
    const struct mrl_policies *policies;
    int err = -ENOENT;

    pthread_mutex_lock(&plugin->lock);
    policies = plugin->policies;
    if (policies && index < policies->count) {
        memcpy(ret_count->name, policies->each[index]->name, policies->each[index]->size + 1);
        ret_count->matched = policies->each[index]->matched;
        err = 0;
    }
    pthread_mutex_unlock(&plugin->lock);
    return err;
}
