// SPDX-License-Identifier: Apache-2.0
/* The table as a terminal gets it: a phrase per event (encode/table/phrase.c), and lines that fit
 * the screen. */
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "encode/table/phrase.h"
#include "unit/lines.h"
#include "unit/unit.h"

static void assert_plain(const struct test_event *event, const char *wanted)
{
    char *line = test_line_as("table", NULL, &event->event);

    assert_same_line(line, wanted);
    free(line);
}

static const struct {
    const char *field;
    uint64_t number;
    const char *text;
} released[] = {
    { "target_host_pid", 5044, NULL }, { "target_name", 0, "mrelease-victim" },
    { "outcome", 0, "reaped" },        { "released_bytes", 67947725, NULL },
    { "duration_ns", 2200000, NULL },
};

static void init_release(struct test_event *event)
{
    test_event__init(event, "do_mrelease");
    for (unsigned int i = 0; i < event->event.def->field_count; i++)
        for (size_t j = 0; j < COUNT_OF(released); j++) {
            if (strcmp(event->event.def->fields[i].name, released[j].field) != 0)
                continue;
            event->values[i].unsigned_number = released[j].number;
            if (released[j].text)
                event->values[i].text = test_text(released[j].text);
        }
}

static void table_says_what_matters_of_an_event(void **state)
{
    struct test_event event;

    (void)state;
    init_release(&event);
    assert_plain(&event,
                 "2025-11-18 12:02 0        oomd            4242    ok        do_mrelease      "
                 "released 64.8 MiB of mrelease-victim (pid 5044), 2.2 ms, reaped\n");
    test_event__init(&event, "process_mrelease");
    event.event.return_value = -9;
    event.values[0].number = -1;
    assert_plain(&event,
                 "2025-11-18 12:02 0        oomd            4242    EBADF     process_mrelease "
                 "pidfd -1, flags 0\n");
    test_event__init(&event, "mlock2");
    event.values[0].unsigned_number = 0x7f0000001000;
    event.values[1].unsigned_number = 8192;
    event.values[2].number = 1;
    assert_plain(&event,
                 "2025-11-18 12:02 0        oomd            4242    ok        mlock2           "
                 "8192 bytes at 0x7f0000001000 flags 1\n");
    test_event__init(&event, "munlockall");
    assert_plain(&event,
                 "2025-11-18 12:02 0        oomd            4242    ok        munlockall\n");
}

/* Unknown is not none. */
static void table_says_what_is_not_known(void **state)
{
    struct test_event event;
    char *line;

    (void)state;
    init_release(&event);
    for (unsigned int i = 0; i < event.event.def->field_count; i++)
        event.values[i].absent = true;
    line = test_line_as("table", NULL, &event.event);
    assert_non_null(strstr(line, " released not known of not known (pid not known)\n"));
    free(line);
}

static void table_names_the_container(void **state)
{
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.container_id = test_text("0123456789abcdef0123456789abcdef");
    line = test_line_as("table", NULL, &event.event);
    assert_non_null(strstr(line, " pidfd 0, flags 0; in container 0123456789ab\n"));
    free(line);
    event.event.container_name = test_text("web");
    line = test_line_in("table", &event.event);
    assert_non_null(strstr(line, "; in container web\n"));
    free(line);
}

static void table_has_a_column_for_the_container_on_a_broad_screen(void **state)
{
    const struct mrl_encoder_options broad = { .width = 132 };
    struct mrl_encoder *encoder = test_encoder("table", &broad);
    struct mrl_text titles = mrl_encoder__preamble(encoder);
    struct test_event event;
    char *line, *title = memmem(titles.bytes, titles.size, "CONTAINER", 9);

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.container_id = test_text("0123456789abcdef0123456789abcdef");
    line = test_line(encoder, &event.event);
    assert_non_null(title);
    assert_memory_equal(line + (title - titles.bytes), "0123456789ab ", 13);
    assert_non_null(strstr(line, " pidfd 0, flags 0\n"));
    free(line);
    mrl_encoder__free(encoder);
}

static void table_shows_nothing_but_ascii_where_that_is_asked_for(void **state)
{
    const struct mrl_encoder_options ascii = { .ascii = true, .width = 80 };
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.process_name = test_text("a\u00fc\u20acb");
    line = test_line_as("table", &ascii, &event.event);
    assert_non_null(strstr(line, " a??b            4242 "));
    free(line);
}

/* No line is longer than the screen, whatever stands in it. */
static void assert_fits(const struct mrl_event *event, unsigned int width)
{
    const struct mrl_encoder_options options = { .width = width };
    struct mrl_encoder *encoder = test_encoder("table", &options);
    struct mrl_text titles = mrl_encoder__preamble(encoder);
    char *line = test_line(encoder, event);
    unsigned int used = 0;

    assert_true(titles.size <= width + 1);
    for (const unsigned char *at = (const unsigned char *)line; *at; at++) {
        used = *at == '\n' ? 0 : used + ((*at & 0xc0) != 0x80);
        if (used > width)
            fail_case("of %s, in %u columns: %s", event->def->name, width, line);
    }
    assert_int_equal(line[strlen(line) - 1], '\n');
    free(line);
    mrl_encoder__free(encoder);
}

