// SPDX-License-Identifier: Apache-2.0
/*
 * Several policies at once, with real calls: each event names those that want it, decided by the
 * probes and by the reader, while the policies are exchanged. One that stays loses nothing.
 */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "counts.h"
#include "harness.h"

enum { PAGE = 4096, SWAPS = 12, SERIALS = 1 << 22, SCOPES = 2, READ_MS = 100 };

#define BASE UINT64_C(4600000000000000000)
#define NAME "live-policies"

static struct mrl_plugin *plugin; /* one at a time */

static void close_plugin(void *object)
{
    (void)object;
    mrl_plugin__close(plugin);
    plugin = NULL;
}

/* -- the policies ----------------------------------------------------------------------------- */

/* An address ends in a decimal digit, of which only user space decides; of the lengths, names and
 * uids the kernel does. */
static const uint64_t lengths[] = { 1 * PAGE, 2 * PAGE, 3 * PAGE };

enum rule { ALL, SHORT, LONG, ONES, NAMED, FAILED, NOBODYS, RULES };

static const struct {
    const char *name, *event, *scope;
} rules[RULES] = {
    [ALL] = { "all", "mlock", NULL },
    [SHORT] = { "short", "mlock.data.len=4096", NULL },
    [LONG] = { "long", "mlock.data.len>4096", NULL },
    [ONES] = { "ones", "mlock.data.addr=*1", NULL },
    [NAMED] = { "named", "mlock.retval<0", "comm=live-pol*" },
    [FAILED] = { "succeeded", "mlock.retval=0", NULL },
    [NOBODYS] = { "nobodys", "munlock", "uid=4294967294" },
};

/* The first is in every configuration, in another place. */
static const enum rule configurations[2][5] = {
    { ONES, ALL, SHORT, NOBODYS, NAMED },
    { FAILED, LONG, NOBODYS, ONES, ALL },
};

static bool wants(enum rule rule, uint64_t address, uint64_t length)
{
    switch (rule) {
    case SHORT:
        return length == PAGE;
    case LONG:
        return length > PAGE;
    case ONES:
        return address % 10 == 1;
    case ALL:
    case NAMED:
        return true;
    default:
        return false;
    }
}

struct texts {
    char pid[32];
    const char *scopes[5][SCOPES];
    struct mrl_policy_texts policies[5];
};

static void fill(struct texts *texts, const enum rule *wanted, pid_t caller)
{
    snprintf(texts->pid, sizeof(texts->pid), "pid=%d", caller);
    for (int i = 0; i < 5; i++) {
        texts->scopes[i][0] = texts->pid;
        texts->scopes[i][1] = rules[wanted[i]].scope;
        texts->policies[i] =
            (struct mrl_policy_texts){ .name = rules[wanted[i]].name,
                                       .events = &rules[wanted[i]].event,
                                       .event_count = 1,
                                       .scopes = texts->scopes[i],
                                       .scope_count = rules[wanted[i]].scope ? 2 : 1 };
    }
}

/* -- the calls -------------------------------------------------------------------------------- */

struct flooder {
    atomic_bool started, stop;
    atomic_uint serials; /* that were used up */
    pid_t pid;
    unsigned char seen[SERIALS];
    unsigned int by[2]; /* events of either configuration */
};

static struct flooder *flooder; /* shared with the child */

static uint64_t address_of(unsigned int serial)
{
    return BASE + serial * UINT64_C(10) + serial % 2;
}

static void start_flooder(void)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child) {
        flooder->pid = child;
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, NAME);
    while (!flooder->started)
        usleep(100);
    for (unsigned int serial = 0; serial < SERIALS && !flooder->stop; serial++) {
        trigger__native(SYS_mlock, address_of(serial), lengths[serial % 3], 0);
        trigger__native(SYS_munlock, address_of(serial), PAGE, 0);
        flooder->serials = serial + 1;
    }
    _exit(0);
}

static void check_names(const struct mrl_event *event, const enum rule *wanted)
{
    const uint64_t address = event->values[0].unsigned_number,
                   length = event->values[1].unsigned_number;
    struct mrl_text names[MRL_POLICIES_MAX];
    unsigned int count = mrl_event__policies(event, names), found = 0;

    for (int i = 0; i < 5; i++) {
        if (!wants(wanted[i], address, length))
            continue;
        assert_in_range(found, 0, count - 1);
        assert_string_equal(names[found++].bytes, rules[wanted[i]].name);
    }
    assert_int_equal(found, count);
}

