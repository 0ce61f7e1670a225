// SPDX-License-Identifier: Apache-2.0
/*
 * Names of containers on this kernel: cgroups as a runtime makes them, and somebody who answers for
 * the runtime. Who is asked, when; who waits, and who does not.
 */
#include <mrelease/mrelease.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "harness.h"

enum { CONTAINERS = 100, ASKED_MAX = 512, READ_MS = 20, HOST_CALLS = 50 };

/* Answers on a thread of its own, as a side program does. */
static struct runtime {
    struct mrl_plugin *plugin;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    char ids[ASKED_MAX][65];
    unsigned int asked, answered, delay_ms;
    bool ends;
} runtime;

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    (void)context;
    assert_int_equal(hint, MRL_RUNTIME_DOCKER);
    pthread_mutex_lock(&runtime.lock);
    if (runtime.asked < ASKED_MAX)
        snprintf(runtime.ids[runtime.asked++], sizeof(runtime.ids[0]), "%s", id);
    pthread_cond_signal(&runtime.more);
    pthread_mutex_unlock(&runtime.lock);
    return 0;
}

static unsigned int count_asked(void)
{
    unsigned int count;

    pthread_mutex_lock(&runtime.lock);
    count = runtime.asked;
    pthread_mutex_unlock(&runtime.lock);
    return count;
}

static unsigned int count_answered(void)
{
    unsigned int count;

    pthread_mutex_lock(&runtime.lock);
    count = runtime.answered;
    pthread_mutex_unlock(&runtime.lock);
    return count;
}

static void answer(const char *id)
{
    const struct mrl_container_names names = {
        .id = { id, strlen(id) },
        .result = MRL_NAMES_KNOWN,
        .runtime = MRL_RUNTIME_DOCKER,
        .texts = { [MRL_NAME_CONTAINER] = { id + 56, 8 }, [MRL_NAME_POD] = { "pod", 3 } },
    };

    usleep(runtime.delay_ms * 1000);
    mrl_plugin__tell_names(runtime.plugin, &names);
}

static void *answer_all(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&runtime.lock);
    while (!runtime.ends) {
        if (runtime.answered == runtime.asked) {
            pthread_cond_wait(&runtime.more, &runtime.lock);
            continue;
        }
        pthread_mutex_unlock(&runtime.lock);
        answer(runtime.ids[runtime.answered]);
        pthread_mutex_lock(&runtime.lock);
        runtime.answered++;
    }
    pthread_mutex_unlock(&runtime.lock);
    return NULL;
}

static void close_all(void *unused)
{
    (void)unused;
    if (!runtime.plugin)
        return;
    pthread_mutex_lock(&runtime.lock);
    runtime.ends = true;
    pthread_cond_signal(&runtime.more);
    pthread_mutex_unlock(&runtime.lock);
    pthread_join(runtime.thread, NULL);
    mrl_plugin__close(runtime.plugin);
    runtime.plugin = NULL;
}

static void open_all(const char *rung, unsigned int delay_ms, uint64_t wait_ms)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;

    runtime = (struct runtime){ .delay_ms = delay_ms,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .more = PTHREAD_COND_INITIALIZER };
    options.events = "munlock";
    options.rung = rung;
    options.coverage = strcmp(rung, "tracepoint") ? "compat" : "native";
    options.scopes[options.scope_count++] = live__scope();
    options.names = true;
    options.ask_names = ask;
    options.names_wait_ns = wait_ms * 1000000;
    if (mrl_plugin__open(&options, &error, &runtime.plugin))
        fail_msg("%s: %s", rung, error.text);
    pthread_create(&runtime.thread, NULL, answer_all, NULL);
    cleanup__add(close_all, NULL);
}

/* What was seen of the containers of this test, and of the host. */
static struct seen {
    unsigned int named, unnamed, host;
    uint64_t next; /* number of the next event of one CPU and lane, where there is one CPU */
    int64_t slowest_ns;
    char lookup[16];
} seen;

static int64_t boot_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void see(const struct mrl_event *event)
{
    int64_t late_ns = boot_ns() - (int64_t)event->exit_ns;

    if (!event->container_id.size) {
        seen.host++;
        seen.slowest_ns = late_ns > seen.slowest_ns ? late_ns : seen.slowest_ns;
        return;
    }
    snprintf(seen.lookup, sizeof(seen.lookup), "%.*s", (int)event->container_lookup.size,
             event->container_lookup.bytes);
    if (event->names_result != MRL_NAMES_KNOWN) {
        seen.unnamed++;
        return;
    }
    assert_int_equal(event->container_name.size, 8);
    assert_memory_equal(event->container_name.bytes, event->container_id.bytes + 56, 8);
    assert_int_equal(event->pod_name.size, 3);
    seen.named++;
}

