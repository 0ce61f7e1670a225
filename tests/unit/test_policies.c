// SPDX-License-Identifier: Apache-2.0
/* Several policies at once: which of them want a call, what they are called, how often each did. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event/policies.h"
#include "filter/filter.h"
#include "read/intake.h"
#include "unit/records.h"
#include "unit/unit.h"

/* -- which of them want a call ---------------------------------------------------------------- */

static const char *const failed_locks[] = { "mlock.retval<0", "mlock.data.len=8192" };
static const char *const locks[] = { "mlock*" };
static const char *const releases[] = { "process_mrelease", "do_mrelease" };
static const char *const of_root[] = { "uid=0" };
static const char *const of_workers[] = { "comm=worker*", "uid>=1000" };

/* A policy of each manner: conditions, a list, another event, scopes that do not hold, and do. */
static const struct mrl_policy_texts policies[] = {
    { "failed-locks", failed_locks, 2, NULL, 0 },  { "all.locks", locks, 1, NULL, 0 },
    { "releases", releases, 2, NULL, 0 },          { "roots", locks, 1, of_root, 1 },
    { "workers", failed_locks, 1, of_workers, 2 },
};

static struct mrl_filter *make(const struct mrl_policy_texts *texts, unsigned int count)
{
    struct mrl_filter *filter = NULL;
    struct mrl_error error = { "" };

    if (mrl_filter__of_policies(texts, count, &(struct mrl_start){ .boot_ns = 5000 }, &error,
                                &filter))
        fail_case("%s", error.text);
    return filter;
}

/* mlock(4096, 8192) = -12 by uid 1000, as "worker-a". */
static struct test_record the_call(void)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.args[1] = 8192;
    record.call.ret = -12;
    record.call.uid = 1000;
    snprintf(record.call.comm, sizeof(record.call.comm), "worker-a");
    return record;
}

static uint64_t match(struct test_decoder *decoder,
                      const struct mrl_filter *filter,
                      const struct test_record *record)
{
    uint64_t matched = mrl_filter__match(filter, test_decoder__event(decoder, record));

    mrl_batch__take_back(decoder->batch, 0);
    return matched;
}

static void a_call_is_of_each_policy_whose_conditions_all_hold(void **state)
{
    struct mrl_filter *filter = make(policies, COUNT_OF(policies));
    struct test_record record = the_call();

    assert_int_equal(match(*state, filter, &record), 1 << 0 | 1 << 1 | 1 << 4);
    record.call.uid = 0;
    assert_int_equal(match(*state, filter, &record), 1 << 0 | 1 << 1 | 1 << 3);
    record.call.args[1] = 1;
    assert_int_equal(match(*state, filter, &record), 1 << 1 | 1 << 3);
    record.call.event = MRL_EVENT_MUNLOCKALL; /* which nobody names: it was enabled later */
    record.call.uid = 1;
    assert_int_equal(match(*state, filter, &record), 1 << 0 | 1 << 1 | 1 << 2);
    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    assert_int_equal(match(*state, filter, &record), 1 << 2);
    assert_int_equal(filter->events, 1 << MRL_EVENT_MLOCK | 1 << MRL_EVENT_MLOCK2 |
                                         1 << MRL_EVENT_MLOCKALL | 1 << MRL_EVENT_PROCESS_MRELEASE |
                                         1 << MRL_EVENT_DO_MRELEASE);
    mrl_filter__free(filter);
}

