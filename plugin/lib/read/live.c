// SPDX-License-Identifier: Apache-2.0
/*
 * The live source: records of this kernel, from the two ring buffers of the probes.
 *
 * Wake-ups. A wake-up per record costs the traced process more than the record, so the probes send
 * none while the reader says that it is awake, and it looks again by itself. Before it sleeps it
 * says so, and looks once more. A record that was begun before and ended after that look is found
 * by the first, short sleep.
 *
 * Naps. A reader that keeps up with a flood takes one record at a time, and each costs the traced
 * process a cache line that the two then fight for. So a reader that found something twice in a row
 * lets the ring fill for a moment, unless its batch was full.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "enrich/host.h"
#include "probe/ladder.h"
#include "probe/skeleton.h"
#include "read/intake.h"
#include "read/source.h"

enum {
    SHORT_SLEEP_MS = 1,
    QUIET_MS = 1000,     /* without records, after which losses at the end of a flood are told */
    SPIN_NS = 30 * 1000, /* how long a reader that was busy looks before it sleeps */
    NAP_NS = 50 * 1000,  /* the kernel's timer slack adds as much; a ring holds several hundred */
    RARE_SHARE_COUNT = MRL_BATCH_EVENTS * 3 / 4, /* of a batch: neither lane can starve the other */
};

struct mrl_source {
    struct mrl_host host;
    struct mrl_probes probes;
    pthread_mutex_t lock; /* of the probes: they are watched, counted and stopped by any thread */
    atomic_bool stopped;
    struct mrl_intake intake; /* of what the rings hold */
    struct ring_buffer *rings[MRL_LANE_COUNT];
    int epoll;
    int wake;          /* eventfd of interrupt() */
    unsigned int busy; /* reads in a row that found something */
    bool full;         /* the last batch held no more: there is more in the rings */
    bool interrupted;
    struct mrl_batch *batch; /* being filled */
};

static int consume_lane(struct mrl_source *source,
                        struct mrl_batch *batch,
                        enum mrl_lane lane,
                        size_t limit)
{
    int count;

    if (!mrl_intake__begin(&source->intake, batch, limit))
        return 0;
    count = ring_buffer__consume(source->rings[lane]);
    source->full |= count == -ENOSPC;
    return count == -ENOSPC || count >= 0 ? 0 : count;
}

/* Fills the batch from both lanes. Returns its number of events. */
static int consume(struct mrl_source *source)
{
    struct mrl_batch *batch = source->batch;
    int err;

    source->full = false;
    err = consume_lane(source, batch, MRL_LANE_RARE, RARE_SHARE_COUNT);
    if (!err)
        err = consume_lane(source, batch, MRL_LANE_BUSY, MRL_BATCH_EVENTS);
    return err ? err : (int)batch->count;
}

static void say_awake(struct mrl_source *source, int awake)
{
    __atomic_store_n(&source->probes.object->bss->reader_awake, awake, __ATOMIC_SEQ_CST);
}

/* Sleeps until there may be something; 0: the time is over or the sleep was interrupted. */
static int sleep_for(struct mrl_source *source, int timeout_ms)
{
    struct epoll_event events[MRL_LANE_COUNT + 1];
    int count = epoll_wait(source->epoll, events, MRL_LANE_COUNT + 1, timeout_ms);
    uint64_t times;

    if (count < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++)
        if (events[i].data.fd == source->wake)
            source->interrupted = read(source->wake, &times, sizeof(times)) > 0;
    return count;
}

static int spin(struct mrl_source *source)
{
    int64_t end = mrl_clock__ns(CLOCK_MONOTONIC) + SPIN_NS;
    int count;

    do
        count = consume(source);
    while (!count && mrl_clock__ns(CLOCK_MONOTONIC) < end);
    return count;
}

/* One batch after another in a flood: naps in between, but not when there was more than it held. */
static int nap_and_consume(struct mrl_source *source)
{
    const struct timespec nap = { .tv_nsec = NAP_NS };

    if (!source->full)
        nanosleep(&nap, NULL);
    return consume(source);
}

/* What was lost when nothing more is to be read, and so no number shows it. */
static int tell_losses(struct mrl_source *source)
{
    mrl_intake__tell_losses(&source->intake);
    return (int)source->batch->count;
}

static int wait_and_consume(struct mrl_source *source, int64_t end)
{
    int sleep_ms = SHORT_SLEEP_MS, count, slept;

    say_awake(source, 0);
    count = consume(source);
    while (!count && !source->intake.sifted && !source->interrupted) {
        int64_t left_ms = end == INT64_MAX
                              ? INT32_MAX
                              : (end - mrl_clock__ns(CLOCK_MONOTONIC) + 999999) / 1000000;

        if (left_ms <= 0)
            break;
        slept = sleep_for(source, (int)(sleep_ms < left_ms ? sleep_ms : left_ms));
        if (slept < 0)
            return slept;
        count = consume(source);
        if (!count && !slept && sleep_ms == QUIET_MS)
            count = tell_losses(source);
        sleep_ms = source->intake.untold ? QUIET_MS : INT32_MAX;
    }
    if (count || source->intake.sifted)
        say_awake(source, 1);
    return count;
}

