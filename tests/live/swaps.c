// SPDX-License-Identifier: Apache-2.0
#include "swaps.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"

/* -- the plugin ------------------------------------------------------------------------------- */

struct mrl_plugin *swap_plugin;

static void clean_up(void *object)
{
    (void)object;
    swap__close();
}

void swap__close(void)
{
    mrl_plugin__close(swap_plugin);
    swap_plugin = NULL;
}

void swap__open(const char *rung, struct mrl_plugin_options options)
{
    struct mrl_error error;

    if (rung) {
        options.rung = rung;
        options.coverage = live__sees_compat(rung) ? "compat" : "native";
        options.busy_ring_bytes = 64 << 20;
        options.switchable = true;
    }
    if (mrl_plugin__open(&options, &error, &swap_plugin))
        fail_msg("%s: %s", rung ? rung : "auto", error.text);
    cleanup__add(clean_up, NULL);
}

unsigned int swap__index_of(const char *event)
{
    return mrl_event_def__find(event, NULL)->index;
}

struct mrl_event_counts swap__counts(const char *event)
{
    struct mrl_event_counts counts;

    assert_int_equal(mrl_plugin__counts(swap_plugin, swap__index_of(event), &counts), 0);
    live__assert_adds_up(&counts);
    return counts;
}

void swap__read(int timeout_ms, void (*check)(const struct mrl_event *event))
{
    struct mrl_batch *batch;
    int count;

    while ((count = mrl_plugin__next_batch(swap_plugin, timeout_ms, &batch)) > 0) {
        for (int i = 0; i < count; i++)
            if (mrl_batch__at(batch, (size_t)i)->raw)
                check(mrl_batch__at(batch, (size_t)i));
        mrl_batch__unref(batch);
    }
    assert_int_equal(count, 0);
}

/* -- the flood -------------------------------------------------------------------------------- */

enum { AHEAD_MAX = 500 /* serials: some 3,000 records of two flooders */ };

static struct flooder *flooders; /* shared with the children */
static unsigned int flooder_count;

static void start(struct flooder *flooder, const char *name, void (*call)(unsigned int serial))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child) {
        flooder->pid = child;
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, name);
    while (!flooder->started)
        usleep(100);
    for (unsigned int serial = 0; serial < SWAP_SERIALS && !flooder->stop; serial++) {
        while (serial > flooder->reached + AHEAD_MAX && !flooder->stop)
            usleep(100);
        call(serial);
        flooder->serials = serial + 1;
    }
    _exit(0);
}

struct flooder *flooders__start(unsigned int count, const char *name, void (*call)(unsigned int))
{
    flooders = mmap(NULL, count * sizeof(*flooders), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(flooders, MAP_FAILED);
    flooder_count = count;
    for (unsigned int i = 0; i < count; i++)
        start(&flooders[i], name, call);
    return flooders;
}

/* Returns how many rounds of calls they made. */
static unsigned int end_flooders(void)
{
    unsigned int serials = 0;

    for (unsigned int i = 0; i < flooder_count; i++) {
        flooders[i].stop = true;
        assert_int_equal(waitpid(flooders[i].pid, NULL, 0), flooders[i].pid);
        serials += flooders[i].serials;
    }
    return serials;
}

void flooders__free(void)
{
    munmap(flooders, flooder_count * sizeof(*flooders));
}

void flooder__saw(struct flooder *flooder, unsigned int serial)
{
    assert_int_equal(flooder->seen[serial]++, 0);
    flooder->reached = serial;
}

unsigned int flooder__missing(const struct flooder *flooder, bool (*wanted)(unsigned int serial))
{
    unsigned int missing = 0;

    for (unsigned int serial = 0; serial < flooder->serials; serial++)
        missing += wanted(serial) && !flooder->seen[serial];
    return missing;
}

/* -- the exchange ----------------------------------------------------------------------------- */

static struct {
    int wanted;
    atomic_int done; /* -1: one failed */
    int (*configure)(int i, struct mrl_error *error);
    struct mrl_error error;
} exchange;

static void *exchange_all(void *context)
{
    (void)context;
    for (int i = 1; i <= exchange.wanted && exchange.done >= 0; i++) {
        int err;

        while ((err = exchange.configure(i, &exchange.error)) == -EAGAIN)
            usleep(1000);
        exchange.done = err ? -1 : i;
    }
    return NULL;
}

void swap__exchange(const char *rung,
                    int count,
                    int (*configure)(int i, struct mrl_error *error),
                    void (*check)(const struct mrl_event *event))
{
    const int64_t start_ms = mrl_clock__ms();
    unsigned int serials;
    pthread_t thread;

    for (unsigned int i = 0; i < flooder_count; i++)
        flooders[i].started = true;
    exchange.wanted = count;
    exchange.done = 0;
    exchange.configure = configure;
    assert_int_equal(pthread_create(&thread, NULL, exchange_all, NULL), 0);
    while (exchange.done >= 0 && exchange.done < count)
        swap__read(1, check);
    pthread_join(thread, NULL);
    if (exchange.done < 0)
        fail_msg("%s: %s", rung, exchange.error.text);
    serials = end_flooders();
    printf("# %s: %d changes within %u rounds of calls and %u ms\n", rung, count, serials,
           (unsigned int)(mrl_clock__ms() - start_ms));
    mrl_plugin__stop(swap_plugin);
    swap__read(SWAP_READ_MS, check);
}
