// SPDX-License-Identifier: Apache-2.0
/*
 * Events that are enabled and disabled while the library watches: what is off costs and shows
 * nothing, what is on shows everything, and what is left over from before misleads nobody.
 */
#include <abi/record.h>
#include <errno.h>
#include <fcntl.h>
#include <mrelease/mrelease.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "counts.h"
#include "harness.h"

enum { PAGE = 4096, SEEN_MAX = 64, TOGGLES = 20, READ_MS = 100 };

/* What the test's own process did, as read. */
struct seen {
    char name[32];
    uint64_t first_argument;
    uint32_t flags;
    bool is_blocked; /* as its record has it */
};

struct watch {
    struct mrl_plugin *plugin;
    struct seen seen[SEEN_MAX];
    unsigned int count;
};

static struct watch watch; /* one at a time */

static void close_watch(void *object)
{
    (void)object;
    mrl_plugin__close(watch.plugin);
    watch.plugin = NULL;
}

static void open_watch(const char *rung, const char *events)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    options.events = events;
    options.rung = rung;
    options.coverage = live__sees_compat(rung) ? "compat" : "native";
    options.switchable = true;
    watch = (struct watch){ 0 };
    if (mrl_plugin__open(&options, &error, &watch.plugin))
        fail_msg("%s: %s", rung, error.text);
    cleanup__add(close_watch, NULL);
}

static void end_watch(void)
{
    mrl_plugin__close(watch.plugin);
    watch.plugin = NULL;
}

static unsigned int index_of(const char *event)
{
    return mrl_event_def__find(event, NULL)->index;
}

static void set(const char *event, bool on)
{
    struct mrl_error error;
    int err = on ? mrl_plugin__enable(watch.plugin, index_of(event), &error)
                 : mrl_plugin__disable(watch.plugin, index_of(event), &error);

    if (err)
        fail_msg("%s %s: %s", on ? "enable" : "disable", event, error.text);
}

static void keep(const struct mrl_event *event)
{
    struct seen *seen = &watch.seen[watch.count];

    if (event->host_process_id != (uint32_t)getpid() || watch.count == SEEN_MAX)
        return;
    snprintf(seen->name, sizeof(seen->name), "%s", event->def->name);
    seen->first_argument = event->def->field_count ? event->values[0].unsigned_number : 0;
    seen->flags = event->flags;
    seen->is_blocked = ((const struct mrl_record *)event->raw)->flags & MRL_RECORD_BLOCKED;
    watch.count++;
}

