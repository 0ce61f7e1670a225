// SPDX-License-Identifier: Apache-2.0
/* What a record tells beyond the fields of its event: the state of the target, times, locks. */
#include <mrelease/extra.h>
#include <stdlib.h>
#include <string.h>

#include "unit/extras.h"
#include "unit/records.h"
#include "unit/unit.h"

/* A record of the mlock family with what was locked. */
struct locks_record {
    struct mrl_record call;
    struct mrl_locks locks;
};

static void locks_record__init(struct locks_record *record, unsigned int event)
{
    struct test_record whole;

    test_record__init(&whole, event);
    record->call = whole.call;
    record->call.lane = MRL_LANE_BUSY;
    record->call.flags = MRL_RECORD_LOCKS;
    record->call.size = sizeof(*record);
    record->locks = (struct mrl_locks){ 3, 19, UINT64_C(8) << 20 };
}

static const struct mrl_extra *extra_of(const char *name)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(extras[i].name, name))
            return &extras[i];
    fail_case("no extra %s", name);
    return NULL;
}

/* The value of a field of an extra, by name. */
static struct mrl_value value_of(const struct mrl_event *event, const char *extra, const char *name)
{
    struct mrl_value values[MRL_EXTRA_FIELDS_MAX] = { 0 };
    const struct mrl_extra *row = extra_of(extra);

    test_extra__values(row, event, values);
    for (unsigned int i = 0; i < row->field_count; i++)
        if (!strcmp(row->fields[i].name, name))
            return values[i];
    fail_case("extra %s has no field %s", extra, name);
    return values[0];
}

static const struct mrl_event *decoded(struct test_decoder *decoder, const void *record)
{
    const struct mrl_record *call = record;

    assert_int_equal(mrl_decode__append(record, call->size, &decoder->host, decoder->batch), 0);
    return mrl_batch__at(decoder->batch, mrl_batch__count(decoder->batch) - 1);
}

static void assert_number(struct mrl_value value, uint64_t number)
{
    assert_false(value.absent);
    assert_true(value.unsigned_number == number);
}

/* -- locks ------------------------------------------------------------------------------------ */

static void locks_are_told_in_bytes(void **state)
{
    struct locks_record record;
    const struct mrl_event *event;

    locks_record__init(&record, MRL_EVENT_MLOCK);
    event = decoded(*state, &record);
    assert_number(value_of(event, "mlock", "locked_before_bytes"), 3 * 4096);
    assert_number(value_of(event, "mlock", "locked_after_bytes"), 19 * 4096);
    assert_number(value_of(event, "mlock", "memlock_limit_bytes"), 8 << 20);
    assert_true(value_of(event, "mlock", "lock_flags").absent);
}

/* A capture may hold anything. */
static void locks_behind_a_release_are_none_of_its_business(void **state)
{
    struct locks_record record;
    const struct mrl_event *event;

    locks_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    event = decoded(*state, &record);
    assert_null(event->extra_values);
    assert_true(value_of(event, "target", "target_name").absent);
}

static void locks_that_were_not_read_and_no_limit_are_absent(void **state)
{
    struct locks_record record;
    const struct mrl_event *event;

    locks_record__init(&record, MRL_EVENT_MUNLOCK);
    record.locks = (struct mrl_locks){ MRL_LOCKS_UNKNOWN, 0, UINT64_MAX };
    event = decoded(*state, &record);
    assert_true(value_of(event, "mlock", "locked_before_bytes").absent);
    assert_number(value_of(event, "mlock", "locked_after_bytes"), 0);
    assert_true(value_of(event, "mlock", "memlock_limit_bytes").absent);
}

