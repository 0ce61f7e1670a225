// SPDX-License-Identifier: Apache-2.0
/*
 * The live source: records of this kernel, from the two ring buffers of the probes.
 *
 * Waiting. Where records are far apart, the kernel wakes the reader for each. Where they are close
 * (read/pace.h), the reader says that it is awake, the probes send no wake-ups, and it naps while
 * the rings fill. Before it relies on wake-ups again it says so, and looks once more. A record that
 * was begun before that and ended after that look sends none: the first, short sleep finds it, or,
 * where its task was held up meanwhile, the look after a second of quiet.
 *
 * Giving back. Records are given back to the kernel when the next batch is asked for: by then the
 * caller has delivered the last one, and what a killed reader leaves is still in the ring.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "enrich/host.h"
#include "probe/culprits.h"
#include "probe/ladder.h"
#include "probe/rings.h"
#include "probe/skeleton.h"
#include "read/intake.h"
#include "read/pace.h"
#include "read/sleeper.h"
#include "read/source.h"

enum {
    SHORT_SLEEP_MS = 1,
    QUIET_MS = 1000, /* without records, after which losses at the end of a flood are told */
    RARE_SHARE_COUNT = MRL_BATCH_EVENTS * 3 / 4, /* of a batch: neither lane can starve the other */
};

struct mrl_source {
    struct mrl_host host;
    struct mrl_probes probes;
    pthread_mutex_t lock; /* of the probes: they are watched, counted and stopped by any thread */
    atomic_bool stopped;
    struct mrl_culprits culprits;
    struct mrl_probe_options options; /* for their log */
    struct mrl_intake intake;         /* of what the rings hold */
    struct mrl_ring rings[MRL_LANE_COUNT];
    struct mrl_sleeper sleeper;
    void (*clock_set)(void *context, int64_t step_ns);
    void *context;
    struct mrl_pace pace;
    bool awake;              /* the probes were told so: they send no wake-ups */
    bool awaited;            /* nobody has slept since the probes were told otherwise */
    bool full;               /* the last batch held no more: there is more in the rings */
    struct mrl_batch *batch; /* being filled */
};

static void read_lane(struct mrl_source *source, enum mrl_lane lane, size_t limit)
{
    if (mrl_intake__begin(&source->intake, source->batch, limit))
        source->full |= mrl_ring__read(&source->rings[lane], mrl_intake__take, &source->intake);
}

static void release(struct mrl_source *source)
{
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        mrl_ring__release(&source->rings[lane]);
    /* Those that are held may be of a filter of which the rings hold no more. */
    if (!source->intake.held.count)
        mrl_filters__drop_read(&source->intake.filters, source->rings);
}

/* All times of a batch are by one clock, so this is asked while it is empty. */
static void follow_clock(struct mrl_source *source)
{
    int64_t step_ns = mrl_host__follow_clock(&source->host);

    if (step_ns && source->clock_set)
        source->clock_set(source->context, step_ns);
}

/* Nothing waits once the probes are gone. */
static void let_go(struct mrl_source *source)
{
    if (source->intake.held.names &&
        mrl_intake__begin(&source->intake, source->batch, MRL_BATCH_EVENTS))
        source->full |= mrl_intake__let_go(
            &source->intake, source->stopped ? INT64_MAX : mrl_clock__ns(CLOCK_MONOTONIC));
}

/* Fills the batch from both lanes. Returns its number of events. */
static int consume(struct mrl_source *source)
{
    if (!source->batch->count)
        follow_clock(source);
    source->full = false;
    source->intake.records = 0;
    let_go(source);
    /* The rare lane first, and not for the whole batch: a flood in one lane must not keep the
     * other waiting. */
    read_lane(source, MRL_LANE_RARE, RARE_SHARE_COUNT);
    read_lane(source, MRL_LANE_BUSY, MRL_BATCH_EVENTS);
    mrl_pace__saw(&source->pace, mrl_clock__ns(CLOCK_MONOTONIC), source->intake.records);
    return (int)source->batch->count;
}

/* Whether the probes send wake-ups. */
static void say_awake(struct mrl_source *source, bool awake)
{
    if (awake == source->awake)
        return;
    source->awake = awake;
    source->awaited = !awake;
    /* The caller looks at the rings once more after this. Sequential consistency keeps the look
     * behind the store: in a weaker order a record could come after the look and still send no
     * wake-up. */
    __atomic_store_n(&source->probes.object->bss->reader_awake, awake, __ATOMIC_SEQ_CST);
}

/* Tells what was lost behind the last record: no later record is there to show it by its number. */
static int tell_losses(struct mrl_source *source)
{
    mrl_intake__tell_losses(&source->intake);
    return (int)source->batch->count;
}

