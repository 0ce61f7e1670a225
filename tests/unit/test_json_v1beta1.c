// SPDX-License-Identifier: Apache-2.0
/* The JSON of Tracee's main branch, from events built by hand. */
#include <jansson.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/records.h"
#include "unit/unit.h"

static void assert_line(const struct test_event *event, const char *path)
{
    char *wanted = test_golden(path), *line;

    assert_non_null(wanted);
    line = test_line_in("json-v1beta1", &event->event);
    assert_same_line(line, wanted);
    free(line);
    free(wanted);
}

static void check(const struct test_event *event, const char *part, bool wanted)
{
    char *line = test_line_in("json-v1beta1", &event->event);

    if (!strstr(line, part) == wanted)
        fail_case("%s '%s' in %s", wanted ? "no" : "there is", part, line);
    free(line);
}

#define assert_has(event, part)   check(event, part, true)
#define assert_lacks(event, part) check(event, part, false)

/* -- whole lines ------------------------------------------------------------------------------ */

static void v1beta1_prints_the_example_of_the_fact_sheet(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.values[0].number = 5;
    event.event.executable = test_text("/usr/bin/oomd");
    assert_line(&event, "json-v1beta1/process_mrelease.json");
}

static void v1beta1_prints_a_gap_without_a_workload(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "events_lost");
    event.event.process_id = 0;
    event.event.process_name = test_text("");
    event.event.entry_ns = 1763467322987654321;
    event.values[0].text = test_text("mlock");
    event.values[1].unsigned_number = UINT64_MAX;
    event.values[2].text = test_text("ring_full");
    event.values[3].unsigned_number = 1763467321987654321;
    event.values[4].unsigned_number = 1763467322987654321;
    event.values[5].absent = event.values[6].absent = event.values[7].absent = true;
    assert_line(&event, "json-v1beta1/events_lost.json");
}

/* -- what is left out ------------------------------------------------------------------------- */

static void v1beta1_leaves_out_what_is_not_known(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    assert_has(&event, "\"process\":{\"unique_id\":2214422668,"); /* no executable */
    assert_lacks(&event, "\"container\"");
    assert_lacks(&event, "\"compat\"");
    event.event.parent_start_ns = 0;
    assert_lacks(&event, "\"ancestors\"");
    event.event.thread_start_ns = 0;
    assert_has(&event, "\"thread\":{\"name\":\"oomd\",\"unique_id\":0,");
    event.event.process_name = test_text("\xff");
    assert_has(&event, "\"thread\":{\"unique_id\":0,");
    event.event.entry_ns = 0;
    assert_has(&event, "{\"timestamp\":\"null\",\"id\":360,");
}

static void v1beta1_keeps_numbers_that_are_zero(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.process_id = event.event.host_process_id = event.event.thread_id = 0;
    event.event.parent_process_id = 0;
    assert_has(&event, ",\"host_pid\":0,\"pid\":0,\"real_user\":{\"id\":0},\"thread\":{");
    assert_has(&event, ",\"tid\":0,\"syscall\":\"process_mrelease\"}");
    assert_has(&event, ",\"host_pid\":1,\"pid\":0}]");
}

static void v1beta1_prints_a_container_without_its_process(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.container_id = test_text("c0");
    assert_has(&event,
               "}]},\"container\":{\"id\":\"c0\",\"name\":\"\",\"started\":true}},\"data\"");
    event.event.process_id = 0;
    event.event.process_name = test_text("");
    assert_has(&event,
               "\"workload\":{\"container\":{\"id\":\"c0\",\"name\":\"\",\"started\":true}},"
               "\"data\":[{\"name\":\"returnValue\",\"int64\":\"0\"}]}\n");
}

/* The text of a task is remembered: the next event of it may be of another state. */
static void v1beta1_says_whether_a_container_has_started(void **state)
{
    static const char *const words[] = { "true", "false", "true" };
    struct test_event event;
    char wanted[64];

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.container_id = test_text("c0");
    for (unsigned int i = 0; i < COUNT_OF(words); i++) {
        event.event.container_starting = i % 2;
        snprintf(wanted, sizeof(wanted), "\"name\":\"\",\"started\":%s}}", words[i]);
        assert_has(&event, wanted);
    }
    event.event.names_result = MRL_NAMES_KNOWN;
    event.event.container_name = test_text("web");
    event.event.container_starting = 1;
    assert_has(&event, "\"name\":\"web\",\"started\":false}}");
}

/* -- values ----------------------------------------------------------------------------------- */