static int read_once(int timeout_ms)
{
    struct mrl_batch *batch;
    int count = mrl_plugin__next_batch(runtime.plugin, timeout_ms, &batch);

    assert_true(count >= 0);
    if (!count)
        return 0;
    for (int i = 0; i < count; i++)
        if (*mrl_batch__at(batch, (size_t)i)->def->syscall)
            see(mrl_batch__at(batch, (size_t)i));
    mrl_batch__unref(batch);
    return count;
}

static void read_rest(void)
{
    mrl_plugin__stop(runtime.plugin);
    while (read_once(0))
        ;
}

static void make_and_call(unsigned int number)
{
    const char *directory = container__make(number);

    assert_non_null(directory);
    container__call_in(directory);
    container__remove(directory);
}

static void containers_of_one_call_have_names_on(const char *rung)
{
    seen = (struct seen){ .named = 0 };
    open_all(rung, 0, 50);
    for (unsigned int i = 0; i < CONTAINERS; i++) {
        make_and_call(i);
        read_once(READ_MS);
    }
    for (int i = 0; i < 10; i++)
        read_once(READ_MS);
    read_rest();
    assert_int_equal(seen.named, CONTAINERS);
    assert_int_equal(seen.unnamed, 0);
    assert_in_range(count_asked(), CONTAINERS, 2 * CONTAINERS); /* the reader may be first */
    close_all(NULL);
}

static void containers_of_one_call_have_names(void **state)
{
    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    live__each_rung(containers_of_one_call_have_names_on);
}

/* Nobody has called from there: it is the cgroup that is made which asks. */
static void a_container_is_asked_about_when_it_is_made(void **state)
{
    const char *directory;

    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    open_all("auto", 0, 50);
    directory = container__make(0);
    for (int i = 0; i < 50 && !count_answered(); i++)
        read_once(READ_MS);
    assert_int_equal(count_asked(), 1);
    assert_string_equal(runtime.ids[0], container__id(0));
    container__remove(directory);
}

/* As while an output blocks: the containers are gone before anybody reads what they did. */
static void a_reader_that_is_kept_keeps_nobody_from_asking(void **state)
{
    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    seen = (struct seen){ .named = 0 };
    open_all("auto", 0, 50);
    read_once(0);
    for (unsigned int i = 0; i < CONTAINERS; i++)
        make_and_call(i);
    for (int i = 0; i < 100 && count_answered() < CONTAINERS; i++)
        live__pause_ms(10);
    assert_int_equal(count_asked(), CONTAINERS);
    assert_int_equal(count_answered(), CONTAINERS);
    read_rest();
    assert_int_equal(seen.named, CONTAINERS);
    assert_int_equal(seen.unnamed, 0);
    assert_int_equal(count_asked(), CONTAINERS);
}

static void who_waits_keeps_nobody(void **state)
{
    const long munlock = event__find("munlock")->number;

    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    seen = (struct seen){ .named = 0 };
    open_all("auto", 200, 50); /* no answer comes in time */
    for (unsigned int i = 0; i < 3; i++) {
        make_and_call(i);
        for (int call = 0; call < HOST_CALLS; call++) {
            trigger__native(munlock, 0, 0, 0);
            read_once(1);
        }
    }
    while (seen.host < 3 * HOST_CALLS || seen.unnamed < 3)
        assert_true(read_once(1000) > 0);
    assert_int_equal(seen.host, 3 * HOST_CALLS);
    assert_string_equal(seen.lookup, "pending");
    assert_in_range(seen.slowest_ns, 0, 40 * 1000000);
    read_rest();
}

/* What waits when the probes go is there all the same. */
static void at_the_end_nothing_is_kept(void **state)
{
    struct mrl_event_counts counts;

    (void)state;
    live__require();
    if (!maker_by_hand.can())
        skip();
    seen = (struct seen){ .named = 0 };
    open_all("auto", 1000, 10000);
    make_and_call(0);
    read_once(READ_MS);
    read_once(READ_MS);
    assert_int_equal(seen.named + seen.unnamed, 0);
    read_rest();
    assert_int_equal(seen.unnamed, 1);
    assert_int_equal(
        mrl_plugin__counts(runtime.plugin, mrl_event_def__find("munlock", NULL)->index, &counts),
        0);
    assert_int_equal(counts.submitted, counts.decoded);
    assert_int_equal(counts.unnamed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(containers_of_one_call_have_names),
        LIVE_TEST(a_container_is_asked_about_when_it_is_made),
        LIVE_TEST(a_reader_that_is_kept_keeps_nobody_from_asking),
        LIVE_TEST(who_waits_keeps_nobody),
        LIVE_TEST(at_the_end_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