/* The last bit is one as well. */
static void there_may_be_sixty_four(void **state)
{
    struct mrl_policy_texts many[MRL_POLICIES_MAX + 1];
    char names[MRL_POLICIES_MAX + 1][8], scopes[MRL_POLICIES_MAX + 1][16];
    const char *list[MRL_POLICIES_MAX + 1];
    struct test_record record = the_call();
    struct mrl_error error = { "" };
    struct mrl_filter *filter;

    for (unsigned int i = 0; i < COUNT_OF(many); i++) {
        snprintf(names[i], sizeof(names[i]), "p%u", i);
        snprintf(scopes[i], sizeof(scopes[i]), "uid=%u", 1000 + i % 2);
        list[i] = scopes[i];
        many[i] = (struct mrl_policy_texts){ names[i], locks, 1, &list[i], 1 };
    }
    filter = make(many, MRL_POLICIES_MAX);
    assert_int_equal(filter->condition_count, 2); /* what they ask alike is asked once */
    assert_true(match(*state, filter, &record) == 0x5555555555555555);
    record.call.uid = 1001;
    assert_true(match(*state, filter, &record) == 0xaaaaaaaaaaaaaaaa);
    mrl_filter__free(filter);
    assert_int_equal(mrl_filter__of_policies(many, MRL_POLICIES_MAX + 1,
                                             &(struct mrl_start){ .boot_ns = 0 }, &error, &filter),
                     -EINVAL);
    assert_string_equal(error.text, "more than 64 policies");
}

/* How many conditions a policy with the first scopes and one with the others have. */
static unsigned int conditions_of(const char *const one[2], const char *const other[2])
{
    const struct mrl_policy_texts texts[] = { { "one", locks, 1, one, one[1] ? 2 : 1 },
                                              { "other", locks, 1, other, other[1] ? 2 : 1 } };
    const struct mrl_start start = { .boot_ns = 5000, .mount_namespace = 7 };
    struct mrl_error error = { "" };
    struct mrl_filter *filter;
    unsigned int count;

    if (mrl_filter__of_policies(texts, 2, &start, &error, &filter))
        fail_case("%s", error.text);
    count = filter->condition_count;
    mrl_filter__free(filter);
    return count;
}