static void check_event(const struct mrl_event *event)
{
    const unsigned int by = (event->generation + 1) % 2;
    unsigned int serial;

    assert_string_equal(event->def->name, "mlock");
    serial = (unsigned int)((event->values[0].unsigned_number - BASE) / 10);
    assert_in_range(serial, 0, SERIALS - 1);
    assert_int_equal(flooder->seen[serial]++, 0);
    flooder->by[by]++;
    check_names(event, configurations[by]);
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

static uint64_t matched_by(const char *name)
{
    struct mrl_policy_count policy;

    for (unsigned int i = 0; !mrl_plugin__policy(plugin, i, &policy); i++)
        if (!strcmp(policy.name, name))
            return policy.matched;
    fail_msg("no policy %s", name);
    return 0;
}

/* -- the exchange ----------------------------------------------------------------------------- */

static atomic_int swaps; /* done; -1: one failed */
static struct mrl_error swap_error;

/* The first configuration is of an odd generation: from then on they take turns. */
static void *swap(void *context)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct texts texts;

    (void)context;
    options.policies = texts.policies;
    options.policy_count = 5;
    for (int i = 1; i <= SWAPS && swaps >= 0; i++) {
        int err;

        fill(&texts, configurations[i % 2], flooder->pid);
        while ((err = mrl_plugin__reconfigure(plugin, &options, &swap_error)) == -EAGAIN)
            usleep(1000);
        swaps = err ? -1 : i;
    }
    return NULL;
}

static void open_plugin(const char *rung)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error;
    struct texts texts;

    fill(&texts, configurations[0], flooder->pid);
    options.policies = texts.policies;
    options.policy_count = 5;
    options.rung = rung;
    options.coverage = live__sees_compat(rung) ? "compat" : "native";
    options.busy_ring_bytes = 64 << 20;
    options.switchable = true;
    if (mrl_plugin__open(&options, &error, &plugin))
        fail_msg("%s: %s", rung, error.text);
    cleanup__add(close_plugin, NULL);
}

static void check_counts(const char *rung)
{
    struct mrl_event_counts locks, unlocks;
    unsigned int missing = 0;

    for (unsigned int serial = 0; serial < flooder->serials; serial++)
        missing += !flooder->seen[serial];
    assert_int_equal(missing, 0);
    assert_true(flooder->by[0] && flooder->by[1]);
    assert_int_equal(mrl_plugin__counts(plugin, mrl_event_def__find("mlock", NULL)->index, &locks),
                     0);
    assert_int_equal(
        mrl_plugin__counts(plugin, mrl_event_def__find("munlock", NULL)->index, &unlocks), 0);
    live__assert_adds_up(&locks);
    /* What no policy wants leaves the kernel never. */
    assert_true(unlocks.filtered >= flooder->serials);
    assert_int_equal(unlocks.submitted, 0);
    /* The policy that stayed counted on through all of them. */
    assert_int_equal(matched_by("all"), flooder->serials);
    printf("# %s: %d changes of 5 policies within %u calls\n", rung, SWAPS, 2 * flooder->serials);
}

static void exchange_policies(const char *rung)
{
    pthread_t thread;

    flooder =
        mmap(NULL, sizeof(*flooder), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(flooder, MAP_FAILED);
    start_flooder();
    open_plugin(rung);
    flooder->started = true;
    swaps = 0;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    while (swaps >= 0 && swaps < SWAPS)
        read_some(1);
    pthread_join(thread, NULL);
    if (swaps < 0)
        fail_msg("%s: %s", rung, swap_error.text);
    flooder->stop = true;
    assert_int_equal(waitpid(flooder->pid, NULL, 0), flooder->pid);
    mrl_plugin__stop(plugin);
    read_some(READ_MS);
    check_counts(rung);
    close_plugin(NULL);
    munmap(flooder, sizeof(*flooder));
}

static void each_event_names_the_policies_that_want_it(void **state)
{
    (void)state;
    live__require();
    live__each_rung(exchange_policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(each_event_names_the_policies_that_want_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
