// SPDX-License-Identifier: Apache-2.0
/* The kernel's share of a filter: its rules decide as the filter does, with any call. */
#include <mrelease/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "unit/kernel_rules.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { ROUNDS = 20000, TEXTS = 3, TEXT_BYTES = 128, CALLS = 4 };

/* NULL, with a line in `error`, where the texts are refused. */
static struct mrl_filter *try_to_make(const char *const *events,
                                      unsigned int event_count,
                                      const char *const *scopes,
                                      unsigned int scope_count,
                                      struct mrl_error *error)
{
    const struct mrl_filter_texts texts = { .events = events,
                                            .event_count = event_count,
                                            .scopes = scopes,
                                            .scope_count = scope_count,
                                            .start = { .boot_ns = 5000 } };
    struct mrl_filter *filter = NULL;

    mrl_filter__new(&texts, error, &filter);
    return filter;
}

static struct mrl_filter *make(const char *const *events,
                               unsigned int event_count,
                               const char *const *scopes,
                               unsigned int scope_count)
{
    struct mrl_error error;
    struct mrl_filter *filter = try_to_make(events, event_count, scopes, scope_count, &error);

    if (!filter)
        fail_case("'%s' '%s': %s", events[0], scope_count ? scopes[0] : "", error.text);
    return filter;
}

static bool rules_accept(const struct mrl_rules *rules, const struct mrl_record *record)
{
    return test_rules__left(rules, record, 1);
}

static const char *pick(const char *const *words, size_t count)
{
    return words[(size_t)rand() % count];
}

/* Few different values, so that they meet. */
static void random_condition(char text[TEXT_BYTES])
{
    static const char *const fields[] = { "data.pidfd", "data.flags",    "retval",
                                          "scope.uid",  "scope.hostPid", "scope.hostTid",
                                          "data.pidfd", "retval" };
    static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=", "=", "!=" };
    static const char *const values[] = { "0", "1", "2", "3", "4294967295", "0x2", "70", "80" };
    static const char *const signed_values[] = {
        "0", "-1", "2", "-9", "-2147483648", "2147483647"
    };
    const char *field = pick(fields, COUNT_OF(fields)), *sign = pick(signs, COUNT_OF(signs));
    bool is_signed = strstr(field, "pidfd") || strstr(field, "retval");
    const char *value[2];

    for (int i = 0; i < 2; i++)
        value[i] = is_signed ? pick(signed_values, COUNT_OF(signed_values))
                             : pick(values, COUNT_OF(values));
    if (*sign == '<' && !strcmp(value[0], "0"))
        value[0] = "1";
    snprintf(text, TEXT_BYTES,
             rand() % 2 || sign[0] == '<' || sign[0] == '>' ? "process_mrelease.%s%s%s"
                                                            : "process_mrelease.%s%s%s,%s",
             field, sign, value[0], value[1]);
}

static void random_scope(char text[TEXT_BYTES])
{
    static const char *const scopes[] = { "uid=0",
                                          "uid!=1,2",
                                          "uid>1",
                                          "uid<=2",
                                          "pid=70",
                                          "pid!=70",
                                          "pid!=70,80",
                                          "pid>75",
                                          "pid=new",
                                          "pid!=new",
                                          "comm=ab",
                                          "comm!=ab",
                                          "comm=a*",
                                          "comm!=abc*",
                                          "comm=abc,b",
                                          "comm=fifteen-bytes-x",
                                          "comm!=fifteen-bytes-*" };

    snprintf(text, TEXT_BYTES, "%s", pick(scopes, COUNT_OF(scopes)));
}

static void random_record(struct test_record *record)
{
    static const uint64_t numbers[] = { 0,          1,           2,          3,         UINT64_MAX,
                                        0xffffffff, 0x100000002, 0x80000000, 0x7fffffff };
    static const int64_t results[] = { 0, -1, -9, 2, INT32_MIN, INT32_MAX, INT64_MIN, 1 };
    static const char *const names[] = {
        "", "a", "ab", "abc", "abcd", "b", "fifteen-bytes-x", "fifteen-bytes-"
    };
    static const uint32_t ids[] = { 0, 1, 2, 3, 70, 80, UINT32_MAX };

    test_record__init(record, MRL_EVENT_PROCESS_MRELEASE);
    record->call.args[0] = numbers[(size_t)rand() % COUNT_OF(numbers)];
    record->call.args[1] = numbers[(size_t)rand() % COUNT_OF(numbers)];
    record->call.ret = results[(size_t)rand() % COUNT_OF(results)];
    record->call.uid = ids[(size_t)rand() % COUNT_OF(ids)];
    record->call.host_pid = ids[(size_t)rand() % COUNT_OF(ids)];
    record->call.host_tid = ids[(size_t)rand() % COUNT_OF(ids)];
    record->call.leader_start_ns = 4999 + (uint64_t)rand() % 3;
    memset(record->call.comm, 'z', sizeof(record->call.comm)); /* what is behind a NUL is garbage */
    strcpy(record->call.comm, pick(names, COUNT_OF(names)));
    record->call.comm[MRL_NAME_BYTES - 1] = '\0';
}

