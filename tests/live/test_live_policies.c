// SPDX-License-Identifier: Apache-2.0
/*
 * Several policies at once, with real calls: each event names those that want it, decided by the
 * probes and by the reader, while the policies are exchanged. One that stays loses nothing.
 */
#include <stdio.h>
#include <string.h>

#include <sys/syscall.h>

#include "harness.h"
#include "swaps.h"

enum { PAGE = SWAP_PAGE, SWAPS = 12, SCOPES = 2 };

#define NAME "live-policies"

static struct flooder *flooder;

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

static unsigned int by[2]; /* events of either configuration */

static void call(unsigned int serial)
{
    const uint64_t address = SWAP_BASE + serial * UINT64_C(10) + serial % 2;

    trigger__native(SYS_mlock, address, lengths[serial % 3], 0);
    trigger__native(SYS_munlock, address, PAGE, 0);
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
    const unsigned int of = (event->generation + 1) % 2;
    unsigned int serial;

    assert_string_equal(event->def->name, "mlock");
    serial = (unsigned int)((event->values[0].unsigned_number - SWAP_BASE) / 10);
    assert_in_range(serial, 0, SWAP_SERIALS - 1);
    flooder__saw(flooder, serial);
    by[of]++;
    check_names(event, configurations[of]);
}

static uint64_t matched_by(const char *name)
{
    struct mrl_policy_count policy;

    for (unsigned int i = 0; !mrl_plugin__policy(swap_plugin, i, &policy); i++)
        if (!strcmp(policy.name, name))
            return policy.matched;
    fail_msg("no policy %s", name);
    return 0;
}

/* -- the exchange ----------------------------------------------------------------------------- */

static struct mrl_plugin_options options_of(struct texts *texts, int number)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

    fill(texts, configurations[number % 2], flooder->pid);
    options.policies = texts->policies;
    options.policy_count = 5;
    return options;
}

/* The first configuration is of an odd generation: from then on they take turns. */
static int configure(int i, struct mrl_error *error)
{
    struct texts texts;
    const struct mrl_plugin_options options = options_of(&texts, i);

    return mrl_plugin__reconfigure(swap_plugin, &options, error);
}

static bool is_wanted(unsigned int serial)
{
    (void)serial;
    return true;
}

static void exchange_policies(const char *rung)
{
    struct mrl_event_counts unlocks;
    struct texts texts;

    by[0] = by[1] = 0;
    flooder = flooders__start(1, NAME, call);
    swap__open(rung, options_of(&texts, 0));
    swap__exchange(rung, SWAPS, configure, check_event);
    assert_int_equal(flooder__missing(flooder, is_wanted), 0);
    assert_true(by[0] && by[1]);
    swap__counts("mlock");
    /* What no policy wants leaves the kernel never. */
    unlocks = swap__counts("munlock");
    assert_true(unlocks.filtered >= flooder->serials);
    assert_int_equal(unlocks.submitted, 0);
    /* The policy that stayed counted on through all of them. */
    assert_int_equal(matched_by("all"), flooder->serials);
    swap__close();
    flooders__free();
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