/* Reads until nothing comes any more. */
static void read_all(void)
{
    struct mrl_batch *batch;
    int count;

    watch.count = 0;
    while ((count = mrl_plugin__next_batch(watch.plugin, READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++)
            keep(mrl_batch__at(batch, (size_t)i));
        mrl_batch__unref(batch);
    }
    assert_int_equal(count, 0);
}

static void make_calls(void)
{
    trigger__native(SYS_process_mrelease, (uint64_t)-1, 0, 0);
    trigger__native(SYS_mlock, 0x1000, 0, 0);
    trigger__native(SYS_munlock, 0x2000, 0, 0);
}

static unsigned int times_seen(const char *event)
{
    unsigned int times = 0;

    for (unsigned int i = 0; i < watch.count; i++)
        times += !strcmp(watch.seen[i].name, event);
    return times;
}

/* The calls that are on, each once and whole. In any order: a stranger's call that is just being
 * written holds back what is behind it in its ring, and not what is in the other. */
static void assert_shows(const char *const *events, unsigned int count)
{
    make_calls();
    read_all();
    assert_int_equal(watch.count, count);
    for (unsigned int i = 0; i < count; i++) {
        assert_int_equal(times_seen(events[i]), 1);
        assert_int_equal(watch.seen[i].flags, 0);
    }
}

#define ASSERT_SHOWS(...)                              \
    assert_shows((const char *const[]){ __VA_ARGS__ }, \
                 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static struct mrl_event_counts counts_of(const char *event)
{
    struct mrl_event_counts counts;

    assert_int_equal(mrl_plugin__counts(watch.plugin, index_of(event), &counts), 0);
    return counts;
}

/* -- on and off ------------------------------------------------------------------------------- */

static void switch_on_and_off(const char *rung)
{
    open_watch(rung, "process_mrelease");
    ASSERT_SHOWS("process_mrelease");
    assert_int_equal(counts_of("mlock").seen, 0); /* its probes did not even run */
    set("munlock", true);
    set("mlock", true);
    set("mlock", true); /* nothing new */
    ASSERT_SHOWS("process_mrelease", "mlock", "munlock");
    set("process_mrelease", false);
    set("process_mrelease", false);
    ASSERT_SHOWS("mlock", "munlock");
    set("mlock", false);
    ASSERT_SHOWS("munlock");
    set("munlock", false); /* the last one: nothing is attached any more */
    assert_shows(NULL, 0);
    set("process_mrelease", true);
    ASSERT_SHOWS("process_mrelease");
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        assert_int_equal(counts_of(mrl_event_def__at(i)->name).exit_missed, 0);
    assert_int_equal(mrl_plugin__events(watch.plugin), 1U << index_of("process_mrelease") |
                                                           1U << index_of("mlock") |
                                                           1U << index_of("munlock"));
    end_watch();
}

static void events_are_switched_on_every_rung(void **state)
{
    (void)state;
    live__require();
    live__each_rung(switch_on_and_off);
}

/* -- calls under way -------------------------------------------------------------------------- */

/* A thread that has ended a call, and then waits in mlock() until its pages are given. */
struct waiter {
    int faults;
    char *memory;
    pthread_t thread;
};

static void *lock_and_wait(void *context)
{
    const struct waiter *waiter = context;

    trigger__native(SYS_mlock, 0x4000, 0, 0);
    trigger__native(SYS_mlock, (uintptr_t)waiter->memory, PAGE, 0);
    trigger__native(SYS_mlock, (uintptr_t)waiter->memory + PAGE, PAGE, 0);
    trigger__native(SYS_mlock, 0x3000, 0, 0);
    return NULL;
}

static void give_page(const struct waiter *waiter, int number)
{
    struct uffdio_zeropage zero = { .range = { (uintptr_t)waiter->memory + (uint64_t)number * PAGE,
                                               PAGE } };

    assert_int_equal(ioctl(waiter->faults, UFFDIO_ZEROPAGE, &zero), 0);
}

static void await_fault(const struct waiter *waiter)
{
    struct pollfd faults = { .fd = waiter->faults, .events = POLLIN };
    struct uffd_msg message;

    assert_int_equal(poll(&faults, 1, 5000), 1);
    assert_int_equal(read(waiter->faults, &message, sizeof(message)), sizeof(message));
}

static bool start_waiter(struct waiter *waiter)
{
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };

    waiter->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (waiter->faults < 0)
        return false;
    waiter->memory =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    area.range = (struct uffdio_range){ (uintptr_t)waiter->memory, 2 * PAGE };
    assert_int_equal(ioctl(waiter->faults, UFFDIO_API, &api), 0);
    assert_int_equal(ioctl(waiter->faults, UFFDIO_REGISTER, &area), 0);
    assert_int_equal(pthread_create(&waiter->thread, NULL, lock_and_wait, waiter), 0);
    return true;
}

static void end_waiter(struct waiter *waiter)
{
    pthread_join(waiter->thread, NULL);
    munmap(waiter->memory, 2 * PAGE);
    close(waiter->faults);
}

/*
 * The first call is seen to begin and not to end, the second to end and not to begin: it must not
 * be told with the first one's arguments, as blocked, or as a loss.
 */
static void leave_a_call_open(const char *rung)
{
    struct waiter waiter;
    unsigned int whole = 0, before = 0, ends = 0;

    open_watch(rung, "mlock");
    if (!start_waiter(&waiter)) {
        end_watch();
        puts("# skipped: no userfaultfd here");
        skip();
    }
    await_fault(&waiter);
    set("mlock", false);
    give_page(&waiter, 0);
    await_fault(&waiter);
    set("mlock", true);
    give_page(&waiter, 1);
    end_waiter(&waiter);
    read_all();
    for (unsigned int i = 0; i < watch.count; i++) {
        bool is_second = watch.seen[i].first_argument == (uintptr_t)waiter.memory + PAGE;

        ends += is_second && watch.seen[i].flags == MRL_EVENT_NO_ENTRY;
        whole += watch.seen[i].first_argument == 0x3000 && !watch.seen[i].flags;
        before += watch.seen[i].first_argument == 0x4000 && !watch.seen[i].flags;
        assert_false(watch.seen[i].is_blocked);
        assert_int_not_equal(watch.seen[i].first_argument, (uintptr_t)waiter.memory);
    }
    /* The end of a call that a kretprobe has not seen begin is not shown to it. */
    assert_int_equal(ends, strcmp(rung, "kprobe") && strcmp(rung, "fentry") ? 1 : watch.count - 2);
    assert_int_equal(before, 1);
    assert_int_equal(whole, 1);
    assert_int_equal(counts_of("mlock").exit_missed, 0);
    end_watch();
}

static void calls_under_way_mislead_nobody(void **state)
{
    (void)state;
    live__require();
    live__each_rung(leave_a_call_open);
}

/* -- under load ------------------------------------------------------------------------------- */

static atomic_bool loading;

static void *make_load(void *context)
{
    (void)context;
    while (loading)
        make_calls();
    return NULL;
}

static void *read_on(void *context)
{
    struct mrl_batch *batch;

    (void)context;
    while (loading)
        if (mrl_plugin__next_batch(watch.plugin, 10, &batch) > 0)
            mrl_batch__unref(batch);
    return NULL;
}

static unsigned int open_descriptors(void)
{
    unsigned int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void assert_identity(const char *event)
{
    struct mrl_event_counts counts = counts_of(event);

    live__assert_adds_up(&counts);
    assert_int_equal(counts.no_memory + counts.exit_missed + counts.malformed, 0);
    assert_int_not_equal(counts.submitted, 0);
}

static void toggle_under_load(const char *rung)
{
    pthread_t load, reader;
    unsigned int descriptors;

    open_watch(rung, "process_mrelease,mlock");
    set("munlock", true);
    set("munlock", false);
    descriptors = open_descriptors();
    loading = true;
    assert_int_equal(pthread_create(&load, NULL, make_load, NULL), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_on, NULL), 0);
    for (int i = 0; i < TOGGLES; i++) {
        set("munlock", !(i % 2));
        if (i % 10 == 5)
            set("mlock", !(i % 20 == 5));
    }
    loading = false;
    pthread_join(load, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(open_descriptors(), descriptors);
    mrl_plugin__stop(watch.plugin);
    read_all();
    assert_identity("process_mrelease");
    assert_identity("mlock");
    assert_identity("munlock");
    end_watch();
}

static void a_hundred_switches_under_load_are_accounted_for(void **state)
{
    (void)state;
    live__require();
    live__each_rung(toggle_under_load);
}

/* -- errors ----------------------------------------------------------------------------------- */

static void what_cannot_be_switched_says_why(void **state)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    (void)state;
    live__require();
    assert_int_equal(mrl_plugin__open(&options, &error, &watch.plugin), 0);
    cleanup__add(close_watch, NULL);
    assert_int_equal(mrl_plugin__enable(watch.plugin, index_of("mlock"), &error), -EOPNOTSUPP);
    assert_string_equal(error.text, "its events were chosen at the start");
    end_watch();
    open_watch("auto", NULL);
    assert_int_equal(mrl_plugin__enable(watch.plugin, 99, &error), -EINVAL);
    assert_int_equal(mrl_plugin__disable(watch.plugin, index_of("events_lost"), &error),
                     -EOPNOTSUPP);
    mrl_plugin__stop(watch.plugin);
    assert_int_equal(mrl_plugin__enable(watch.plugin, index_of("mlock"), &error), -ESHUTDOWN);
    end_watch();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(events_are_switched_on_every_rung),
        LIVE_TEST(calls_under_way_mislead_nobody),
        LIVE_TEST(a_hundred_switches_under_load_are_accounted_for),
        LIVE_TEST(what_cannot_be_switched_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
