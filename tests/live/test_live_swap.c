// SPDX-License-Identifier: Apache-2.0
/*
 * Filters and event set exchanged while calls come in by the hundred thousand: none is lost, and
 * each is judged by one configuration alone. And what of it works without any right.
 */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "counts.h"
#include "harness.h"
#include "load.h"

enum {
    READ_MS = 100,
    PAGE = 4096,
    SWAPS = 25,
    SWAPS_LONG = 100,
    FLOODERS = 2,
    SERIALS = 1 << 22,
    NOBODY = 65534
};

static struct mrl_plugin *plugin; /* one at a time */

static void close_plugin(void *object)
{
    (void)object;
    mrl_plugin__close(plugin);
    plugin = NULL;
}

static struct mrl_plugin_options options_of(const char *const *texts)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

    for (; *texts; texts++)
        if (!strncmp(*texts, "pid", 3))
            options.scopes[options.scope_count++] = *texts;
        else
            options.more_events[options.more_event_count++] = *texts;
    return options;
}

static void open_plugin(const char *rung, const char *const *texts)
{
    struct mrl_plugin_options options = options_of(texts);
    struct mrl_error error;

    options.rung = rung;
    options.coverage = live__sees_compat(rung) ? "compat" : "native";
    options.busy_ring_bytes = 64 << 20;
    options.switchable = true;
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_msg("%s: %s", rung, error.text);
    cleanup__add(close_plugin, NULL);
}

static int reconfigure(const char *const *texts, struct mrl_error *error)
{
    struct mrl_plugin_options options = options_of(texts);

    return mrl_plugin__reconfigure(plugin, &options, error);
}

static unsigned int index_of(const char *event)
{
    return mrl_event_def__find(event, NULL)->index;
}

static struct mrl_event_counts counts_of(const char *event)
{
    struct mrl_event_counts counts;

    assert_int_equal(mrl_plugin__counts(plugin, index_of(event), &counts), 0);
    return counts;
}

static void assert_identity(const char *event)
{
    struct mrl_event_counts counts = counts_of(event);

    live__assert_adds_up(&counts);
    assert_int_equal(counts.refused + counts.suppressed + counts.no_memory + counts.malformed, 0);
}

/* -- under a flood ---------------------------------------------------------------------------- */

/*
 * What a call's serial number makes of it. An address ends in a decimal digit, of which only user
 * space decides; of the lengths the kernel does.
 */
#define BASE UINT64_C(4600000000000000000)

static const uint64_t lengths[] = { 1 * PAGE, 2 * PAGE, 3 * PAGE, 5 * PAGE };
static const unsigned int digits[] = { 1, 2, 5 };
static const uint64_t ranges[] = { 2 * PAGE, 4 * PAGE, 6 * PAGE };

/* Two configurations. Nothing that one accepts by its first half and the other by its second half
 * is wanted by anybody: [1 page, 2], [2 pages, 1], a range of 4 pages, 5 pages. */
static const struct configuration {
    const char *const texts[6];
    uint64_t length, range; /* wanted, and of lengths 3 pages */
    unsigned int digit;     /* wanted, and 5 */
    bool has_mlock2;
} configurations[] = {
    { { "mlock.data.len=8192,12288", "mlock.data.addr=*2,*5", "munlock.data.len>20480",
        "munlock.data.len<28672" },
      2 * PAGE,
      6 * PAGE,
      2,
      false },
    { { "mlock.data.len=4096,12288", "mlock.data.addr=*1,*5", "munlock.data.len>4096",
        "munlock.data.len<12288", "mlock2" },
      1 * PAGE,
      2 * PAGE,
      1,
      true },
};

struct flooder {
    atomic_bool started, stop;
    atomic_uint serials; /* that were used up */
    pid_t pid;
    /* As read. */
    unsigned char seen[SERIALS]; /* mlock, of those that everybody wants */
    uint32_t generation;         /* of the last event */
};

static struct flooder *flooders; /* shared with the children */

static void call(unsigned int serial)
{
    const uint64_t address = BASE + serial * UINT64_C(10) + digits[serial % 3];

    trigger__native(SYS_mlock, address, lengths[serial / 3 % 4], 0);
    trigger__native(SYS_munlock, address, ranges[serial % 3], 0);
    trigger__native(SYS_mlock2, address, PAGE, 0);
}

static bool is_wanted_by_all(unsigned int serial)
{
    return digits[serial % 3] == 5 && lengths[serial / 3 % 4] == 3 * PAGE;
}

static void start_flooder(struct flooder *flooder)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child) {
        flooder->pid = child;
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!flooder->started)
        usleep(100);
    for (unsigned int serial = 0; serial < SERIALS && !flooder->stop; serial++) {
        call(serial);
        flooder->serials = serial + 1;
    }
    _exit(0);
}

