// SPDX-License-Identifier: Apache-2.0
/* Records to events: what is refused, and what the accepted ones become. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/decode.h"
#include "unit/records.h"
#include "unit/unit.h"

static int setup(void **state)
{
    struct test_decoder *decoder = malloc(sizeof(*decoder));

    assert_non_null(decoder);
    test_decoder__init(decoder);
    *state = decoder;
    return 0;
}

static int teardown(void **state)
{
    test_decoder__done(*state);
    free(*state);
    return 0;
}

/* In memory of exactly that size, so that a sanitizer sees a read beyond it. */
static int append_bytes(struct test_decoder *decoder, const void *bytes, size_t size)
{
    void *exact = malloc(size ? size : 1);
    int err;

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    err = mrl_decode__append(exact, size, &decoder->host, decoder->batch);
    free(exact);
    return err;
}

static void assert_refused(struct test_decoder *decoder, const struct test_record *record)
{
    size_t used = decoder->batch->arena.used;

    assert_int_equal(append_bytes(decoder, record, record->call.size), -EBADMSG);
    assert_int_equal(mrl_batch__count(decoder->batch), 0);
    assert_int_equal(decoder->batch->arena.used, used);
}

static void full_record(struct test_record *record)
{
    test_record__init(record, MRL_EVENT_DO_MRELEASE);
    test_record__add_target(record);
}

/* -- refused ---------------------------------------------------------------------------------- */

static void decode_rejects_every_shorter_length(void **state)
{
    struct test_record record;

    full_record(&record);
    for (size_t size = 0; size < record.call.size; size++)
        assert_int_equal(append_bytes(*state, &record, size), -EBADMSG);
    assert_int_equal(append_bytes(*state, &record, record.call.size), 0);
}

static void decode_rejects_every_shorter_length_that_the_record_admits(void **state)
{
    struct test_record record;
    __u16 whole;

    full_record(&record);
    whole = record.call.size;
    for (record.call.size = 0; record.call.size < whole; record.call.size++)
        assert_int_equal(append_bytes(*state, &record, record.call.size), -EBADMSG);
}

static void decode_rejects_a_size_that_is_not_the_records(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    assert_int_equal(append_bytes(*state, &record, sizeof(record.call) + 8), -EBADMSG);
    record.call.size = sizeof(record.call) + 8;
    assert_int_equal(append_bytes(*state, &record, sizeof(record.call)), -EBADMSG);
}

static void decode_rejects_an_unknown_event(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_COUNT);
    assert_refused(*state, &record);
    record.call.event = 255;
    assert_refused(*state, &record);
}

static void decode_rejects_an_unknown_lane(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.lane = MRL_LANE_COUNT;
    assert_refused(*state, &record);
    record.call.lane = UINT16_MAX;
    assert_refused(*state, &record);
}

static void decode_rejects_string_past_record_end(void **state)
{
    struct test_record record;

    full_record(&record);
    record.target.exe_bytes++;
    assert_refused(*state, &record);
    record.target.exe_bytes = UINT32_MAX;
    assert_refused(*state, &record);
}

static void decode_rejects_a_path_longer_than_any(void **state)
{
    struct {
        struct test_record record;
        char more[8];
    } longer;

    full_record(&longer.record);
    memset(longer.record.exe, 0, sizeof(longer.record.exe) + sizeof(longer.more));
    longer.record.target.exe_bytes = MRL_EXE_BYTES + 1;
    longer.record.call.size = offsetof(struct test_record, exe) + MRL_EXE_BYTES + 1;
    assert_refused(*state, &longer.record);
}

static void decode_rejects_a_path_without_its_nul(void **state)
{
    struct test_record record;

    full_record(&record);
    record.exe[record.target.exe_bytes - 1] = 'x';
    assert_refused(*state, &record);
}

/* -- accepted --------------------------------------------------------------------------------- */

static void decode_gives_the_task_of_the_record(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    record.call.ret = -22;
    record.call.uid = UINT32_MAX;
    event = test_decoder__event(*state, &record);
    assert_string_equal(event->def->name, "process_mrelease");
    assert_true(event->entry_ns == TEST_ENTRY_NS);
    assert_true(event->exit_ns == TEST_ENTRY_NS + TEST_DURATION_NS);
    assert_true(event->thread_start_ns == TEST_START_NS);
    assert_true(event->process_start_ns == TEST_START_NS);
    assert_true(event->parent_start_ns == TEST_PARENT_NS);
    assert_int_equal(event->seq, 7);
    assert_int_equal(event->return_value, -22);
    assert_int_equal(event->cgroup_id, 5650);
    assert_int_equal(event->user_id, UINT32_MAX);
    assert_int_equal(event->mount_namespace, 4026531841);
    assert_int_equal(event->pid_namespace, 4026531836);
    assert_int_equal(event->cpu, 6);
    assert_int_equal(event->lane, MRL_LANE_RARE);
    assert_int_equal(event->flags, 0);
    assert_int_equal(event->container_id.size, 0);
    assert_memory_equal(event->process_name.bytes, "oomd", event->process_name.size);
    assert_memory_equal(event->host_name.bytes, "rugged", event->host_name.size);
}

