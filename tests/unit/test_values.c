// SPDX-License-Identifier: Apache-2.0
/* The computed fields of do_mrelease: bytes, outcome, accuracy. */
#include <stdlib.h>
#include <string.h>

#include "event/lost.h"
#include "unit/records.h"
#include "unit/unit.h"

struct fixture {
    struct test_decoder decoder;
    struct test_record record;
};

static int setup(void **state)
{
    struct fixture *fixture = malloc(sizeof(*fixture));

    assert_non_null(fixture);
    test_decoder__init(&fixture->decoder);
    test_record__init(&fixture->record, MRL_EVENT_DO_MRELEASE);
    test_record__add_target(&fixture->record);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    test_decoder__done(&fixture->decoder);
    free(fixture);
    return 0;
}

static const struct mrl_event *decode(struct fixture *fixture)
{
    return test_decoder__event(&fixture->decoder, &fixture->record);
}

static void assert_number(const struct mrl_event *event, const char *name, uint64_t number)
{
    const struct mrl_value *value = test_value(event, name);

    if (value->absent || value->unsigned_number != number)
        fail_case("%s: %llu%s, wanted %llu", name, (unsigned long long)value->unsigned_number,
                  value->absent ? " (absent)" : "", (unsigned long long)number);
}

static void assert_text(const struct mrl_event *event, const char *name, const char *text)
{
    const struct mrl_value *value = test_value(event, name);

    if (value->absent || value->text.size != strlen(text) ||
        memcmp(value->text.bytes, text, value->text.size) != 0)
        fail_case("%s: '%.*s'%s, wanted '%s'", name, (int)value->text.size, value->text.bytes,
                  value->absent ? " (absent)" : "", text);
}

static void assert_absent(const struct mrl_event *event, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!test_value(event, names[i])->absent)
            fail_case("%s is present", names[i]);
}

static void values_tell_the_memory_before_and_after(void **state)
{
    const struct mrl_event *event = decode(*state);

    assert_number(event, "released_bytes", (1030 - 10) * UINT64_C(4096));
    assert_number(event, "anon_before", 1000 * UINT64_C(4096));
    assert_number(event, "anon_after", 1 * UINT64_C(4096));
    assert_number(event, "file_before", 10 * UINT64_C(4096));
    assert_number(event, "file_after", 9 * UINT64_C(4096));
    assert_number(event, "shmem_before", 20 * UINT64_C(4096));
    assert_number(event, "shmem_after", 0);
    assert_number(event, "swap_before", 3 * UINT64_C(4096));
    assert_number(event, "swap_after", 2 * UINT64_C(4096));
    assert_number(event, "locked_bytes", 16 * UINT64_C(4096));
    assert_number(event, "pagetable_bytes", 8192);
}

static void values_count_pages_of_the_hosts_size(void **state)
{
    struct fixture *fixture = *state;

    fixture->decoder.host.facts.page_bytes = 65536;
    assert_number(decode(fixture), "anon_before", 1000 * UINT64_C(65536));
    assert_number(decode(fixture), "locked_bytes", 16 * UINT64_C(65536));
}

static void values_do_not_count_swap_as_released(void **state)
{
    struct fixture *fixture = *state;

    fixture->record.target.before = (struct mrl_pages){ .anon = 5, .swap = 900 };
    fixture->record.target.after = (struct mrl_pages){ .anon = 5, .swap = 0 };
    assert_number(decode(fixture), "released_bytes", 0);
}

static void values_take_negative_counters_as_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct mrl_event *event;

    fixture->record.target.before = (struct mrl_pages){ .anon = 8, .file = -5, .shmem = -1 };
    fixture->record.target.after = (struct mrl_pages){ .anon = -3, .swap = INT64_MIN };
    event = decode(fixture);
    assert_number(event, "file_before", 0);
    assert_number(event, "shmem_before", 0);
    assert_number(event, "anon_after", 0);
    assert_number(event, "swap_after", 0);
    assert_number(event, "released_bytes", 8 * UINT64_C(4096));
}

static void values_never_release_less_than_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->record.target.after.anon = 5000;
    assert_number(decode(fixture), "released_bytes", 0);
}

static void values_after_are_absent_when_not_seen_again(void **state)
{
    static const char *const absent[] = { "anon_after",       "file_after",     "shmem_after",
                                          "swap_after",       "released_bytes", "accuracy",
                                          "error_bound_bytes" };
    struct fixture *fixture = *state;
    const struct mrl_event *event;

    fixture->record.target.flags &= ~(__u32)MRL_TARGET_AFTER;
    event = decode(fixture);
    assert_absent(event, absent, COUNT_OF(absent));
    assert_number(event, "anon_before", 1000 * UINT64_C(4096));
}