/* How long to sleep: briefly after the probes were told to send wake-ups, see above. */
static int sleep_ms(struct mrl_source *source)
{
    bool brief = source->awaited;
    int due_ms = mrl_held__due_ms(&source->intake.held);

    source->awaited = false;
    if (brief)
        return SHORT_SLEEP_MS;
    if (due_ms >= 0)
        return due_ms;
    return source->intake.untold ? QUIET_MS : INT32_MAX;
}

/* Waits until there is something, or `end`. The number of events, or what epoll says. */
static int wait_and_consume(struct mrl_source *source, int64_t end)
{
    int count = 0;

    while (!count && !source->intake.records && !source->sleeper.interrupted &&
           !source->pace.close) {
        int left_ms = mrl_clock__left_ms(end), most_ms = sleep_ms(source), slept;

        if (!left_ms)
            break;
        slept = mrl_sleeper__sleep(&source->sleeper, most_ms < left_ms ? most_ms : left_ms);
        if (slept < 0)
            return slept;
        count = consume(source);
        if (!count && !slept && most_ms == QUIET_MS)
            count = tell_losses(source);
    }
    return count;
}

/* One look at the rings, and, where there is nothing, as long as may be waited for it. */
static int look(struct mrl_source *source, int timeout_ms, int64_t end)
{
    int count;

    release(source);
    if (source->pace.close && !source->full && timeout_ms && !source->stopped)
        mrl_pace__nap(&source->pace);
    count = consume(source);
    say_awake(source, source->pace.close);
    if (!count && source->awaited)
        count = consume(source);
    if (count || source->intake.records || !timeout_ms || source->stopped || source->pace.close)
        return count;
    return wait_and_consume(source, end);
}

/* Whether to look again after a look whose records were all filtered. Once the probes are
 * detached: for as long as a look finds records. */
static bool may_look_again(struct mrl_source *source, int64_t end)
{
    if (source->stopped)
        return source->intake.records;
    mrl_sleeper__sleep(&source->sleeper, 0);
    return !source->sleeper.interrupted && mrl_clock__ns(CLOCK_MONOTONIC) < end;
}

static int live_read(struct mrl_source *source, int timeout_ms, struct mrl_batch *batch)
{
    int64_t end =
        timeout_ms < 0 ? INT64_MAX : mrl_clock__ns(CLOCK_MONOTONIC) + timeout_ms * INT64_C(1000000);
    int count;

    source->batch = batch;
    /* Here and not at the start: by now who embeds this has given up what rights it does not need.
     */
    if (source->intake.held.names)
        mrl_intake__hear_changes(&source->intake,
                                 bpf_map__fd(source->probes.object->maps.cgroup_changes));
    do
        count = look(source, timeout_ms, end);
    while (!count && (source->intake.records || source->pace.close) && may_look_again(source, end));
    if (!count && source->stopped)
        count = tell_losses(source);
    source->sleeper.interrupted = false;
    return count;
}

static void live_interrupt(struct mrl_source *source)
{
    mrl_sleeper__interrupt(&source->sleeper);
}

static int live_tell_names(struct mrl_source *source, const struct mrl_container_names *names)
{
    int err = mrl_intake__tell_names(&source->intake, names);

    /* Else they are found when the next record comes. */
    if (err > 0)
        live_interrupt(source);
    return err < 0 ? err : 0;
}

static bool live_names(const struct mrl_source *source, struct mrl_names_status *ret_status)
{
    return mrl_intake__names(&source->intake, ret_status);
}

static void live_stop(struct mrl_source *source)
{
    pthread_mutex_lock(&source->lock);
    mrl_probes__detach(&source->probes);
    mrl_intake__end_changes(&source->intake);
    /* Only after the programs have ended: a reader that finds this set takes what is in the rings
     * for all that will ever be there. */
    source->stopped = true;
    pthread_mutex_unlock(&source->lock);
}

static int configure(struct mrl_source *source,
                     uint32_t events,
                     struct mrl_filter *filter,
                     struct mrl_error *error)
{
    struct mrl_filters *filters = &source->intake.filters;
    int err;

    if (source->stopped)
        return mrl_error__set(error, -ESHUTDOWN, "the probes are gone");
    /* The reader has the filter before the first record comes that was judged by it. */
    if (filter && mrl_filters__add(filters, source->probes.generation + 1, filter, error))
        return -EAGAIN;
    err = mrl_ladder__configure(&source->probes, events, mrl_filters__last(filters), error);
    if (filter && err)
        mrl_filters__take_back(filters);
    else if (filter)
        mrl_filters__end(filters, source->rings);
    return err;
}

static int live_configure(struct mrl_source *source,
                          uint32_t events,
                          struct mrl_filter *filter,
                          struct mrl_error *error)
{
    int err;

    pthread_mutex_lock(&source->lock);
    err = configure(source, events, filter, error);
    pthread_mutex_unlock(&source->lock);
    return err;
}