static void decode_keeps_each_number_of_the_task_apart(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.tid = 1;
    record.call.pid = 2;
    record.call.ppid = 3;
    record.call.host_tid = 4;
    record.call.host_pid = 5;
    record.call.host_ppid = 6;
    event = test_decoder__event(*state, &record);
    assert_int_equal(event->thread_id, 1);
    assert_int_equal(event->process_id, 2);
    assert_int_equal(event->parent_process_id, 3);
    assert_int_equal(event->host_thread_id, 4);
    assert_int_equal(event->host_process_id, 5);
    assert_int_equal(event->host_parent_process_id, 6);
}

static void decode_carries_the_flags_of_the_call(void **state)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.flags = MRL_RECORD_COMPAT;
    assert_int_equal(test_decoder__event(*state, &record)->flags, MRL_EVENT_IS_COMPAT);
    record.call.flags = MRL_RECORD_NO_ENTRY;
    assert_int_equal(test_decoder__event(*state, &record)->flags, MRL_EVENT_NO_ENTRY);
}

static void decode_takes_names_that_fill_their_room(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_MLOCK);
    memset(record.call.comm, 'c', sizeof(record.call.comm));
    memset(record.call.host_name, 0, sizeof(record.call.host_name));
    event = test_decoder__event(*state, &record);
    assert_int_equal(event->process_name.size, MRL_NAME_BYTES);
    assert_int_equal(event->host_name.size, 0);
}

static void decode_truncates_numbers_to_the_width_of_their_kind(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    record.call.args[0] = 0x1234567800000005;
    record.call.args[1] = 0xabcdef0000000001;
    event = test_decoder__event(*state, &record);
    assert_int_equal(test_value(event, "pidfd")->number, 5);
    assert_int_equal(test_value(event, "flags")->unsigned_number, 1);

    record.call.args[0] = 0xffffffff; /* a 32-bit -1, zero-extended */
    record.call.args[1] = UINT64_MAX;
    event = test_decoder__event(*state, &record);
    assert_true(test_value(event, "pidfd")->number == -1);
    assert_true(test_value(event, "flags")->unsigned_number == UINT32_MAX);

    test_record__init(&record, MRL_EVENT_MLOCK2);
    record.call.args[0] = UINT64_MAX;
    record.call.args[1] = UINT64_C(1) << 63;
    record.call.args[2] = 0x80000000;
    event = test_decoder__event(*state, &record);
    assert_true(test_value(event, "addr")->unsigned_number == UINT64_MAX);
    assert_true(test_value(event, "len")->unsigned_number == UINT64_C(1) << 63);
    assert_true(test_value(event, "flags")->number == INT32_MIN);
}

