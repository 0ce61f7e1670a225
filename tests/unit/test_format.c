// SPDX-License-Identifier: Apache-2.0
/* Formats by name, whatever they print. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/lines.h"
#include "unit/unit.h"

static const struct mrl_format *find(const char *name)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static void format_names_are_unique_and_described(void **state)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    (void)state;
    assert_in_range(count, 4, 64);
    for (unsigned int i = 0; i < count; i++) {
        assert_ptr_equal(find(formats[i].name), &formats[i]);
        assert_null(strpbrk(formats[i].name, ": ,"));
        assert_int_equal(formats[i].doc[strlen(formats[i].doc) - 1], '.');
    }
}

static void format_aliases_stand_for_a_format_that_is_none(void **state)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        if (!formats[i].alias_of)
            continue;
        assert_non_null(find(formats[i].alias_of));
        assert_null(find(formats[i].alias_of)->alias_of);
    }
    assert_string_equal(find("json")->alias_of, "json-v0.23");
}

static void format_aliases_print_what_they_stand_for(void **state)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    for (unsigned int i = 0; i < count; i++) {
        char *line, *wanted;

        if (!formats[i].alias_of)
            continue;
        line = test_line_in(formats[i].name, &event.event);
        wanted = test_line_in(formats[i].alias_of, &event.event);
        assert_string_equal(line, wanted);
        free(line);
        free(wanted);
    }
}

static void format_prints_one_line_per_event(void **state)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++)
        for (unsigned int e = 0; e < mrl_event_def__count(); e++) {
            struct test_event event;
            char *line;

            if (formats[i].binary)
                continue;
            test_event__init_worst(&event, mrl_event_def__at(e)->name);
            line = test_line_in(formats[i].name, &event.event);
            if (strcmp(formats[i].name, "none") != 0 &&
                strchr(line, '\n') != line + strlen(line) - 1)
                fail_case("%s is no line: %s", formats[i].name, line);
            free(line);
        }
}

static void format_refuses_less_room_than_any_event_needs(void **state)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);
    char *room = malloc(MRL_EVENT_TEXT_MAX);
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlock");
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_encoder *encoder = test_encoder(formats[i].name, NULL);

        assert_int_equal(mrl_encoder__put(encoder, &event.event, room, MRL_EVENT_TEXT_MAX - 1),
                         -ENOBUFS);
        assert_true(mrl_encoder__put(encoder, &event.event, room, MRL_EVENT_TEXT_MAX) >= 0);
        mrl_encoder__free(encoder);
    }
    free(room);
}

static void format_none_prints_nothing(void **state)
{
    struct mrl_encoder *encoder = test_encoder("none", NULL);
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "mlock");
    line = test_line(encoder, &event.event);
    assert_string_equal(line, "");
    assert_int_equal(mrl_encoder__preamble(encoder).size, 0);
    free(line);
    mrl_encoder__free(encoder);
}

static void format_json_has_no_preamble(void **state)
{
    struct mrl_encoder *encoder = test_encoder("json", NULL);

    (void)state;
    assert_int_equal(mrl_encoder__preamble(encoder).size, 0);
    mrl_encoder__free(encoder);
}

static void format_that_is_unknown_is_refused_with_the_nearest(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        { "jsn", "unknown format 'jsn': did you mean 'json'?" },
        { "tabel", "unknown format 'tabel': did you mean 'table'?" },
        { "json-v0.32", "unknown format 'json-v0.32': did you mean 'json-v0.23'?" },
        { "nono", "unknown format 'nono': did you mean 'none'?" },
        { "./a", "'./a' is no format: one stands first, as json:./a" },
    };
    struct mrl_encoder *const untouched = (struct mrl_encoder *)&cases;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_encoder *encoder = untouched;
        struct mrl_error error;

        assert_int_equal(mrl_encoder__new(cases[i].name, NULL, &error, &encoder), -EINVAL);
        assert_string_equal(error.text, cases[i].text);
        assert_ptr_equal(encoder, untouched);
        assert_int_equal(mrl_encoder__new(cases[i].name, NULL, NULL, &encoder), -EINVAL);
    }
}

static void format_encoders_may_be_freed_as_null(void **state)
{
    (void)state;
    mrl_encoder__free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_names_are_unique_and_described),
        cmocka_unit_test(format_aliases_stand_for_a_format_that_is_none),
        cmocka_unit_test(format_aliases_print_what_they_stand_for),
        cmocka_unit_test(format_prints_one_line_per_event),
        cmocka_unit_test(format_refuses_less_room_than_any_event_needs),
        cmocka_unit_test(format_none_prints_nothing),
        cmocka_unit_test(format_json_has_no_preamble),
        cmocka_unit_test(format_that_is_unknown_is_refused_with_the_nearest),
        cmocka_unit_test(format_encoders_may_be_freed_as_null),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
