// SPDX-License-Identifier: Apache-2.0
/*
 * What tasks hold of the kernel's memory: nothing between their calls, and in a call a place of a
 * table. A call that finds none is reported all the same.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <mrelease/mrelease.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "probe/sizes.h"
#include "release.h"

enum {
    THREADS = 4000,
    THREADS_LONG = 20000,
    STACK_BYTES = 128 * 1024,
    READ_MS = 300,
    SEEN_MAX = 16,
};

#define GROWTH_MAX_BYTES (UINT64_C(4) << 20)
#define V1_MEMORY        "/sys/fs/cgroup/memory"
#define V2_ROOT          "/sys/fs/cgroup"

/* -- idle threads ----------------------------------------------------------------------------- */

static char group[128]; /* a memory cgroup of the sensor's own */
static const char *usage_file;

static void remove_group(void *unused)
{
    (void)unused;
    for (int i = 0; rmdir(group) && i < 100; i++)
        live__pause_ms(10);
}

static bool make_group(void)
{
    bool v1 = !access(V1_MEMORY, W_OK);

    usage_file = v1 ? "memory.usage_in_bytes" : "memory.current";
    snprintf(group, sizeof(group), "%s/mrelease-idle-%d", v1 ? V1_MEMORY : V2_ROOT, (int)getpid());
    if (mkdir(group, 0755))
        return false;
    cleanup__add(remove_group, NULL);
    return !access(live__text("%s/%s", group, usage_file), R_OK);
}

static void enter_group(void)
{
    char path[192];
    FILE *file;

    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    file = fopen(path, "we");
    if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file))
        _exit(99);
}

static uint64_t usage_bytes(void)
{
    FILE *file = fopen(live__text("%s/%s", group, usage_file), "re");
    uint64_t bytes = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%" SCNu64, &bytes), 1);
    fclose(file);
    return bytes;
}

static atomic_uint called;

static void *call_once_and_wait(void *unused)
{
    (void)unused;
    trigger__native(SYS_process_mrelease, UINT64_MAX, 0, 0);
    trigger__native(SYS_munlock, 0, 0, 0);
    atomic_fetch_add(&called, 1);
    for (;;)
        pause();
    return NULL;
}

/* A child of the test, with a pipe that ends when all have called. */
static pid_t start_threads(unsigned int threads, int *ret_done)
{
    int done[2];
    pid_t child;

    assert_int_equal(pipe(done), 0);
    child = fork();
    if (!child) {
        pthread_attr_t small;
        pthread_t thread;

        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, STACK_BYTES);
        for (unsigned int i = 0; i < threads; i++)
            if (pthread_create(&thread, &small, call_once_and_wait, NULL)) {
                fprintf(stderr, "# no more than %u threads\n", i);
                _exit(1);
            }
        while (atomic_load(&called) < threads)
            live__pause_ms(1);
        if (write(done[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    cleanup__child(child);
    close(done[1]);
    *ret_done = done[0];
    return child;
}

static void idle_threads_hold_nothing(void **state)
{
    unsigned int threads = getenv("MRELEASE_TEST_LONG") ? THREADS_LONG : THREADS;
    const char *arguments[] = { "run", "-e",   "process_mrelease,do_mrelease,munlock",
                                "-o",  "none", NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = enter_group };
    struct sensor sensor;
    uint64_t before;
    pid_t child;
    char byte;
    int done;

    (void)state;
    live__require_unsanitized();
    if (!make_group()) {
        puts("# skipped: no memory cgroup can be made");
        skip();
    }
    sensor__spawn(&sensor, &options);
    sensor__await_ready(&sensor);
    before = usage_bytes();
    child = start_threads(threads, &done);
    assert_int_equal(read(done, &byte, 1), 1);
    close(done);
    printf("# %u idle threads: %" PRId64 " KiB\n", threads,
           (int64_t)(usage_bytes() - before) / 1024);
    assert_in_range(usage_bytes(), 0, before + GROWTH_MAX_BYTES);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    cleanup__forget_child(child);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_int_equal(sensor__totals(&sensor, "process_mrelease").read, threads);
    assert_int_equal(sensor__totals(&sensor, "munlock").read, threads);
    assert_int_equal(sensor__totals(&sensor, "munlock").lost, 0);
}

/* -- no room ---------------------------------------------------------------------------------- */

unsigned int mrl_tables_max = 0; /* of plugins in this process */

struct seen {
    char name[32];
    uint32_t flags;
    int64_t ret;
    int64_t arguments[3]; /* pidfd, flags, and of do_mrelease the target */
};

static struct seen seen[SEEN_MAX];
static unsigned int seen_count;

static void keep(const struct mrl_event *event, uint32_t pid)
{
    struct seen *at = &seen[seen_count];

    if (event->host_process_id != pid || seen_count == SEEN_MAX)
        return;
    seen_count++;
    snprintf(at->name, sizeof(at->name), "%s", event->def->name);
    at->flags = event->flags;
    at->ret = event->return_value;
    for (unsigned int i = 0; i < 3 && i < event->def->field_count; i++)
        at->arguments[i] = event->values[i].number;
}

static void read_all(struct mrl_plugin *plugin, uint32_t pid)
{
    struct mrl_batch *batch;
    int count;

    seen_count = 0;
    while ((count = mrl_plugin__next_batch(plugin, READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++)
            keep(mrl_batch__at(batch, (size_t)i), pid);
        mrl_batch__unref(batch);
    }
    assert_int_equal(count, 0);
}

static void fail_and_release(struct script *script)
{
    script__call(script, "process_mrelease", UINT64_MAX, 5, 0);
    victim__release(script);
}

static void assert_whole_without_entry(const struct script *script)
{
    const struct seen *release = &seen[seen_count - 1];

    assert_int_equal(seen_count, script->count + 1);
    for (unsigned int i = 0; i < script->count; i++) {
        assert_string_equal(seen[i].name, "process_mrelease");
        assert_true(seen[i].flags & MRL_EVENT_NO_ENTRY);
        assert_int_equal(seen[i].ret, script->calls[i].result);
        assert_int_equal(seen[i].arguments[0], (int32_t)script->calls[i].args[0]);
        assert_int_equal(seen[i].arguments[1], (int32_t)script->calls[i].args[1]);
    }
    assert_string_equal(release->name, "do_mrelease");
    assert_true(release->flags & MRL_EVENT_NO_ENTRY);
    assert_int_equal(release->arguments[2], script->victim.self.host_pid);
}

static void assert_reported_without_slots(const char *rung)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct script *script = script__new();
    struct mrl_event_counts counts;
    struct mrl_plugin *plugin;
    struct mrl_error error;

    options.rung = rung;
    options.coverage = live__sees_compat(rung) ? "compat" : "native";
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_msg("%s: %s", rung, error.text);
    script__run(script, fail_and_release);
    read_all(plugin, script->calls[0].caller.host_pid);
    assert_whole_without_entry(script);
    assert_int_equal(mrl_plugin__counts(plugin, MRL_EVENT_DO_MRELEASE, &counts), 0);
    assert_int_equal(counts.no_memory, 0);
    mrl_plugin__close(plugin);
}

static void calls_without_a_place_are_reported_without_their_entry(void **state)
{
    (void)state;
    live__require();
    live__each_rung(assert_reported_without_slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(idle_threads_hold_nothing),
        LIVE_TEST(calls_without_a_place_are_reported_without_their_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
