// SPDX-License-Identifier: Apache-2.0
/* Records to events: what the accepted ones become. */
#include <stdio.h>
#include <string.h>

#include "event/decode.h"
#include "unit/records.h"
#include "unit/unit.h"

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

        test_record__init_full(&record);
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

    test_record__init_full(&record);
    memset(steps, 'p', sizeof(steps));
    for (size_t i = 1; i < sizeof(steps); i += 2)
        steps[i] = '\0';
    test_record__set_path(&record, steps, sizeof(steps));
    exe = test_value(test_decoder__event(*state, &record), "target_exe");
    assert_int_equal(exe->text.size, sizeof(steps));
    for (size_t i = 0; i < sizeof(steps); i += 2)
        assert_memory_equal(exe->text.bytes + i, "/p", 2);
}

static void assert_executable(struct test_decoder *decoder,
                              const struct test_record *record,
                              const char *path)
{
    const struct mrl_event *event = test_decoder__event(decoder, record);

    assert_int_equal(event->executable.size, strlen(path));
    assert_memory_equal(event->executable.bytes, path, strlen(path));
}

static void decode_gives_the_callers_executable_beside_the_targets(void **state)
{
    static const char steps[] = "oomd\0bin";
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    assert_executable(*state, &record, "");
    test_record__set_caller_path(&record, steps, sizeof(steps));
    assert_executable(*state, &record, "/bin/oomd");
    record.call.flags |= MRL_RECORD_EXE_CUT;
    assert_executable(*state, &record, ".../bin/oomd");
    test_record__init_full(&record);
    test_record__set_caller_path(&record, steps, sizeof(steps));
    assert_executable(*state, &record, "/bin/oomd");
    assert_memory_equal(test_value(test_decoder__event(*state, &record), "target_exe")->text.bytes,
                        "/usr/bin/hog", 12);
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

    test_record__init_full(&record);
    record.target.host_pid = -1;
    record.target.uid = UINT32_MAX;
    record.target.cgroup_id = UINT64_MAX;
    event = test_decoder__event(*state, &record);
    assert_true(test_value(event, "target_host_pid")->number == -1);
    assert_int_equal(test_value(event, "target_pid")->number, 17);
    assert_true(test_value(event, "target_uid")->unsigned_number == UINT32_MAX);
    assert_true(test_value(event, "target_cgroup_id")->unsigned_number == UINT64_MAX);
}

static void decode_says_by_what_an_event_was_let_through(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init_full(&record);
    test_record__set_caller_path(&record, "sh\0bin\0", 7);
    event = test_decoder__event(*state, &record);
    assert_int_equal(event->generation, 0); /* recorded before there were any */
    assert_true(!event->policies);
    test_record__judge(&record, 1ULL << 63 | 5, 7);
    event = test_decoder__event(*state, &record);
    assert_int_equal(event->generation, 7);
    assert_true(event->policies == (1ULL << 63 | 5));
    /* Behind it all is where it was. */
    assert_memory_equal(test_value(event, "target_name")->text.bytes, "hog", 3);
    assert_memory_equal(test_value(event, "target_exe")->text.bytes, "/usr/bin/hog", 12);
    assert_memory_equal(event->executable.bytes, "/bin/sh", 7);
}

/* A batch is used again: nothing of an event may be left from the one that was there before. */
static void decode_writes_each_byte_of_an_event(void **state)
{
    static const unsigned char poisons[2] = { 0xa5, 0x5a };
    struct test_decoder *decoder = *state;
    struct test_record record;
    struct mrl_event events[2];

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (int i = 0; i < 2; i++) {
        memset(&decoder->batch->events[i], poisons[i], sizeof(events[i]));
        memcpy(&events[i], test_decoder__event(decoder, &record), sizeof(events[i]));
#if defined(__has_builtin) && __has_builtin(__builtin_clear_padding)
        __builtin_clear_padding(&events[i]);
#else
        puts("# skipped: a compiler that does not tell padding from members");
        skip();
#endif
    }
    for (size_t i = 0; i < sizeof(events[0]); i++)
        if (((unsigned char *)&events[0])[i] == poisons[0] &&
            ((unsigned char *)&events[1])[i] == poisons[1])
            fail_msg("the byte %zu is not written", i);
}

static void decode_copies_the_record(void **state)
{
    struct test_record record;
    const struct mrl_event *event;

    test_record__init_full(&record);
    event = test_decoder__event(*state, &record);
    memset(&record, 0xa5, sizeof(record));
    assert_memory_equal(event->process_name.bytes, "oomd", 4);
    assert_memory_equal(test_value(event, "target_name")->text.bytes, "hog", 3);
    assert_memory_equal(test_value(event, "target_exe")->text.bytes, "/usr/bin/hog", 12);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        test(decode_gives_the_task_of_the_record),
        test(decode_keeps_each_number_of_the_task_apart),
        test(decode_carries_the_flags_of_the_call),
        test(decode_takes_names_that_fill_their_room),
        test(decode_truncates_numbers_to_the_width_of_their_kind),
        test(decode_turns_the_path_round),
        test(decode_takes_a_path_of_the_greatest_length),
        test(decode_gives_the_callers_executable_beside_the_targets),
        test(decode_marks_what_a_missing_target_leaves_absent),
        test(decode_reads_the_members_of_the_target),
        test(decode_says_by_what_an_event_was_let_through),
        test(decode_writes_each_byte_of_an_event),
        test(decode_copies_the_record),
    };

    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
