// SPDX-License-Identifier: Apache-2.0
/* The classic JSON object, from events built by hand. */
#include <mrelease/extra.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/records.h"
#include "unit/unit.h"

#define CONTAINER "ae95a93ce0c2f1b824ac4b205e4d1a3c8f724d663626c1ad23576efec64318de"

static bool is_x86_64(void)
{
    return mrl_event_def__at(MRL_EVENT_MLOCK)->id == 149;
}

static void assert_golden_v0_24(const struct test_event *event, const char *path)
{
    char *wanted = test_golden(path), *line;

    assert_non_null(wanted);
    line = test_line_in("json-v0.24", &event->event);
    assert_same_line(line, wanted);
    free(line);
    free(wanted);
}

static void assert_golden(const struct test_event *event, const char *path)
{
    char *wanted = test_golden(path), *line;

    assert_non_null(wanted);
    line = test_line_in("json-v0.23", &event->event);
    assert_same_line(line, wanted);
    free(line);
    line = test_line_in("json", &event->event);
    assert_same_line(line, wanted);
    free(line);
    free(wanted);
}

static void assert_has(const struct test_event *event, const char *part)
{
    char *line = test_line_in("json-v0.23", &event->event);

    if (!strstr(line, part))
        fail_case("no '%s' in %s", part, line);
    free(line);
}

/* -- whole lines ------------------------------------------------------------------------------ */

static void json_prints_the_example_of_the_fact_sheet(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.return_value = -22;
    event.values[0].number = 5;
    assert_golden(&event, "json-v0.23/process_mrelease_einval.json");
}

static void json_prints_an_empty_array_for_no_arguments(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    assert_has(&event, "\"argsNum\":0,");
    assert_has(&event, ",\"args\":[]}\n");
    if (is_x86_64())
        assert_golden(&event, "json-v0.23/munlockall.json");
}

static void json_prints_a_call_from_a_container(void **state)
{
    struct test_event event;

    (void)state;
    if (!is_x86_64())
        skip_because("the golden line has the id of x86-64");
    test_event__init(&event, "mlock2");
    event.event.entry_ns = 1763467322000000001;
    event.event.cpu = 0;
    event.event.thread_id = event.event.process_id = 441;
    event.event.parent_process_id = 431;
    event.event.host_thread_id = event.event.host_process_id = 4741;
    event.event.host_parent_process_id = 4729;
    event.event.cgroup_id = 7408;
    event.event.mount_namespace = 4026532733;
    event.event.pid_namespace = 4026532734;
    event.event.process_name = test_text("dpkg");
    event.event.host_name = test_text("app-75ff449bcd-");
    event.event.container_id = test_text(CONTAINER);
    event.values[0].unsigned_number = 0x7f8a10000000;
    event.values[1].unsigned_number = 4096;
    event.values[2].number = 1;
    assert_golden(&event, "json-v0.23/mlock2_container.json");
}

static void json_prints_null_for_what_is_absent(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    for (unsigned int i = 0; i < event.event.def->field_count; i++)
        event.values[i].absent = true;
    event.values[0] = (struct mrl_value){ .number = 5 };
    event.values[1] = (struct mrl_value){ .unsigned_number = 0 };
    event.values[25] = (struct mrl_value){ .unsigned_number = 1500 };
    assert_golden(&event, "json-v0.23/do_mrelease_absent.json");
    event.values[25] = (struct mrl_value){ .absent = true };
    assert_has(&event, "{\"name\":\"duration_ns\",\"type\":\"unsigned long\",\"value\":null}]}\n");
}

static void json_prints_a_gap_without_a_task(void **state)
{
    struct test_event event = { .event = { .def = mrl_event_def__find("events_lost", NULL) } };

    (void)state;
    event.event.values = event.values;
    event.event.process_name = event.event.host_name = event.event.container_id = test_text("");
    event.event.entry_ns = 1763467322987654321;
    event.values[0].text = test_text("mlock");
    event.values[1].unsigned_number = UINT64_MAX;
    event.values[2].text = test_text("ring_full");
    event.values[3].unsigned_number = 1763467321987654321;
    event.values[4].unsigned_number = 1763467322987654321;
    event.values[5].absent = event.values[6].absent = event.values[7].absent = true;
    assert_golden(&event, "json-v0.23/events_lost.json");
    assert_golden_v0_24(&event, "json-v0.24/events_lost.json");
}

/* -- values ----------------------------------------------------------------------------------- */