static void v1beta1_prints_the_limits_of_numbers(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlock2");
    event.values[0].unsigned_number = UINT64_MAX;
    event.values[1].unsigned_number = UINT64_MAX;
    event.values[2].number = INT32_MIN;
    event.event.return_value = INT64_MIN;
    event.event.user_id = UINT32_MAX;
    assert_has(&event, "\"data\":[{\"name\":\"addr\",\"pointer\":\"18446744073709551615\"},"
                       "{\"name\":\"len\",\"u_int64\":\"18446744073709551615\"},"
                       "{\"name\":\"flags\",\"int32\":-2147483648},"
                       "{\"name\":\"returnValue\",\"int64\":\"-9223372036854775808\"}]}\n");
    assert_has(&event, "\"real_user\":{\"id\":4294967295}");
}

static void v1beta1_drops_what_is_no_utf8(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    event.event.process_name = test_text("a\"<\n\xff");
    event.event.executable = test_text("/\xe2\x80\xa8&\x80");
    event.values[4].text = test_text("\x7f>\t\xe2\x82");
    assert_has(&event, "\"name\":\"a\\\"<\\n\",\"unique_id\"");
    assert_has(&event, "\"executable\":{\"path\":\"/\xe2\x80\xa8&\"}");
    assert_has(&event, "{\"name\":\"target_name\",\"str\":\"\x7f>\\t\"}");
}

static void v1beta1_says_when_a_call_was_32_bit(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlockall");
    event.event.flags = MRL_EVENT_IS_COMPAT;
    assert_has(&event, "\"syscall\":\"mlockall\",\"compat\":true}");
}

static void v1beta1_hashes_start_times_cut_to_100_ms(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    event.values[8].entity = (struct mrl_entity){ 4242, TEST_START_NS };
    assert_has(&event, "{\"name\":\"target_entity_id\",\"u_int32\":2214422668}");
}

static void v1beta1_puts_extras_behind_the_return_value(void **state)
{
    struct mrl_encoder_options options = { .extras = 0 };
    struct mrl_encoder *encoder;
    struct test_event event;
    char *line;

    (void)state;
    assert_int_equal(mrl_extras__parse("seq,exe", &options.extras, NULL), 0);
    encoder = test_encoder("json-v1beta1", &options);
    test_event__init(&event, "munlockall");
    event.event.seq = UINT64_MAX;
    line = test_line(encoder, &event.event);
    assert_non_null(strstr(line, "\"data\":[{\"name\":\"returnValue\",\"int64\":\"0\"},"
                                 "{\"name\":\"seq\",\"u_int64\":\"18446744073709551615\"},"
                                 "{\"name\":\"lane\",\"u_int32\":0}]}\n"));
    free(line);
    mrl_encoder__free(encoder);
}

/* -- its room --------------------------------------------------------------------------------- */

static void v1beta1_of_the_worst_event_fits_its_room(void **state)
{
    const struct mrl_encoder_options options = { .extras = UINT32_MAX };
    struct mrl_encoder *encoder = test_encoder("json-v1beta1", &options);

    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;
        json_error_t error;
        json_t *parsed;
        char *line;

        test_event__init_worst(&event, mrl_event_def__at(i)->name);
        line = test_line(encoder, &event.event);
        parsed = json_loads(line, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
        if (!parsed)
            fail_case("%s: %s", mrl_event_def__at(i)->name, error.text);
        json_decref(parsed);
        free(line);
    }
    mrl_encoder__free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1beta1_prints_the_example_of_the_fact_sheet),
        cmocka_unit_test(v1beta1_prints_a_gap_without_a_workload),
        cmocka_unit_test(v1beta1_leaves_out_what_is_not_known),
        cmocka_unit_test(v1beta1_keeps_numbers_that_are_zero),
        cmocka_unit_test(v1beta1_prints_a_container_without_its_process),
        cmocka_unit_test(v1beta1_says_whether_a_container_has_started),
        cmocka_unit_test(v1beta1_prints_the_limits_of_numbers),
        cmocka_unit_test(v1beta1_drops_what_is_no_utf8),
        cmocka_unit_test(v1beta1_says_when_a_call_was_32_bit),
        cmocka_unit_test(v1beta1_hashes_start_times_cut_to_100_ms),
        cmocka_unit_test(v1beta1_puts_extras_behind_the_return_value),
        cmocka_unit_test(v1beta1_of_the_worst_event_fits_its_room),
    };

    return cmocka_run_group_tests_name("json v1beta1", tests, NULL, NULL);
}