/* One look at the rings, as long as the reader's habits want. */
static int look(struct mrl_source *source, int timeout_ms, int64_t end)
{
    int count;

    source->intake.sifted = false;
    if (source->busy > 1)
        count = nap_and_consume(source);
    else
        count = source->busy ? spin(source) : consume(source);
    if (!count && !source->intake.sifted && timeout_ms && !source->stopped && !source->interrupted)
        count = wait_and_consume(source, end);
    source->busy = count > 0 || source->intake.sifted ? source->busy + 1 : 0;
    return count;
}

/* Whether to look again after records that were all filtered: detached, until there are no more. */
static bool may_look_again(struct mrl_source *source, int64_t end)
{
    if (source->stopped)
        return true;
    sleep_for(source, 0);
    return !source->interrupted && mrl_clock__ns(CLOCK_MONOTONIC) < end;
}

static int live_read(struct mrl_source *source, int timeout_ms, struct mrl_batch *batch)
{
    int64_t end =
        timeout_ms < 0 ? INT64_MAX : mrl_clock__ns(CLOCK_MONOTONIC) + timeout_ms * INT64_C(1000000);
    int count;

    source->batch = batch;
    do
        count = look(source, timeout_ms, end);
    while (!count && source->intake.sifted && may_look_again(source, end));
    if (!count && source->stopped)
        count = tell_losses(source);
    source->interrupted = false;
    return count;
}

static void live_interrupt(struct mrl_source *source)
{
    const uint64_t once = 1;
    ssize_t written = write(source->wake, &once, sizeof(once));

    (void)written; /* fails only when it is full of wake-ups already */
}

static void live_stop(struct mrl_source *source)
{
    pthread_mutex_lock(&source->lock);
    mrl_probes__detach(&source->probes);
    source->stopped = true;
    pthread_mutex_unlock(&source->lock);
}

static int live_watch(struct mrl_source *source, uint32_t events, struct mrl_error *error)
{
    int err;

    pthread_mutex_lock(&source->lock);
    err = source->stopped ? mrl_error__set(error, -ESHUTDOWN, "the probes are gone")
                          : mrl_ladder__watch(&source->probes, events, error);
    pthread_mutex_unlock(&source->lock);
    return err;
}

static void live_close(struct mrl_source *source)
{
    if (!source)
        return;
    live_stop(source);
    for (int lane = 0; lane < MRL_LANE_COUNT; lane++)
        ring_buffer__free(source->rings[lane]);
    mrl_intake__done(&source->intake);
    mrl_probes__close(&source->probes);
    mrl_host__done(&source->host);
    if (source->epoll >= 0)
        close(source->epoll);
    if (source->wake >= 0)
        close(source->wake);
    pthread_mutex_destroy(&source->lock);
    free(source);
}

static int watch(struct mrl_source *source, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    return epoll_ctl(source->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_rings(struct mrl_source *source)
{
    const struct bpf_map *maps[MRL_LANE_COUNT] = {
        [MRL_LANE_RARE] = source->probes.object->maps.rare_records,
        [MRL_LANE_BUSY] = source->probes.object->maps.busy_records,
    };
    int err = 0;

    for (int lane = 0; !err && lane < MRL_LANE_COUNT; lane++) {
        source->rings[lane] =
            ring_buffer__new(bpf_map__fd(maps[lane]), mrl_intake__take, &source->intake, NULL);
        err = source->rings[lane] ? watch(source, ring_buffer__epoll_fd(source->rings[lane]))
                                  : -errno;
    }
    return err ? err : watch(source, source->wake);
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
    source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    source->epoll = epoll_create1(EPOLL_CLOEXEC);
    err = source->wake < 0 || source->epoll < 0 ? -errno : mrl_host__init(&source->host);
    if (err)
        mrl_error__set(error, err, "preparing to read events: %s", strerror(-err));
    if (!err)
        err = mrl_ladder__climb(&options->probes, source->host.facts.cgroup_v1, error,
                                &source->probes);
    if (!err) {
        err = init_intake(source, &options->probes);
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

static const char *live_rung(const struct mrl_source *source)
{
    return source->probes.rung->name;
}

const struct mrl_source_ops mrl_live_source = {
    .open = live_open,
    .read = live_read,
    .interrupt = live_interrupt,
    .stop = live_stop,
    .close = live_close,
    .counts = live_counts,
    .watch = live_watch,
    .rung = live_rung,
};