static void json_prints_the_limits_of_numbers(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.values[0].number = -1;
    event.values[1].unsigned_number = UINT32_MAX;
    event.event.return_value = INT64_MIN;
    event.event.user_id = UINT32_MAX;
    event.event.cgroup_id = UINT64_MAX;
    assert_has(&event, "{\"name\":\"pidfd\",\"type\":\"int\",\"value\":-1}");
    assert_has(&event, "{\"name\":\"flags\",\"type\":\"unsigned int\",\"value\":4294967295}");
    assert_has(&event, ",\"returnValue\":-9223372036854775808,");
    assert_has(&event, ",\"userId\":4294967295,");
    assert_has(&event, ",\"cgroupId\":18446744073709551615,");
    test_event__init(&event, "mlock");
    event.values[0].unsigned_number = UINT64_MAX;
    event.values[1].unsigned_number = UINT64_MAX;
    event.event.return_value = INT64_MAX;
    assert_has(&event,
               "{\"name\":\"addr\",\"type\":\"const void*\",\"value\":18446744073709551615}");
    assert_has(&event, "{\"name\":\"len\",\"type\":\"size_t\",\"value\":18446744073709551615}");
    assert_has(&event, ",\"returnValue\":9223372036854775807,");
}

static void json_says_when_a_call_was_32_bit(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.flags = MRL_EVENT_NO_ENTRY;
    assert_has(&event, "\"contextFlags\":{\"containerStarted\":false,\"isCompat\":false}");
    event.event.flags = MRL_EVENT_IS_COMPAT;
    assert_has(&event, "\"contextFlags\":{\"containerStarted\":false,\"isCompat\":true}");
}

static void json_says_whether_a_container_has_started(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.container_id = test_text("c0");
    assert_has(&event, "\"contextFlags\":{\"containerStarted\":true,\"isCompat\":false}");
    event.event.container_starting = 1;
    assert_has(&event, "\"contextFlags\":{\"containerStarted\":false,\"isCompat\":false}");
}

static void json_escapes_every_name(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    event.event.process_name = test_text("a\"<\n\xff");
    event.event.host_name = test_text("\xe2\x80\xa8\\&");
    event.event.container_id = test_text("c\"\x01");
    event.values[4].text = test_text("\x7f>\t");
    assert_has(&event, "\"processName\":\"a\\\"\\u003c\\n\\ufffd\"");
    assert_has(&event, "\"hostName\":\"\\u2028\\\\\\u0026\"");
    assert_has(&event, "\"containerId\":\"c\\\"\\u0001\",\"container\":{\"id\":\"c\\\"\\u0001\"}");
    assert_has(&event, "{\"name\":\"target_name\",\"type\":\"const char*\",\"value\":"
                       "\"\x7f\\u003e\\t\"}");
}

/* A thread is told from its process by its number, and by its start time. */
static void json_hashes_thread_process_and_parent_apart(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.host_thread_id = 1;
    event.event.thread_start_ns = TEST_PARENT_NS;
    assert_has(&event, "\"threadEntityId\":4109670764,\"processEntityId\":3078815117,"
                       "\"parentEntityId\":4109670764,");
    test_event__init(&event, "process_mrelease");
    event.event.host_process_id = event.event.host_thread_id = 1;
    event.event.process_start_ns = TEST_PARENT_NS;
    assert_has(&event, "\"processEntityId\":4109670764,");
}

/* Values of the target's entity are hashed as the caller's are. */
static void json_hashes_the_target_as_a_process(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    event.values[8].entity = (struct mrl_entity){ 4242, TEST_START_NS };
    assert_has(&event, "{\"name\":\"target_entity_id\",\"type\":\"unsigned int\","
                       "\"value\":3078815117}");
}

static void json_shows_the_executable_when_it_is_asked_to(void **state)
{
    struct mrl_encoder_options options = { .extras = 0 };
    struct mrl_encoder *encoder;
    struct test_event event;
    char *line;

    (void)state;
    assert_int_equal(mrl_extras__parse("exe", &options.extras, NULL), 0);
    encoder = test_encoder("json", &options);
    test_event__init(&event, "process_mrelease");
    event.event.executable = test_text("/usr/bin/a<b");
    assert_has(&event, "\"executable\":{\"path\":\"\"}");
    line = test_line(encoder, &event.event);
    assert_non_null(strstr(line, "\"executable\":{\"path\":\"/usr/bin/a\\u003cb\"},"));
    assert_non_null(strstr(line, ",\"argsNum\":2,"));
    free(line);
    mrl_encoder__free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_prints_the_example_of_the_fact_sheet),
        cmocka_unit_test(json_prints_an_empty_array_for_no_arguments),
        cmocka_unit_test(json_prints_a_call_from_a_container),
        cmocka_unit_test(json_prints_null_for_what_is_absent),
        cmocka_unit_test(json_prints_a_gap_without_a_task),
        cmocka_unit_test(json_prints_the_limits_of_numbers),
        cmocka_unit_test(json_says_when_a_call_was_32_bit),
        cmocka_unit_test(json_says_whether_a_container_has_started),
        cmocka_unit_test(json_escapes_every_name),
        cmocka_unit_test(json_hashes_thread_process_and_parent_apart),
        cmocka_unit_test(json_hashes_the_target_as_a_process),
        cmocka_unit_test(json_shows_the_executable_when_it_is_asked_to),
    };

    return cmocka_run_group_tests_name("json_classic", tests, NULL, NULL);
}
