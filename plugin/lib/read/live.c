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
#include "event/decode.h"
#include "filter/filter.h"
#include "probe/ladder.h"
#include "probe/skeleton.h"
#include "read/kernel_losses.h"
#include "read/source.h"

enum {
    SHORT_SLEEP_MS = 1,
    QUIET_MS = 1000,     /* without records, after which losses at the end of a flood are told */
    SPIN_NS = 30 * 1000, /* how long a reader that was busy looks before it sleeps */
    NAP_NS = 50 * 1000,  /* the kernel's timer slack adds as much; a ring holds several hundred */
    RARE_SHARE_COUNT = MRL_BATCH_EVENTS * 3 / 4, /* of a batch: neither lane can starve the other */
    FILTERED_ROUND = 4096, /* records without an event, after which others get a word in */
};

struct mrl_source {
    struct mrl_host host;
    struct mrl_probes probes;
    pthread_mutex_t lock; /* of the probes: they are watched, counted and stopped by any thread */
    atomic_bool stopped;
    struct mrl_kernel_losses losses;
    bool untold; /* records were read since the losses were last told */
    struct ring_buffer *rings[MRL_LANE_COUNT];
    int epoll;
    int wake;          /* eventfd of interrupt() */
    unsigned int busy; /* reads in a row that found something */
    bool full;         /* the last batch held no more: there is more in the rings */
    bool interrupted;
    atomic_ullong decoded[MRL_EVENT_COUNT]; /* written by the reader alone */
    atomic_ullong malformed[MRL_EVENT_COUNT];
    atomic_ullong filtered[MRL_EVENT_COUNT]; /* here; the kernel counts its own */
    const struct mrl_filter *filter;
    uint64_t *skipped;         /* per CPU and lane: the numbers of what was filtered here */
    unsigned int filtered_now; /* in this round */
    bool sifted;               /* records were read since the last look, and filtered */
    struct mrl_batch *batch;   /* being filled, and up to how many events */
    size_t limit;
};

/* One writer: no need for a locked instruction. */
static void count_one(atomic_ullong *counter)
{
    unsigned long long count = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, count + 1, memory_order_relaxed);
}

/*
 * Keeps the last event, or takes it back. Those behind it close ranks: a number that is missing
 * means a loss, and nothing else.
 */
static void filter_last(struct mrl_source *source, const struct mrl_record *record, size_t used)
{
    struct mrl_batch *batch = source->batch;
    struct mrl_event *event = &batch->events[batch->count - 1];
    uint64_t none = 0, *skipped = &none;

    if (record->cpu < source->losses.cpus)
        skipped = &source->skipped[record->cpu * MRL_LANE_COUNT + record->lane];
    if (mrl_filter__accepts(source->filter, event)) {
        event->seq -= *skipped;
        ((struct mrl_record *)event->raw)->seq = event->seq; /* the batch's copy */
        count_one(&source->decoded[record->event]);
        return;
    }
    mrl_batch__take_back(batch, used);
    count_one(&source->filtered[record->event]);
    ++*skipped;
    source->filtered_now++;
    source->sifted = true;
}

/* libbpf's callback: a negative return ends the round, with this record consumed. */
static int take_record(void *context, void *data, size_t size)
{
    struct mrl_source *source = context;
    const struct mrl_record *record = data;
    bool known = size >= sizeof(*record) && record->event < MRL_EVENT_COUNT;
    size_t used;

    source->untold = true;
    if (known)
        mrl_kernel_losses__see(&source->losses, record, source->batch);
    used = source->batch->arena.used;
    if (!mrl_decode__append(data, size, &source->host, source->batch)) {
        filter_last(source, record, used);
    } else if (known) {
        count_one(&source->malformed[record->event]);
        mrl_kernel_losses__see_malformed(&source->losses, record->event, source->batch);
    }
    return mrl_batch__has_room(source->batch, source->limit) &&
                   source->filtered_now < FILTERED_ROUND
               ? 0
               : -ENOSPC;
}

static int consume_lane(struct mrl_source *source, enum mrl_lane lane, size_t limit)
{
    int count;

    source->limit = limit;
    source->filtered_now = 0;
    if (!mrl_batch__has_room(source->batch, limit))
        return 0;
    count = ring_buffer__consume(source->rings[lane]);
    source->full |= count == -ENOSPC;
    return count == -ENOSPC || count >= 0 ? 0 : count;
}

/* Fills the batch from both lanes. Returns its number of events. */
static int consume(struct mrl_source *source)
{
    int err;

    source->full = false;
    err = consume_lane(source, MRL_LANE_RARE, RARE_SHARE_COUNT);
    if (!err)
        err = consume_lane(source, MRL_LANE_BUSY, MRL_BATCH_EVENTS);
    return err ? err : (int)source->batch->count;
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
    if (!source->untold)
        return 0;
    source->untold = false;
    mrl_kernel_losses__tell_rest(&source->losses, source->batch);
    return (int)source->batch->count;
}

static int wait_and_consume(struct mrl_source *source, int64_t end)
{
    int sleep_ms = SHORT_SLEEP_MS, count, slept;

    say_awake(source, 0);
    count = consume(source);
    while (!count && !source->sifted && !source->interrupted) {
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
        sleep_ms = source->untold ? QUIET_MS : INT32_MAX;
    }
    if (count || source->sifted)
        say_awake(source, 1);
    return count;
}

/* One look at the rings, as long as the reader's habits want. */
static int look(struct mrl_source *source, int timeout_ms, int64_t end)
{
    int count;

    source->sifted = false;
    if (source->busy > 1)
        count = nap_and_consume(source);
    else
        count = source->busy ? spin(source) : consume(source);
    if (!count && !source->sifted && timeout_ms && !source->stopped && !source->interrupted)
        count = wait_and_consume(source, end);
    source->busy = count > 0 || source->sifted ? source->busy + 1 : 0;
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
    while (!count && source->sifted && may_look_again(source, end));
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
    mrl_kernel_losses__done(&source->losses);
    free(source->skipped);
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
        source->rings[lane] = ring_buffer__new(bpf_map__fd(maps[lane]), take_record, source, NULL);
        err = source->rings[lane] ? watch(source, ring_buffer__epoll_fd(source->rings[lane]))
                                  : -errno;
    }
    return err ? err : watch(source, source->wake);
}

static int init_filter(struct mrl_source *source, const struct mrl_probe_options *options)
{
    unsigned int all = options->filter->condition_count;
    struct mrl_rules rules;

    source->filter = options->filter;
    source->skipped =
        calloc((size_t)source->losses.cpus * MRL_LANE_COUNT, sizeof(*source->skipped));
    if (all)
        mrl_probe_options__log(options, MRL_LOG_DEBUG, "filters: %u, the kernel decides %u", all,
                               all - mrl_filter__rules(options->filter, &rules));
    return source->skipped ? 0 : -ENOMEM;
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
        err = mrl_kernel_losses__init(&source->losses, &source->host, &source->probes,
                                      options->probes.may_watch);
        if (!err)
            err = init_filter(source, &options->probes);
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
    counts.decoded = source->decoded[event];
    counts.malformed = source->malformed[event];
    counts.filtered_late = source->filtered[event];
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