static void values_of_memory_are_absent_without_memory(void **state)
{
    static const char *const absent[] = {
        "anon_before",  "anon_after",      "file_before",       "file_after",     "shmem_before",
        "shmem_after",  "swap_before",     "swap_after",        "released_bytes", "accuracy",
        "locked_bytes", "pagetable_bytes", "error_bound_bytes",
    };
    struct fixture *fixture = *state;
    const struct mrl_event *event;

    fixture->record.target.flags &= ~(__u32)MRL_TARGET_MM;
    event = decode(fixture);
    assert_absent(event, absent, COUNT_OF(absent));
    assert_text(event, "outcome", "unknown");
    assert_text(event, "target_name", "hog");
    assert_number(event, "target_uid", 1000);
}

static void values_bound_the_error_by_cpus(void **state)
{
    static const struct {
        uint32_t cpus;
        uint64_t batch;
    } cases[] = { { 1, 32 }, { 2, 32 }, { 16, 32 }, { 17, 34 }, { 64, 128 }, { 512, 1024 } };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fixture->decoder.host.facts.cpus = cases[i].cpus;
        assert_number(decode(fixture), "error_bound_bytes",
                      6 * cases[i].batch * cases[i].cpus * 4096);
        assert_text(decode(fixture), "accuracy", "approx");
    }
    fixture->record.target.flags |= MRL_TARGET_EXACT_RSS;
    assert_number(decode(fixture), "error_bound_bytes", 0);
    assert_text(decode(fixture), "accuracy", "exact");
}

static void values_tell_how_long_the_call_took(void **state)
{
    static const char *const duration[] = { "duration_ns" };
    struct fixture *fixture = *state;

    assert_number(decode(fixture), "duration_ns", TEST_DURATION_NS);
    fixture->record.call.flags |= MRL_RECORD_NO_ENTRY;
    assert_absent(decode(fixture), duration, 1);
}

static void values_identify_the_target(void **state)
{
    const struct mrl_event *event = decode(*state);

    assert_text(event, "target_name", "hog");
    assert_text(event, "target_exe", "/usr/bin/hog");
    assert_text(event, "target_container_id", "");
    assert_number(event, "target_start_time", TEST_START_NS);
    assert_int_equal(test_value(event, "target_entity_id")->entity.host_pid, 5151);
    assert_true(test_value(event, "target_entity_id")->entity.start_ns == TEST_START_NS);
}

static void values_mark_a_path_that_was_cut(void **state)
{
    struct fixture *fixture = *state;

    fixture->record.target.flags |= MRL_TARGET_EXE_CUT;
    assert_text(decode(fixture), "target_exe", ".../usr/bin/hog");
}

static void values_of_an_unread_path_are_absent(void **state)
{
    static const char *const exe[] = { "target_exe" };
    struct fixture *fixture = *state;

    test_record__set_path(&fixture->record, "", 0);
    assert_absent(decode(fixture), exe, 1);
}

static void compute_lost(const struct mrl_lost *lost, struct mrl_value values[MRL_LOST_FIELDS])
{
    const struct mrl_event_def *def = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    const struct mrl_raw raw = { .lost = lost };

    assert_int_equal(def->field_count, MRL_LOST_FIELDS);
    memset(values, 0, MRL_LOST_FIELDS * sizeof(*values));
    for (unsigned int i = 0; i < def->field_count; i++)
        mrl_event_def__from(def->index)[i].compute(&raw, &values[i]);
}

static void values_tell_what_is_missing_in_a_gap(void **state)
{
    const struct mrl_lost lost = { .event = mrl_event_def__at(MRL_EVENT_MLOCK2),
                                   .count = UINT64_MAX,
                                   .cause = MRL_CAUSE_RING_FULL,
                                   .from_ns = TEST_START_NS,
                                   .to_ns = TEST_ENTRY_NS };
    static const char *const nobody[] = { "by_uid", "by_cgroup", "by_comm" };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event event = { .def = mrl_event_def__at(MRL_EVENT_EVENTS_LOST), .values = values };

    (void)state;
    compute_lost(&lost, values);
    assert_text(&event, "event", "mlock2");
    assert_number(&event, "count", UINT64_MAX);
    assert_text(&event, "cause", "ring_full");
    assert_number(&event, "from_ns", TEST_START_NS);
    assert_number(&event, "to_ns", TEST_ENTRY_NS);
    assert_absent(&event, nobody, COUNT_OF(nobody));
}

/* A capture file may hold such a record, which no probe writes. */
static void values_of_a_gap_that_is_none_are_absent(void **state)
{
    struct mrl_value values[MRL_LOST_FIELDS];

    (void)state;
    compute_lost(NULL, values);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_true(values[i].absent);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(values_tell_the_memory_before_and_after),
        test(values_count_pages_of_the_hosts_size),
        test(values_do_not_count_swap_as_released),
        test(values_take_negative_counters_as_nothing),
        test(values_never_release_less_than_nothing),
        test(values_after_are_absent_when_not_seen_again),
        test(values_of_memory_are_absent_without_memory),
        test(values_bound_the_error_by_cpus),
        test(values_tell_how_long_the_call_took),
        test(values_identify_the_target),
        test(values_mark_a_path_that_was_cut),
        test(values_of_an_unread_path_are_absent),
        cmocka_unit_test(values_tell_what_is_missing_in_a_gap),
        cmocka_unit_test(values_of_a_gap_that_is_none_are_absent),
    };

    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