static void table_fits_the_terminal(void **state)
{
    static const unsigned int widths[] = { 80, 81, 100, 115, 116, 117, 131, 132, 133, 200, 500 };
    struct test_event event;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(widths); i++)
        for (unsigned int e = 0; e < mrl_event_def__count(); e++) {
            test_event__init(&event, mrl_event_def__at(e)->name);
            assert_fits(&event.event, widths[i]);
            test_event__init_worst(&event, mrl_event_def__at(e)->name);
            assert_fits(&event.event, widths[i]);
        }
}

static unsigned int read_columns(const void *context)
{
    return *(const unsigned int *)context;
}

/* What it has shown stays as it is; 0 is what nobody can say. */
static void table_follows_a_terminal_that_changes(void **state)
{
    static const unsigned int widths[] = { 80, 80, 0, 132, 132, 120, 80 };
    unsigned int columns = 80, before = 80;
    const struct mrl_encoder_options options = { .width = 80,
                                                 .columns = read_columns,
                                                 .columns_context = &columns };
    struct mrl_encoder *encoder = test_encoder("table", &options);
    struct test_event event;

    (void)state;
    init_release(&event);
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        const unsigned int width = widths[i] ? widths[i] : before;
        const struct mrl_encoder_options fixed = { .width = width };
        struct mrl_encoder *other = test_encoder("table", &fixed);
        const struct mrl_text titles = mrl_encoder__preamble(other);
        char *line, *own, *wanted;

        columns = widths[i];
        line = test_line(encoder, &event.event);
        own = test_line(other, &event.event);
        assert_true(asprintf(&wanted, "%.*s%s", width == before ? 0 : (int)titles.size,
                             titles.bytes, own) > 0);
        assert_same_line(line, wanted);
        before = width;
        mrl_encoder__free(other);
        free(line);
        free(own);
        free(wanted);
    }
    mrl_encoder__free(encoder);
}

static void table_puts_the_phrase_below_where_it_is_narrow(void **state)
{
    const struct mrl_encoder_options narrow = { .width = 80 }, broad = { .width = 120 };
    struct test_event event;
    char *line;

    (void)state;
    init_release(&event);
    line = test_line_as("table", &narrow, &event.event);
    assert_same_line(line,
                     "2025-11-18 12:02 0        oomd            4242    ok        do_mrelease\n"
                     "    released 64.8 MiB of mrelease-victim (pid 5044), 2.2 ms, reaped\n");
    free(line);
    line = test_line_as("table", &broad, &event.event);
    assert_same_line(line,
                     "2025-11-18 12:02 0        oomd            4242    ok        do_mrelease      "
                     "released 64.8 MiB of mrelease-victim (pid\n"
                     "                                                                          "
                     "   5044), 2.2 ms, reaped\n");
    free(line);
}

static void table_cuts_cells_that_are_too_wide_for_a_terminal(void **state)
{
    const struct mrl_encoder_options narrow = { .width = 80 };
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.process_name = test_text("\x01\x02\u00fc\u20ac\x03\x04\x05");
    line = test_line_as("table", &narrow, &event.event);
    assert_non_null(strstr(line, " \\x01\\x02\u00fc\u20ac\\x03~ 4242 "));
    free(line);
}

static void table_has_the_date_where_it_is_not_today(void **state)
{
    struct test_event event;
    char *line, wanted[32];
    time_t now = time(NULL), then = now - 2 * 86400;
    int hour, minute, second, micro;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.entry_ns = (uint64_t)then * 1000000000;
    line = test_line_as("table", NULL, &event.event);
    strftime(wanted, sizeof(wanted), "%e %b %H:%M:", localtime(&then));
    assert_memory_equal(line, wanted, strlen(wanted));
    free(line);
    event.event.entry_ns = (uint64_t)now * 1000000000;
    line = test_line_as("table", NULL, &event.event);
    assert_int_equal(sscanf(line, "%2d:%2d:%2d.%6d ", &hour, &minute, &second, &micro), 4);
    free(line);
}

static void every_phrase_is_right(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (!mrl_phrase__is_right(mrl_event_def__at(i)))
            fail_case("the phrase of %s", mrl_event_def__at(i)->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_says_what_matters_of_an_event),
        cmocka_unit_test(table_says_what_is_not_known),
        cmocka_unit_test(table_names_the_container),
        cmocka_unit_test(table_has_a_column_for_the_container_on_a_broad_screen),
        cmocka_unit_test(table_shows_nothing_but_ascii_where_that_is_asked_for),
        cmocka_unit_test(table_fits_the_terminal),
        cmocka_unit_test(table_follows_a_terminal_that_changes),
        cmocka_unit_test(table_puts_the_phrase_below_where_it_is_narrow),
        cmocka_unit_test(table_cuts_cells_that_are_too_wide_for_a_terminal),
        cmocka_unit_test(table_has_the_date_where_it_is_not_today),
        cmocka_unit_test(every_phrase_is_right),
    };

    setenv("TZ", "UTC", 1); /* the column of times is local */
    tzset();
    return cmocka_run_group_tests_name("table in a terminal", tests, NULL, NULL);
}