static void live_close(struct mrl_source *source)
{
    if (!source)
        return;
    live_stop(source);
    mrl_rings__close(source->rings);
    mrl_intake__done(&source->intake);
    mrl_probes__close(&source->probes);
    mrl_host__done(&source->host);
    mrl_sleeper__done(&source->sleeper);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

static int open_rings(struct mrl_source *source)
{
    int err = mrl_rings__open(source->rings, &source->probes);

    for (int lane = 0; !err && lane < MRL_LANE_COUNT; lane++)
        err = mrl_sleeper__watch(&source->sleeper, source->rings[lane].fd);
    return err;
}

static int read_counters(const void *probes,
                         unsigned int event,
                         struct mrl_event_counters *ret_each,
                         unsigned int cpus)
{
    return mrl_probes__read_counters(probes, event, ret_each, cpus);
}

static int init_intake(struct mrl_source *source, const struct mrl_probe_options *options)
{
    unsigned int all = options->filter->condition_count;
    struct mrl_kernel_counters counters = { .read = read_counters, .context = &source->probes };
    int cpus = libbpf_num_possible_cpus();
    struct mrl_rules rules;

    if (cpus < 0)
        return cpus;
    counters.cpus = (unsigned int)cpus;
    source->options = *options;
    source->culprits =
        (struct mrl_culprits){ .probes = &source->probes, .options = &source->options };
    counters.blame = mrl_culprits__blame;
    counters.culprits = &source->culprits;
    if (all)
        mrl_probe_options__log(options, MRL_LOG_DEBUG, "filters: %u, the kernel decides %u", all,
                               all - mrl_filter__rules(options->filter, &rules));
    return mrl_intake__init(&source->intake, &source->host, options->filter, &counters,
                            options->may_watch | mrl_probes__syscalls(options->may_watch));
}

static int live_open(const struct mrl_source_options *options,
                     struct mrl_error *error,
                     struct mrl_source **ret_source)
{
    struct mrl_source *source = calloc(1, sizeof(*source));
    int err;

    if (!source)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    pthread_mutex_init(&source->lock, NULL);
    source->pace = MRL_PACE;
    source->clock_set = options->clock_set;
    source->context = options->context;
    err = mrl_sleeper__open(&source->sleeper, mrl_host__open_clock());
    if (!err)
        err = mrl_host__init(&source->host);
    if (err)
        mrl_error__set(error, err, "preparing to read events: %s", strerror(-err));
    if (!err)
        err = mrl_ladder__climb(&options->probes, source->host.facts.cgroup_v1, error,
                                &source->probes);
    if (!err) {
        err = init_intake(source, &options->probes);
        if (!err && options->names)
            err = mrl_intake__name(&source->intake, &options->asking, options->names_wait_ns);
        if (!err)
            err = open_rings(source);
        if (err)
            mrl_error__set(error, err, "mapping the ring buffers: %s", strerror(-err));
    }
    if (err) {
        live_close(source);
        return err;
    }
    *ret_source = source;
    return 0;
}

static int live_counts(struct mrl_source *source,
                       unsigned int event,
                       struct mrl_event_counts *ret_counts)
{
    struct mrl_event_counts counts;
    int err;

    pthread_mutex_lock(&source->lock);
    /* With the lock, since another thread may be detaching the probes that are asked. */
    err = mrl_probes__counters(&source->probes, event, &counts);
    if (!err)
        err = mrl_probes__missed(&source->probes, &counts.missed);
    pthread_mutex_unlock(&source->lock);
    if (err)
        return err;
    mrl_intake__add_counts(&source->intake, event, &counts);
    *ret_counts = counts;
    return 0;
}

static uint32_t live_find_unseen(struct mrl_source *source)
{
    uint32_t unseen;

    pthread_mutex_lock(&source->lock);
    unseen = source->stopped ? 0 : mrl_probes__find_unseen(&source->probes);
    pthread_mutex_unlock(&source->lock);
    return unseen;
}

static unsigned int live_rings(const struct mrl_source *source, struct mrl_ring_fill ret_fills[2])
{
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        mrl_ring__fill(&source->rings[lane], &ret_fills[lane]);
    return MRL_LANE_COUNT;
}

static const char *live_rung(const struct mrl_source *source)
{
    return source->probes.rung->name;
}

static const char *live_unproven(const struct mrl_source *source)
{
    return source->probes.unproven;
}

const struct mrl_source_ops mrl_live_source = {
    .open = live_open,
    .read = live_read,
    .interrupt = live_interrupt,
    .stop = live_stop,
    .close = live_close,
    .counts = live_counts,
    .configure = live_configure,
    .tell_names = live_tell_names,
    .names = live_names,
    .find_unseen = live_find_unseen,
    .rings = live_rings,
    .rung = live_rung,
    .unproven = live_unproven,
};