static void what_is_asked_alike_is_asked_once(void **state)
{
    static const struct {
        const char *one[2], *other[2];
        unsigned int count;
    } cases[] = {
        { { "uid=1,2" }, { "uid=1,2" }, 1 },
        { { "uid=1", "uid=2" }, { "uid=1,2" }, 1 },
        { { "uid=1,2" }, { "uid=1" }, 2 },
        { { "uid=1,2" }, { "uid=1,3" }, 2 },
        { { "uid=1" }, { "uid!=1" }, 2 },
        { { "uid=1" }, { "mntns=1" }, 2 },
        { { "uid>5" }, { "uid>5" }, 1 },
        { { "uid>5" }, { "uid>6" }, 2 },
        { { "uid<5" }, { "uid<6" }, 2 },
        { { "uid>5" }, { "uid>5", "uid<9" }, 2 },
        { { "comm=ab" }, { "comm=ab" }, 1 },
        { { "comm=ab" }, { "comm=ab*" }, 2 },
        { { "comm=ab" }, { "comm=ac" }, 2 },
        { { "comm=ab" }, { "comm=abc" }, 2 },
        { { "executable=/a" }, { "executable=/a" }, 1 },
        { { "executable=/a" }, { "executable=host:/a" }, 2 },
        { { "executable=7:/a" }, { "executable=host:/a" }, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (conditions_of(cases[i].one, cases[i].other) != cases[i].count)
            fail_case("'%s' and '%s' are not %u", cases[i].one[0], cases[i].other[0],
                      cases[i].count);
}

/* An event that one policy wants in any case is sent in any case. */
static void the_kernel_asks_nothing_in_vain(void **state)
{
    static const char *const all[] = { "mlock", "process_mrelease" };
    const struct mrl_policy_texts texts[] = { { "some", all, 2, of_root, 1 },
                                              { "locks", locks, 1, NULL, 0 } };
    struct mrl_filter *filter = make(texts, 2);
    struct mrl_rules rules;

    (void)state;
    assert_int_equal(mrl_filter__rules(filter, &rules), 0);
    assert_int_equal(rules.count, 1);
    assert_false(rules.rules[0].events & 1U << MRL_EVENT_MLOCK);
    assert_true(rules.rules[0].events & 1U << MRL_EVENT_PROCESS_MRELEASE);
    mrl_filter__free(filter);
    filter = make(&texts[0], 1);
    assert_int_equal(mrl_filter__rules(filter, &rules), 0);
    assert_true(rules.rules[0].events & 1U << MRL_EVENT_MLOCK);
    mrl_filter__free(filter);
}

/* -- what is refused -------------------------------------------------------------------------- */

static void what_no_policy_can_be_is_one_line(void **state)
{
    static const char *const both[] = { "container", "not-container" };
    static const char *const unknown[] = { "mlok" };
    static const char *const none[] = { "-do_mrelease,-process_mrelease" };
    static const struct {
        struct mrl_policy_texts texts;
        const char *said;
    } cases[] = {
        { { "", locks, 1, NULL, 0 }, "a policy without a name" },
        { { "Locks", locks, 1, NULL, 0 }, "'Locks' is no name of a policy: a-z, 0-9, '-' and '.'" },
        { { "a_b", locks, 1, NULL, 0 }, "'a_b' is no name of a policy" },
        { { "-a", locks, 1, NULL, 0 }, "'-a' is no name of a policy" },
        { { "a-", locks, 1, NULL, 0 }, "'a-' is no name of a policy" },
        { { "a..b", locks, 1, NULL, 0 }, "'a..b' is no name of a policy" },
        { { "a-.b", locks, 1, NULL, 0 }, "'a-.b' is no name of a policy" },
        { { "a\"b", locks, 1, NULL, 0 }, "'a\"b' is no name of a policy" },
        { { "first", locks, 1, NULL, 0 }, "policy 'first' is there twice" },
        { { "a", unknown, 1, NULL, 0 }, "policy a: unknown event 'mlok': did you mean 'mlock'?" },
        { { "a", none, 1, NULL, 0 }, "policy a: '-do_mrelease,-process_mrelease' leaves no event" },
        { { "a", locks, 1, both, 2 }, "policy a: 'container' and 'not-container' at once" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mrl_policy_texts texts[] = { { "first", locks, 1, NULL, 0 }, cases[i].texts };
        struct mrl_filter *filter = NULL;
        struct mrl_error error = { "" };

        assert_true(mrl_filter__of_policies(texts, 2, &(struct mrl_start){ .boot_ns = 0 }, &error,
                                            &filter) < 0);
        if (strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0)
            fail_case("'%s', not '%s'", error.text, cases[i].said);
        assert_null(filter);
    }
}

/* Each in a policy of its own they are no contradiction. */
static void policies_may_contradict_each_other(void **state)
{
    static const char *const in[] = { "container" }, *const out[] = { "not-container" };
    const struct mrl_policy_texts texts[] = { { "in", locks, 1, in, 1 },
                                              { "out", locks, 1, out, 1 } };

    (void)state;
    mrl_filter__free(make(texts, COUNT_OF(texts)));
}

static void names_are_bounded(void **state)
{
    struct mrl_policies *list = mrl_policies__new();
    char name[MRL_POLICY_NAME_MAX + 2];
    struct mrl_error error = { "" };
    unsigned int added = 0;
    int err;

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(mrl_policies__add(list, name, &error), -EINVAL);
    assert_non_null(strstr(error.text, "has 254 bytes of name: more than 253"));
    name[MRL_POLICY_NAME_MAX] = '\0';
    do {
        name[0] = (char)('a' + added % 26);
        name[1] = (char)('a' + added / 26);
        err = mrl_policies__add(list, name, &error);
        added += !err;
    } while (!err);
    assert_int_equal(added, MRL_POLICY_NAMES_MAX / MRL_POLICY_NAME_MAX);
    assert_non_null(strstr(error.text, "take more than 4096 bytes"));
    mrl_policies__unref(list);
}

/* -- names and counts ------------------------------------------------------------------------- */

static int no_counters(const void *context,
                       unsigned int event,
                       struct mrl_event_counters *ret_each,
                       unsigned int cpus)
{
    (void)context;
    (void)event;
    memset(ret_each, 0, cpus * sizeof(*ret_each));
    return 0;
}

static void take(struct mrl_intake *intake, uint64_t seq, uint64_t judged, uint32_t generation)
{
    struct test_record record = the_call();

    record.call.seq = seq;
    record.call.cpu = 0;
    record.call.lane = MRL_LANE_BUSY;
    test_record__judge(&record, judged, generation);
    mrl_intake__take(intake, &record, record.call.size);
}

static void assert_names(const struct mrl_event *event, const char *wanted)
{
    struct mrl_text names[MRL_POLICIES_MAX];
    unsigned int count = mrl_event__policies(event, names);
    char joined[256] = "";

    assert_true(count > 0);
    for (unsigned int i = 0; i < count; i++) {
        assert_int_equal(strlen(names[i].bytes), names[i].size);
        strcat(strcat(joined, i ? " " : ""), names[i].bytes);
    }
    assert_string_equal(joined, wanted);
}

/* The second configuration has one policy that stays, in another place, and one that is new. */
static void an_event_names_the_policies_of_its_configuration(void **state)
{
    const struct mrl_policy_texts later[] = { policies[3],
                                              policies[1],
                                              { "new", failed_locks, 1, NULL, 0 } };
    const struct mrl_kernel_counters counters = { .read = no_counters, .cpus = 1 };
    struct mrl_filter *first = make(policies, COUNT_OF(policies)),
                      *second = make(later, COUNT_OF(later));
    struct test_decoder *decoder = *state;
    const struct mrl_event *events = decoder->batch->events;
    struct mrl_policies *now = mrl_policies__ref(second->names);
    struct mrl_intake intake;
    struct mrl_error error;

    mrl_policies__continue(now, first->names);
    assert_int_equal(
        mrl_intake__init(&intake, &decoder->host, first, &counters, 1U << MRL_EVENT_MLOCK), 0);
    assert_true(mrl_intake__begin(&intake, decoder->batch, MRL_BATCH_EVENTS));
    assert_int_equal(mrl_filters__add(&intake.filters, 2, second, &error), 0);
    take(&intake, 0, 0x1f, 1);
    take(&intake, 1, 7, 2);
    take(&intake, 2, 0x1f, 1);
    mrl_intake__done(&intake);
    mrl_filter__free(first); /* what batches still need of it stays */
    assert_int_equal(mrl_batch__count(decoder->batch), 3);
    assert_names(&events[0], "failed-locks all.locks workers");
    assert_names(&events[1], "all.locks new");
    assert_names(&events[2], "failed-locks all.locks workers");
    /* What is recorded of the call says so as well. */
    assert_true(
        ((const struct mrl_judgement *)((const struct mrl_record *)events[1].raw + 1))->policies ==
        6);
    assert_int_equal(now->each[0]->matched, 0);
    assert_int_equal(now->each[1]->matched, 3);
    assert_int_equal(now->each[2]->matched, 1);
    mrl_policies__unref(now);
}

static void what_is_of_no_policy_has_the_empty_name(void **state)
{
    const struct test_record record = the_call();

    assert_names(test_decoder__event(*state, &record), "");
}

#define with_decoder(test) \
    cmocka_unit_test_setup_teardown(test, test_decoder__set_up, test_decoder__tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_decoder(a_call_is_of_each_policy_whose_conditions_all_hold),
        with_decoder(there_may_be_sixty_four),
        cmocka_unit_test(what_is_asked_alike_is_asked_once),
        cmocka_unit_test(the_kernel_asks_nothing_in_vain),
        cmocka_unit_test(what_no_policy_can_be_is_one_line),
        cmocka_unit_test(policies_may_contradict_each_other),
        cmocka_unit_test(names_are_bounded),
        with_decoder(an_event_names_the_policies_of_its_configuration),
        with_decoder(what_is_of_no_policy_has_the_empty_name),
    };

    return cmocka_run_group_tests_name("policies", tests, NULL, NULL);
}