static void decode_turns_the_path_round(void **state)
{
    static const struct {
        const char *steps;
        size_t size;
        const char *path;
    } cases[] = {
        { "hog\0bin\0usr", sizeof("hog\0bin\0usr"), "/usr/bin/hog" },
        { "hog", sizeof("hog"), "/hog" },
        { "", 1, "/" },
        { "c\0b\0a", sizeof("c\0b\0a"), "/a/b/c" },
        { "\0b\0", sizeof("\0b"), "/b/" },
        { "\xff\xfe", sizeof("\xff\xfe"), "/\xff\xfe" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_record record;
        const struct mrl_value *exe;

        full_record(&record);
        test_record__set_path(&record, cases[i].steps, cases[i].size);
        exe = test_value(test_decoder__event(*state, &record), "target_exe");
        assert_false(exe->absent);
        assert_int_equal(exe->text.size, strlen(cases[i].path));
        assert_memory_equal(exe->text.bytes, cases[i].path, exe->text.size);
    }
}

static void decode_takes_a_path_of_the_greatest_length(void **state)
{
    struct test_record record;
    const struct mrl_value *exe;
    char steps[MRL_EXE_BYTES];

    full_record(&record);
    memset(steps, 'p', sizeof(steps));
    for (size_t i = 1; i < sizeof(steps); i += 2)
        steps[i] = '\0';
    test_record__set_path(&record, steps, sizeof(steps));
    exe = test_value(test_decoder__event(*state, &record), "target_exe");
    assert_int_equal(exe->text.size, sizeof(steps));
    for (size_t i = 0; i < sizeof(steps); i += 2)
        assert_memory_equal(exe->text.bytes + i, "/p", 2);
}

static void decode_marks_what_a_missing_target_leaves_absent(void **state)
{
    static const char *const present[] = { "pidfd", "flags", "duration_ns" };
    struct test_record record;
    const struct mrl_event *event;

    test_record__init(&record, MRL_EVENT_DO_MRELEASE);
    event = test_decoder__event(*state, &record);
    for (unsigned int i = 0; i < event->def->field_count; i++) {
        const char *name = event->def->fields[i].name;
        bool known = false;

        for (size_t p = 0; p < COUNT_OF(present); p++)
            known = known || !strcmp(present[p], name);
        if (event->values[i].absent == known)
            fail_case("%s is %s", name, known ? "absent" : "present");
        if (!known && event->values[i].unsigned_number)
            fail_case("%s is absent, but not zero", name);
    }
}

static void decode_reads_the_members_of_the_target(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    full_record(&record);
    record.target.host_pid = -1;
    record.target.uid = UINT32_MAX;
    record.target.cgroup_id = UINT64_MAX;
    event = test_decoder__event(*state, &record);
    assert_true(test_value(event, "target_host_pid")->number == -1);
    assert_int_equal(test_value(event, "target_pid")->number, 17);
    assert_true(test_value(event, "target_uid")->unsigned_number == UINT32_MAX);
    assert_true(test_value(event, "target_cgroup_id")->unsigned_number == UINT64_MAX);
}

static void decode_copies_the_record(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    full_record(&record);
    event = test_decoder__event(*state, &record);
    memset(&record, 0xa5, sizeof(record));
    assert_memory_equal(event->process_name.bytes, "oomd", 4);
    assert_memory_equal(test_value(event, "target_name")->text.bytes, "hog", 3);
    assert_memory_equal(test_value(event, "target_exe")->text.bytes, "/usr/bin/hog", 12);
}

/* -- batches ---------------------------------------------------------------------------------- */

static void batch_outlives_its_pools_owner(void **state)
{
    struct test_decoder decoder;
    struct test_record record;
    const struct mrl_event *event;

    (void)state;
    test_decoder__init(&decoder);
    full_record(&record);
    event = test_decoder__event(&decoder, &record);
    mrl_pool__unref(decoder.pool);
    assert_int_equal(mrl_batch__count(decoder.batch), 1);
    assert_ptr_equal(mrl_batch__at(decoder.batch, 0), event);
    assert_memory_equal(event->process_name.bytes, "oomd", 4);
    assert_memory_equal(test_value(event, "target_exe")->text.bytes, "/usr/bin/hog", 12);
    mrl_batch__unref(decoder.batch);
}

static void batch_pool_is_bounded_and_reuses(void **state)
{
    struct mrl_pool *pool = mrl_pool__new(2);
    struct mrl_batch *first, *second;

    (void)state;
    first = mrl_pool__get(pool);
    second = mrl_pool__get(pool);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(mrl_pool__get(pool));
    first->count = 3;
    mrl_batch__unref(first);
    assert_ptr_equal(mrl_pool__get(pool), first);
    assert_int_equal(mrl_batch__count(first), 0);
    assert_int_equal(first->arena.used, 0);
    mrl_batch__unref(second);
    mrl_pool__unref(pool);
    mrl_batch__unref(first);
    mrl_batch__unref(NULL);
    mrl_pool__unref(NULL);
}

static void batch_has_room_for_the_largest_events_that_it_promises(void **state)
{
    struct test_decoder *decoder = *state;
    struct test_record record;
    char steps[MRL_EXE_BYTES] = { 0 };
    size_t count = 0;

    full_record(&record);
    test_record__set_path(&record, steps, sizeof(steps));
    while (mrl_batch__has_room(decoder->batch, MRL_BATCH_EVENTS)) {
        const struct mrl_event *event = test_decoder__event(decoder, &record);

        assert_int_equal(test_value(event, "target_exe")->text.size, sizeof(steps));
        count++;
    }
    assert_true(decoder->batch->arena.used <= MRL_BATCH_BYTES);
    assert_true(count >= MRL_BATCH_BYTES / MRL_BATCH_EVENT_ROOM);
    assert_int_equal(mrl_batch__count(decoder->batch), count);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(decode_rejects_every_shorter_length),
        test(decode_rejects_every_shorter_length_that_the_record_admits),
        test(decode_rejects_a_size_that_is_not_the_records),
        test(decode_rejects_an_unknown_event),
        test(decode_rejects_an_unknown_lane),
        test(decode_rejects_string_past_record_end),
        test(decode_rejects_a_path_longer_than_any),
        test(decode_rejects_a_path_without_its_nul),
        test(decode_gives_the_task_of_the_record),
        test(decode_keeps_each_number_of_the_task_apart),
        test(decode_carries_the_flags_of_the_call),
        test(decode_takes_names_that_fill_their_room),
        test(decode_truncates_numbers_to_the_width_of_their_kind),
        test(decode_turns_the_path_round),
        test(decode_takes_a_path_of_the_greatest_length),
        test(decode_marks_what_a_missing_target_leaves_absent),
        test(decode_reads_the_members_of_the_target),
        test(decode_copies_the_record),
        cmocka_unit_test(batch_outlives_its_pools_owner),
        cmocka_unit_test(batch_pool_is_bounded_and_reuses),
        test(batch_has_room_for_the_largest_events_that_it_promises),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