static void rules_decide_as_the_filter_does(void **state)
{
    unsigned int accepted = 0, refused = 0;

    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        char texts[TEXTS][TEXT_BYTES], scopes[TEXTS][TEXT_BYTES];
        const char *const event_list[] = { texts[0], texts[1], texts[2] };
        const char *const scope_list[] = { scopes[0], scopes[1], scopes[2] };
        struct mrl_filter *filter;
        struct mrl_error error;
        struct mrl_rules rules;

        do {
            for (int i = 0; i < TEXTS; i++) {
                random_condition(texts[i]);
                random_scope(scopes[i]);
            }
            filter = try_to_make(event_list, 1 + (unsigned int)rand() % TEXTS, scope_list,
                                 (unsigned int)rand() % TEXTS, &error);
            /* Some never match, and are refused for that. */
            if (!filter && !strstr(error.text, "limits") && !strstr(error.text, "nothing is"))
                fail_case("'%s' '%s': %s", texts[0], scopes[0], error.text);
            refused += !filter;
        } while (!filter);
        assert_int_equal(mrl_filter__rules(filter, &rules), 0);
        for (__u32 i = 0; i < rules.count; i++)
            assert_true(rules.rules[i].policies == 1);
        for (__u32 i = 0; i < rules.name_count; i++)
            assert_true(rules.names[i].policies == 1);
        for (int i = 0; i < CALLS; i++) {
            struct test_decoder *decoder = *state;
            struct test_record record;
            const struct mrl_event *event;
            bool kernel;

            random_record(&record);
            kernel = rules_accept(&rules, &record.call);
            event = test_decoder__event(decoder, &record);
            if (kernel != mrl_filter__accepts(filter, event))
                fail_case("'%s' '%s' '%s' of the filter '%s' '%s': kernel %d", texts[0], texts[1],
                          texts[2], scopes[0], scopes[1], kernel);
            accepted += kernel;
            mrl_batch__take_back(decoder->batch, 0);
        }
        mrl_filter__free(filter);
    }
    assert_in_range(accepted, ROUNDS * CALLS / 20, ROUNDS * CALLS * 19 / 20);
    assert_in_range(refused, 0, ROUNDS);
}

static void rules_leave_to_user_space_what_the_kernel_does_not_know(void **state)
{
    static const char *const left[] = {
        "mlock.data.len=8*",
        "mlock.scope.comm=*x",
        "mlock.scope.comm=*x*",
        "mlock.scope.container",
        "mlock.scope.pid=1",
        "mlock.scope.hostName=a",
        "mlock.scope.mntns=1",
        "mlock.scope.timestamp>1",
        "do_mrelease.data.outcome=reaped",
        "do_mrelease.data.target_uid=0",
        "mlock.retval=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
        "mlock.scope.comm=a,b,c,d,e,f,g,h,i",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        struct mrl_filter *filter = make(&left[i], 1, NULL, 0);
        struct mrl_rules rules;

        if (mrl_filter__rules(filter, &rules) != 1 || rules.count || rules.name_count)
            fail_case("'%s' is a rule", left[i]);
        mrl_filter__free(filter);
    }
}

static void rules_are_bounded(void **state)
{
    static const char *const fields[] = { "data.addr", "data.len",      "retval",
                                          "scope.uid", "scope.hostPid", "scope.comm" };
    static const char *const names[] = { "mlock", "munlock", "mlock2" };
    char texts[COUNT_OF(names) * COUNT_OF(fields)][64];
    const char *list[COUNT_OF(names) * COUNT_OF(fields)];
    struct mrl_filter *filter;
    struct mrl_rules rules;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%s.%s=1", names[i / COUNT_OF(fields)],
                 fields[i % COUNT_OF(fields)]);
        list[i] = texts[i];
    }
    const char *const scopes[] = { "uid=1", "pid=1", "comm=1", "pid=new" };

    filter = make(list, COUNT_OF(list), scopes, COUNT_OF(scopes));
    assert_int_equal(filter->condition_count, 22);
    assert_int_equal(mrl_filter__rules(filter, &rules), 2);
    assert_int_equal(rules.count, MRL_RULES_MAX);
    assert_int_equal(rules.name_count, MRL_NAME_RULES_MAX);
    mrl_filter__free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_decide_as_the_filter_does, test_decoder__set_up,
                                        test_decoder__tear_down),
        cmocka_unit_test(rules_leave_to_user_space_what_the_kernel_does_not_know),
        cmocka_unit_test(rules_are_bounded),
    };

    return cmocka_run_group_tests_name("filter_rules", tests, NULL, NULL);
}