/* By the serial and the generation that an event names, what its configuration says of it. */
static void check_event(const struct mrl_event *event)
{
    const struct configuration *by = &configurations[event->generation % 2];
    struct flooder *flooder = flooders;
    uint64_t address, length;
    unsigned int serial;

    while (flooder < flooders + FLOODERS && (uint32_t)flooder->pid != event->host_process_id)
        flooder++;
    if (flooder == flooders + FLOODERS)
        return;
    assert_int_equal(event->policies, 1);
    assert_true(event->generation >= flooder->generation);
    flooder->generation = event->generation;
    address = event->values[0].unsigned_number;
    length = event->values[1].unsigned_number;
    serial = (unsigned int)((address - BASE) / 10);
    if (event->def->index == index_of("mlock")) {
        assert_true(length == 3 * PAGE || length == by->length);
        assert_true(address % 10 == 5 || address % 10 == by->digit);
        if (is_wanted_by_all(serial))
            assert_int_equal(flooder->seen[serial]++, 0);
    } else if (event->def->index == index_of("munlock")) {
        assert_int_equal(length, by->range);
    } else {
        assert_int_equal(event->def->index, index_of("mlock2"));
        assert_true(by->has_mlock2);
    }
}

static void read_some(int timeout_ms)
{
    struct mrl_batch *batch;
    int count;

    while ((count = mrl_plugin__next_batch(plugin, timeout_ms, &batch)) > 0) {
        for (int i = 0; i < count; i++)
            if (mrl_batch__at(batch, (size_t)i)->raw)
                check_event(mrl_batch__at(batch, (size_t)i));
        mrl_batch__unref(batch);
    }
    assert_int_equal(count, 0);
}

static char scope[64];
static int swaps_wanted;
static atomic_int swaps; /* done; -1: one failed */
static struct mrl_error swap_error;

static void add_scope(const char *ret_texts[8], const struct configuration *configuration)
{
    unsigned int count = 0;

    while (configuration->texts[count]) {
        ret_texts[count] = configuration->texts[count];
        count++;
    }
    ret_texts[count++] = scope;
    ret_texts[count] = NULL;
}

/* The first configuration is of an odd generation: from then on they take turns. */
static void *swap(void *context)
{
    const char *texts[8];

    (void)context;
    for (int i = 1; i <= swaps_wanted && swaps >= 0; i++) {
        int err;

        add_scope(texts, &configurations[(i + 1) % 2]);
        while ((err = reconfigure(texts, &swap_error)) == -EAGAIN)
            usleep(1000);
        swaps = err ? -1 : i;
    }
    return NULL;
}

