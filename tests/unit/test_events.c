// SPDX-License-Identifier: Apache-2.0
/*
 * What the rows of events.def must say, typed by hand: of Tracee's events from Tracee's source, of
 * our own from their contract.
 */
#include <abi/record.h>
#include <mrelease/event.h>
#include <string.h>

#include "event/raw.h"
#include "unit/problems.h"

struct known_field {
    const char *name, *type_v0_23, *type_v0_24, *protobuf;
};

static const struct known_event {
    const char *name;
    int x86_64, arm64, i386, arm, protobuf;
    const char *sets;
    struct known_field fields[4];
} tracee_events[] = {
    { "process_mrelease",
      448,
      448,
      448,
      448,
      360,
      "syscalls",
      { { "pidfd", "int", "int32", "int32" }, { "flags", "unsigned int", "uint32", "u_int32" } } },
    { "mlock",
      149,
      228,
      150,
      150,
      150,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" } } },
    { "munlock",
      150,
      229,
      151,
      151,
      151,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" } } },
    { "mlockall",
      151,
      230,
      152,
      152,
      152,
      "syscalls,proc,proc_mem",
      { { "flags", "int", "int32", "int32" } } },
    { "munlockall", 152, 231, 153, 153, 153, "syscalls,proc,proc_mem", { { 0 } } },
    { "mlock2",
      325,
      284,
      376,
      390,
      326,
      "syscalls,proc,proc_mem",
      { { "addr", "const void*", "trace.Pointer", "pointer" },
        { "len", "size_t", "uint64", "u_int64" },
        { "flags", "int", "int32", "int32" } } },
};

static void compare_numbers(const struct known_event *known, const struct mrl_event_def *event)
{
    const int wanted[] = { known->x86_64, known->arm64, known->i386, known->arm, known->protobuf };
    const int found[] = { event->id_x86_64, event->id_arm64, event->nr_i386, event->nr_arm,
                          event->protobuf_id };
    static const char *const what[] = { "x86-64 id", "arm64 id", "i386 number", "arm number",
                                        "protobuf id" };

    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (wanted[i] != found[i])
            problem("%s: %s is %d, Tracee's is %d", known->name, what[i], found[i], wanted[i]);
    if (!event->is_syscall || strcmp(event->syscall, known->name) != 0)
        problem("%s: is no system call of that name", known->name);
    if (strcmp(event->version, "1.0.0") != 0)
        problem("%s: version %s, Tracee's is 1.0.0", known->name, event->version);
}

static void compare_sets(const struct known_event *known, const struct mrl_event_def *event)
{
    char sets[64] = "";

    for (unsigned int bit = 0; mrl_set_name(bit); bit++) {
        if (!(event->sets & (1U << bit)) || (1U << bit) == MRL_SET_DEFAULT)
            continue;
        strcat(sets, *sets ? "," : "");
        strcat(sets, mrl_set_name(bit));
    }
    if (strcmp(sets, known->sets) != 0)
        problem("%s: sets %s, Tracee's are %s", known->name, sets, known->sets);
}

static void compare_fields(const struct known_event *known, const struct mrl_event_def *event)
{
    unsigned int count = 0;

    for (; known->fields[count].name; count++) {
        const struct known_field *wanted = &known->fields[count];
        const struct mrl_field *field = &event->fields[count];

        if (count >= event->field_count || strcmp(field->name, wanted->name) != 0 ||
            strcmp(field->kind->type_v0_23, wanted->type_v0_23) != 0 ||
            strcmp(field->kind->type_v0_24, wanted->type_v0_24) != 0 ||
            strcmp(field->kind->protobuf, wanted->protobuf) != 0 || field->tags != MRL_TAG_K)
            problem("%s: argument %u is not Tracee's %s", known->name, count, wanted->name);
        if (mrl_event_def__from(event->index)[count].where != MRL_FROM_ARG ||
            mrl_event_def__from(event->index)[count].offset != count)
            problem("%s: %s is not argument %u of the call", known->name, wanted->name, count);
    }
    if (count != event->field_count)
        problem("%s: %u fields, Tracee has %u", known->name, event->field_count, count);
}

static void table_says_of_tracees_events_what_tracee_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tracee_events); i++) {
        const struct mrl_event_def *event = mrl_event_def__find(tracee_events[i].name, NULL);

        if (!event) {
            problem("%s is missing", tracee_events[i].name);
            continue;
        }
        compare_numbers(&tracee_events[i], event);
        compare_sets(&tracee_events[i], event);
        compare_fields(&tracee_events[i], event);
    }
    assert_int_equal(problems, 0);
}