static void lock_flags_have_their_names(void **state)
{
    static const struct {
        unsigned int event;
        uint64_t flags;
        const char *text;
    } cases[] = {
        { MRL_EVENT_MLOCK2, 0, "0" },
        { MRL_EVENT_MLOCK2, 1, "MLOCK_ONFAULT" },
        { MRL_EVENT_MLOCK2, 0xffffffff, "MLOCK_ONFAULT|0xfffffffe" },
        { MRL_EVENT_MLOCK2, 6, "0x6" },
        { MRL_EVENT_MLOCK2, UINT64_C(1) << 32, "0" }, /* the call takes 32 bits */
        { MRL_EVENT_MLOCKALL, 0, "0" },
        { MRL_EVENT_MLOCKALL, 1, "MCL_CURRENT" },
        { MRL_EVENT_MLOCKALL, 3, "MCL_CURRENT|MCL_FUTURE" },
        { MRL_EVENT_MLOCKALL, 6, "MCL_FUTURE|MCL_ONFAULT" },
        { MRL_EVENT_MLOCKALL, 0x80000007, "MCL_CURRENT|MCL_FUTURE|MCL_ONFAULT|0x80000000" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct locks_record record;
        struct mrl_value value;

        locks_record__init(&record, cases[i].event);
        record.call.args[cases[i].event == MRL_EVENT_MLOCKALL ? 0 : 2] = cases[i].flags;
        value = value_of(decoded(*state, &record), "mlock", "lock_flags");
        if (value.absent || value.text.size != strlen(cases[i].text) ||
            memcmp(value.text.bytes, cases[i].text, value.text.size) != 0)
            fail_case("'%.*s', not %s", (int)value.text.size, value.absent ? "" : value.text.bytes,
                      cases[i].text);
    }
}

static void locks_past_the_end_of_a_record_are_refused(void **state)
{
    struct test_decoder *decoder = *state;
    struct locks_record record;

    locks_record__init(&record, MRL_EVENT_MLOCK);
    record.call.size = sizeof(record.call) + sizeof(record.locks) - 1;
    assert_int_not_equal(
        mrl_decode__append(&record, record.call.size, &decoder->host, decoder->batch), 0);
}

/* -- the target ------------------------------------------------------------------------------- */

static const struct mrl_event *event_of_target(void **state,
                                               struct test_record *record,
                                               __u32 flags)
{
    test_record__init(record, MRL_EVENT_PROCESS_MRELEASE);
    test_record__add_target(record);
    record->target.flags |= flags;
    record->target.threads = 7;
    record->target.exit_code = 0x80 | 9; /* with a core */
    record->target.kill_ns = record->call.entry_ns - 1234;
    return decoded(*state, record);
}

static void the_state_is_absent_unless_it_was_looked_at(void **state)
{
    static const char *const names[] = { "target_threads", "target_dying", "target_exit_signal",
                                         "target_core_dumping", "target_mm_shared" };
    struct test_record record;
    const struct mrl_event *event = event_of_target(state, &record, MRL_TARGET_DYING);

    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(value_of(event, "target", names[i]).absent);
}

static void the_state_is_told_bit_by_bit(void **state)
{
    struct test_record record;
    const struct mrl_event *event =
        event_of_target(state, &record, MRL_TARGET_STATE | MRL_TARGET_DYING | MRL_TARGET_SHARED);

    assert_number(value_of(event, "target", "target_threads"), 7);
    assert_number(value_of(event, "target", "target_dying"), 1);
    assert_number(value_of(event, "target", "target_exit_signal"), 9);
    assert_number(value_of(event, "target", "target_core_dumping"), 0);
    assert_number(value_of(event, "target", "target_mm_shared"), 1);
    assert_number(value_of(event, "target", "target_host_pid"), 5151);
}

static void the_signal_of_one_that_lives_is_absent(void **state)
{
    struct test_record record;
    const struct mrl_event *event = event_of_target(state, &record, MRL_TARGET_STATE);

    assert_true(value_of(event, "target", "target_exit_signal").absent);
    assert_number(value_of(event, "target", "target_dying"), 0);
}

static void where_the_target_was_read_is_told(void **state)
{
    struct test_record look, proven;

    assert_memory_equal(
        value_of(event_of_target(state, &look, 0), "target", "target_from").text.bytes,
        "descriptor", 10);
    assert_memory_equal(
        value_of(event_of_target(state, &proven, MRL_TARGET_PROVEN), "target", "target_from")
            .text.bytes,
        "reaped_mm", 9);
}

static void the_time_since_the_kill_is_told(void **state)
{
    struct test_record record;
    const struct mrl_event *event = event_of_target(state, &record, 0);

    assert_number(value_of(event, "time", "since_kill_ns"), 1234);
    assert_number(value_of(event, "time", "duration_ns"), TEST_DURATION_NS);
    record.target.kill_ns = record.call.entry_ns + 1; /* killed while the call was under way */
    assert_true(value_of(decoded(*state, &record), "time", "since_kill_ns").absent);
    record.target.kill_ns = 0;
    assert_true(value_of(decoded(*state, &record), "time", "since_kill_ns").absent);
}

static void without_a_look_all_is_absent(void **state)
{
    static const char *const names[] = { "target", "bytes", "outcome", "time" };
    struct mrl_value values[MRL_EXTRA_FIELDS_MAX];
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    event = decoded(*state, &record);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        test_extra__values(extra_of(names[i]), event, values);
        for (unsigned int j = 0; j < extra_of(names[i])->field_count; j++)
            assert_true(values[j].absent);
    }
}

/* The fields that do_mrelease has too have the same values there. */
static void extras_and_do_mrelease_agree(void **state)
{
    static const char *const names[] = { "target", "bytes", "outcome", "time" };
    struct test_record call, release;
    const struct mrl_event *event = event_of_target(state, &call, 0), *own;

    release = call;
    release.call.event = MRL_EVENT_DO_MRELEASE;
    own = decoded(*state, &release);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (unsigned int j = 0; j < extra_of(names[i])->field_count; j++)
            for (unsigned int k = 0; k < own->def->field_count; k++) {
                const char *name = own->def->fields[k].name;
                struct mrl_value value;

                if (strcmp(extra_of(names[i])->fields[j].name, name) != 0)
                    continue;
                value = value_of(event, names[i], name);
                assert_int_equal(value.absent, own->values[k].absent);
                if (own->def->fields[k].kind->storage == MRL_STORAGE_TEXT)
                    assert_memory_equal(value.text.bytes, own->values[k].text.bytes,
                                        value.text.size);
                else
                    assert_true(value.unsigned_number == own->values[k].unsigned_number);
            }
}

int main(void)
{
#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        TEST(locks_are_told_in_bytes),
        TEST(locks_behind_a_release_are_none_of_its_business),
        TEST(locks_that_were_not_read_and_no_limit_are_absent),
        TEST(lock_flags_have_their_names),
        TEST(locks_past_the_end_of_a_record_are_refused),
        TEST(the_state_is_absent_unless_it_was_looked_at),
        TEST(the_state_is_told_bit_by_bit),
        TEST(the_signal_of_one_that_lives_is_absent),
        TEST(where_the_target_was_read_is_told),
        TEST(the_time_since_the_kill_is_told),
        TEST(without_a_look_all_is_absent),
        TEST(extras_and_do_mrelease_agree),
    };

    return cmocka_run_group_tests_name("more", tests, NULL, NULL);
}
