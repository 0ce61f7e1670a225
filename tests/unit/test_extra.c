// SPDX-License-Identifier: Apache-2.0
/* Extras: their names, and the arguments that they add. */
#include <mrelease/extra.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/unit.h"

static void extras_are_found_by_name(void **state)
{
    uint32_t extras = 0;
    unsigned int count;

    (void)state;
    assert_int_equal(mrl_extras__parse("seq", &extras, NULL), 0);
    assert_int_equal(extras, 1);
    assert_string_equal(mrl_extra__all(&count)[0].name, "seq");
    assert_int_equal(mrl_extras__parse("seq,seq", &extras, NULL), 0);
    assert_int_equal(extras, 1);
}

static void extras_that_are_unknown_are_refused(void **state)
{
    static const struct {
        const char *list, *text;
    } cases[] = {
        { "sq", "unknown extra 'sq': did you mean 'seq'?" },
        { "", "'' is not a list of extras" },
        { "seq,", "'seq,' is not a list of extras" },
        { "a-name-that-is-longer-than-any-of-ours", "unknown extra 'a-name-that" },
        { "seq,,target", "'seq,,target' is not a list of extras" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_error error = { "" };
        uint32_t extras = 77;

        assert_true(mrl_extras__parse(cases[i].list, &extras, &error) < 0);
        assert_int_equal(extras, 77);
        if (!strstr(error.text, cases[i].text))
            fail_case("'%s': %s", cases[i].list, error.text);
    }
}

/* The tables that encoders keep have room for them, and no name twice. */
static void extras_are_whole_rows(void **state)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        assert_true(*extras[i].name && *extras[i].doc);
        assert_in_range(extras[i].field_count, extras[i].fills_executable ? 0 : 1,
                        MRL_EXTRA_FIELDS_MAX);
        for (unsigned int j = 0; j < extras[i].field_count; j++)
            assert_true(*extras[i].fields[j].name && extras[i].fields[j].kind &&
                        *extras[i].fields[j].doc);
        for (unsigned int j = 0; j < i; j++)
            assert_string_not_equal(extras[i].name, extras[j].name);
    }
}

static char *line_with_seq(const struct test_event *event)
{
    const struct mrl_encoder_options options = { .extras = 1 };
    struct mrl_encoder *encoder = test_encoder("json", &options);
    char *line = test_line(encoder, &event->event);

    mrl_encoder__free(encoder);
    return line;
}

static void assert_ends(const char *name, const char *count, const char *end)
{
    struct test_event event;
    char *line;

    test_event__init(&event, name);
    event.event.seq = UINT64_MAX;
    event.event.lane = 1;
    line = line_with_seq(&event);
    if (!strstr(line, count) || strlen(line) < strlen(end) ||
        strcmp(line + strlen(line) - strlen(end), end) != 0)
        fail_case("no %s or %s in %s", count, end, line);
    free(line);
}

#define SEQ                                                                         \
    "{\"name\":\"seq\",\"type\":\"unsigned long\",\"value\":18446744073709551615}," \
    "{\"name\":\"lane\",\"type\":\"unsigned int\",\"value\":1}]}\n"

static void seq_follows_the_arguments_of_tracee(void **state)
{
    (void)state;
    assert_ends("mlock", "\"argsNum\":4,", "\"type\":\"size_t\",\"value\":0}," SEQ);
    assert_ends("munlockall", "\"argsNum\":2,", "\"args\":[" SEQ);
}

/* It says of others what it lacks itself. */
static void seq_is_not_in_events_lost(void **state)
{
    struct test_event event;
    char *plain, *extra;

    (void)state;
    test_event__init(&event, "events_lost");
    plain = test_line_in("json", &event.event);
    extra = line_with_seq(&event);
    assert_string_equal(extra, plain);
    free(plain);
    free(extra);
}

#define ID(value) "{\"name\":\"id\",\"type\":\"const char*\",\"value\":" value "}]}\n"
#define RUN       "e30b2f15c2934355-00018f3a2b1c0d42"

/* Every event has one, events_lost and sensor_state too; null where the run is not known. */
static void id_ends_the_line_of_every_event(void **state)
{
    static const struct {
        const char *event, *run, *end;
    } cases[] = {
        { "process_mrelease", RUN, "," ID("\"" RUN "-0.3.42\"") },
        { "munlockall", RUN, "\"args\":[" ID("\"" RUN "-1.3.42\"") },
        { "events_lost", RUN, "," ID("\"" RUN "-L.7.42\"") },
        { "sensor_state", RUN, "," ID("\"" RUN "-S.7.42\"") },
        { "mlock", "", "," ID("null") },
    };
    struct mrl_encoder_options options = { .extras = 0 };
    struct mrl_encoder *encoder;

    (void)state;
    assert_int_equal(mrl_extras__parse("id", &options.extras, NULL), 0);
    encoder = test_encoder("json", &options);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_event event;
        char *line;

        test_event__init(&event, cases[i].event);
        event.event.run = cases[i].run;
        event.event.lane = (uint16_t)(event.event.def->lane & 1);
        event.event.cpu = 3;
        event.event.output = 7;
        event.event.seq = 42;
        line = test_line(encoder, &event.event);
        if (!strstr(line, cases[i].end))
            fail_case("no %s in %s", cases[i].end, line);
        assert_null(event.event.id.bytes); /* what it was given is another's */
        free(line);
    }
    mrl_encoder__free(encoder);
}

static void extras_leave_the_line_alone_otherwise(void **state)
{
    struct test_event event;
    char *plain, *extra, *args;

    (void)state;
    test_event__init(&event, "process_mrelease");
    plain = test_line_in("json", &event.event);
    extra = line_with_seq(&event);
    args = strstr(extra, "\"argsNum\":4");
    assert_non_null(args);
    args[strlen("\"argsNum\":")] = '2';
    assert_memory_equal(extra, plain, strlen(plain) - strlen("]}\n"));
    free(plain);
    free(extra);
}

static void the_longest_line_with_all_extras_fits(void **state)
{
    const struct mrl_encoder_options options = { .extras = UINT32_MAX };
    struct mrl_encoder *encoder;

    (void)state;
    encoder = test_encoder("json", &options);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;

        test_event__init_worst(&event, mrl_event_def__at(i)->name);
        free(test_line(encoder, &event.event)); /* fails when it is too long */
    }
    mrl_encoder__free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extras_are_found_by_name),
        cmocka_unit_test(extras_that_are_unknown_are_refused),
        cmocka_unit_test(extras_are_whole_rows),
        cmocka_unit_test(seq_follows_the_arguments_of_tracee),
        cmocka_unit_test(seq_is_not_in_events_lost),
        cmocka_unit_test(id_ends_the_line_of_every_event),
        cmocka_unit_test(extras_leave_the_line_alone_otherwise),
        cmocka_unit_test(the_longest_line_with_all_extras_fits),
    };

    return cmocka_run_group_tests_name("extra", tests, NULL, NULL);
}