static void assert_none_is_missing(const struct flooder *flooder)
{
    unsigned int missing = 0;

    for (unsigned int serial = 0; serial < flooder->serials; serial++)
        missing += is_wanted_by_all(serial) && !flooder->seen[serial];
    assert_int_equal(missing, 0);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void swap_under_load(const char *rung)
{
    const char *texts[8];
    uint64_t start_ms;
    pthread_t thread;

    flooders = mmap(NULL, FLOODERS * sizeof(*flooders), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(flooders, MAP_FAILED);
    for (int i = 0; i < FLOODERS; i++)
        start_flooder(&flooders[i]);
    snprintf(scope, sizeof(scope), "pid=%d,%d", flooders[0].pid, flooders[1].pid);
    add_scope(texts, &configurations[1]);
    open_plugin(rung, texts);
    for (int i = 0; i < FLOODERS; i++)
        flooders[i].started = true;
    start_ms = now_ms();
    swaps = 0;
    swaps_wanted = load__long() ? SWAPS_LONG : SWAPS;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    while (swaps >= 0 && swaps < swaps_wanted)
        read_some(1);
    pthread_join(thread, NULL);
    if (swaps < 0)
        fail_msg("%s: %s", rung, swap_error.text);
    for (int i = 0; i < FLOODERS; i++) {
        flooders[i].stop = true;
        assert_int_equal(waitpid(flooders[i].pid, NULL, 0), flooders[i].pid);
    }
    printf("# %s: %d swaps within %u calls and %u ms\n", rung, swaps_wanted,
           3 * (flooders[0].serials + flooders[1].serials), (unsigned int)(now_ms() - start_ms));
    mrl_plugin__stop(plugin);
    read_some(READ_MS);
    assert_identity("mlock");
    assert_identity("munlock");
    assert_identity("mlock2");
    for (int i = 0; i < FLOODERS; i++)
        assert_none_is_missing(&flooders[i]);
    close_plugin(NULL);
    munmap(flooders, FLOODERS * sizeof(*flooders));
}

static void each_call_is_judged_by_one_configuration(void **state)
{
    (void)state;
    live__require();
    live__each_rung(swap_under_load);
}

/* -- without rights --------------------------------------------------------------------------- */

static void drop_all(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
        syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _exit(100);
}

/* How many of the events that come now are of this process and have this name. */
static unsigned int shows(const char *name)
{
    struct mrl_batch *batch;
    unsigned int found = 0;
    int count;

    trigger__native(SYS_mlock, 0, PAGE, 0);
    trigger__native(SYS_mlock, 0, 2 * PAGE, 0);
    trigger__native(SYS_munlock, 0, PAGE, 0);
    while ((count = mrl_plugin__next_batch(plugin, READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++) {
            const struct mrl_event *event = mrl_batch__at(batch, (size_t)i);

            found +=
                event->host_process_id == (uint32_t)getpid() && !strcmp(event->def->name, name);
        }
        mrl_batch__unref(batch);
    }
    return found;
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The number of the first step that is not as it should be; 0: none. */
static int change_without_rights(const char *rung)
{
    /* Perf events are for those who may. */
    bool may_attach = strcmp(rung, "tracepoint") && strcmp(rung, "kprobe");
    struct mrl_error error;
    int err;

    drop_all();
    if (shows("mlock") != 2)
        return 1;
    if (reconfigure(TEXTS("mlock.data.len=8192"), &error) || shows("mlock") != 1)
        return 2;
    err = mrl_plugin__enable(plugin, index_of("munlock"), &error);
    if (may_attach ? err || shows("munlock") != 1 : err != -EPERM && err != -EACCES)
        return 3;
    for (int i = 0; !may_attach && i < 20; i++) /* more than filters are held */
        if (reconfigure(TEXTS("munlock"), &error) != err)
            return 3;
    if (shows("mlock") != 1) /* as before */
        return 4;
    if (mrl_plugin__disable(plugin, index_of("munlock"), &error) || shows("munlock"))
        return 5;
    if (reconfigure(TEXTS("mlock"), &error) || shows("mlock") != 2)
        return 6;
    mrl_plugin__stop(plugin);
    return 0;
}

static void configure_without_rights(const char *rung)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        open_plugin(rung, TEXTS("mlock"));
        _exit(change_without_rights(rung));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        fail_msg("%s: step %d went wrong", rung, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void the_configuration_changes_without_rights(void **state)
{
    (void)state;
    live__require();
    live__each_rung(configure_without_rights);
}

/* -- what is said ----------------------------------------------------------------------------- */

static void the_stream_says_which_filters_hold(void **state)
{
    struct mrl_error error;
    bool is_said = false;
    struct mrl_batch *batch;
    int count;

    (void)state;
    live__require();
    open_plugin("auto", TEXTS("mlock"));
    assert_int_equal(reconfigure(TEXTS("munlock.retval<0", "sensor_state", "pid=1"), &error), 0);
    while ((count = mrl_plugin__next_batch(plugin, READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++) {
            const struct mrl_event *event = mrl_batch__at(batch, (size_t)i);

            if (event->def->index == index_of("sensor_state") &&
                strstr(event->values[1].text.bytes,
                       "; events=munlock; filters=munlock.retval<0 scope pid=1"))
                is_said = true;
        }
        mrl_batch__unref(batch);
    }
    assert_true(is_said);
    close_plugin(NULL);
}

static void what_cannot_be_had_changes_nothing(void **state)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    (void)state;
    live__require();
    options.events = "mlock";
    assert_int_equal(mrl_plugin__open(&options, &error, &plugin), 0);
    cleanup__add(close_plugin, NULL);
    assert_int_equal(reconfigure(TEXTS("mlock.retvall<0"), &error), -EINVAL);
    assert_string_equal(error.text, "unknown part of an event 'retvall': did you mean 'retval'?");
    assert_int_equal(reconfigure(TEXTS("mlock,munlock"), &error), -EOPNOTSUPP);
    assert_string_equal(error.text, "munlock was not loaded at the start");
    assert_int_equal(shows("mlock"), 2);
    assert_int_equal(reconfigure(TEXTS("mlock.data.len=4096"), &error), 0);
    assert_int_equal(shows("mlock"), 1);
    for (int i = 0; i < 20; i++) /* with nothing read in between */
        if (reconfigure(TEXTS("mlock.data.len=8192"), &error))
            break;
    assert_string_equal(error.text, "16 filters are held by events that nobody has read");
    assert_int_equal(shows("mlock"), 1);
    assert_int_equal(reconfigure(TEXTS("mlock"), &error), 0); /* they were given back */
    mrl_plugin__stop(plugin);
    assert_int_equal(reconfigure(TEXTS("mlock"), &error), -ESHUTDOWN);
    close_plugin(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(each_call_is_judged_by_one_configuration),
        LIVE_TEST(the_configuration_changes_without_rights),
        LIVE_TEST(the_stream_says_which_filters_hold),
        LIVE_TEST(what_cannot_be_had_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