static void table_turns_on_the_release_events_by_default(void **state)
{
    const struct mrl_event_def *event;

    (void)state;
    for_each_event(event)
    {
        bool wanted =
            !strcmp(event->name, "process_mrelease") || !strcmp(event->name, "do_mrelease");

        if (wanted != !!(event->sets & MRL_SET_DEFAULT))
            problem("%s is %s the default set", event->name, wanted ? "not in" : "in");
    }
    assert_int_equal(problems, 0);
}

static void table_numbers_own_events_as_designed(void **state)
{
    const struct mrl_event_def *released = mrl_event_def__find("do_mrelease", NULL);
    const struct mrl_event_def *lost = mrl_event_def__find("events_lost", NULL);

    (void)state;
    assert_non_null(released);
    assert_int_equal(released->id, 10448);
    assert_int_equal(released->protobuf_id, 10448);
    assert_string_equal(released->syscall, "process_mrelease");
    assert_non_null(lost);
    assert_int_equal(lost->id, 10999);
    assert_int_equal(lost->protobuf_id, 10999);
    assert_string_equal(lost->syscall, "");
    assert_int_equal(mrl_event_def__find("sensor_state", NULL)->id, 10998);
    assert_int_equal(mrl_event_def__find("sensor_state", NULL)->protobuf_id, 10998);
}

static void table_has_the_fields_of_own_events_in_order(void **state)
{
    static const char *const released[] = {
        "pidfd",
        "flags",
        "target_host_pid",
        "target_pid",
        "target_name",
        "target_exe",
        "target_uid",
        "target_start_time",
        "target_entity_id",
        "target_cgroup_id",
        "target_container_id",
        "outcome",
        "released_bytes",
        "anon_before",
        "anon_after",
        "file_before",
        "file_after",
        "shmem_before",
        "shmem_after",
        "swap_before",
        "swap_after",
        "locked_bytes",
        "pagetable_bytes",
        "accuracy",
        "error_bound_bytes",
        "duration_ns",
    };
    static const char *const lost[] = { "event", "count",  "cause",     "from_ns",
                                        "to_ns", "by_uid", "by_cgroup", "by_comm" };
    static const char *const told[] = { "what",          "detail",  "by_uid", "by_pid",
                                        "events_so_far", "from_ns", "to_ns" };
    const struct mrl_event_def *event = mrl_event_def__at(MRL_EVENT_DO_MRELEASE);

    (void)state;
    assert_int_equal(event->field_count, COUNT_OF(released));
    for (unsigned int i = 0; i < event->field_count; i++)
        assert_string_equal(event->fields[i].name, released[i]);
    event = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    assert_int_equal(event->field_count, COUNT_OF(lost));
    for (unsigned int i = 0; i < event->field_count; i++)
        assert_string_equal(event->fields[i].name, lost[i]);
    event = mrl_event_def__at(MRL_EVENT_SENSOR_STATE);
    assert_int_equal(event->field_count, COUNT_OF(told));
    for (unsigned int i = 0; i < event->field_count; i++)
        assert_string_equal(event->fields[i].name, told[i]);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, forget_problems)
    const struct CMUnitTest tests[] = {
        test(table_says_of_tracees_events_what_tracee_says),
        test(table_turns_on_the_release_events_by_default),
        test(table_numbers_own_events_as_designed),
        test(table_has_the_fields_of_own_events_in_order),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
