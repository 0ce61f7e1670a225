// SPDX-License-Identifier: Apache-2.0
/* The format for people (encode/table/table.c): columns, names, units, and nothing that drives a
 * terminal. */
#include <ctype.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/lines.h"
#include "unit/records.h"
#include "unit/unit.h"

#define COLUMNS "%-16s %-10s %-16s %-8s %-8s %-12s %-17s %s\n"

enum { NO_USER = 3999999999 };

static const struct mrl_encoder_options wide = { .wide = true };

static char *wide_line(const struct mrl_event *event)
{
    return test_line_as("table", &wide, event);
}

static void assert_row(const struct test_event *event,
                       const char *user,
                       const char *comm,
                       const char *pid,
                       const char *result,
                       const char *args)
{
    char wanted[1024], *line = wide_line(&event->event);

    snprintf(wanted, sizeof(wanted), COLUMNS, "12:02:01.987654", user, comm, pid, pid, result,
             event->event.def->name, args);
    assert_same_line(line, wanted);
    free(line);
}

static void assert_has(const struct test_event *event, const char *part)
{
    char *line = wide_line(&event->event);

    if (!strstr(line, part))
        fail_case("no '%s' in %s", part, line);
    free(line);
}

static void table_aligns_titles_and_rows(void **state)
{
    struct mrl_encoder *encoder = test_encoder("table", &wide);
    struct mrl_text titles = mrl_encoder__preamble(encoder);
    struct test_event event;
    char wanted[1024];

    (void)state;
    snprintf(wanted, sizeof(wanted), COLUMNS, "TIME", "USER", "COMM", "PID", "TID", "RET", "EVENT",
             "ARGS");
    assert_int_equal(titles.size, strlen(wanted));
    assert_memory_equal(titles.bytes, wanted, titles.size);
    mrl_encoder__free(encoder);
    test_event__init(&event, "process_mrelease");
    event.values[0].number = 5;
    assert_row(&event, "0", "oomd", "4242", "0", "pidfd: 5, flags: 0");
}

static void table_keeps_columns_apart_when_a_cell_is_too_wide(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.user_id = UINT32_MAX;
    event.event.process_id = event.event.thread_id = UINT32_MAX;
    event.event.host_process_id = event.event.host_thread_id = 1;
    event.event.return_value = INT64_MIN;
    assert_row(&event, "4294967295", "oomd", "4294967295/1", "-9223372036854775808", "");
}

static void table_shows_both_numbers_of_a_process_in_a_namespace(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.process_id = event.event.thread_id = 17;
    assert_row(&event, "0", "oomd", "17/4242", "0", "");
}

static void table_names_errors(void **state)
{
    static const struct {
        int64_t value;
        const char *cell;
    } cases[] = {
        { 0, "0" },
        { -1, "EPERM" },
        { -9, "EBADF" },
        { -22, "EINVAL" },
        { -38, "ENOSYS" },
        { -512, "-512" },
        { -4095, "-4095" },
        { -4096, "-4096" },
        { 5, "5" },
        { 22, "22" },
        { INT64_MAX, "9223372036854775807" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_event event;

        test_event__init(&event, "munlockall");
        event.event.return_value = cases[i].value;
        assert_row(&event, "0", "oomd", "4242", cases[i].cell, "");
    }
}

static void table_names_users_only_when_asked(void **state)
{
    const struct mrl_encoder_options names = { .user_names = true, .wide = true };
    struct mrl_encoder *encoder = test_encoder("table", &names);
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    assert_row(&event, "0", "oomd", "4242", "0", "");
    for (int round = 0; round < 2; round++) { /* the second from the cache */
        char *line = test_line(encoder, &event.event);

        assert_memory_equal(line + 17, "root       oomd ", 16);
        free(line);
        event.event.user_id = NO_USER;
        line = test_line(encoder, &event.event);
        assert_memory_equal(line + 17, "3999999999 oomd ", 16);
        free(line);
        event.event.user_id = 0;
    }
    mrl_encoder__free(encoder);
}

static void table_forgets_users_when_there_are_too_many(void **state)
{
    const struct mrl_encoder_options names = { .user_names = true, .wide = true };
    struct mrl_encoder *encoder = test_encoder("table", &names);
    struct test_event event;

    (void)state;
    test_event__init(&event, "munlockall");
    for (uint32_t user = NO_USER; user < NO_USER + 1100; user++) {
        char *line, number[16];

        event.event.user_id = user;
        line = test_line(encoder, &event.event);
        snprintf(number, sizeof(number), "%u", user);
        assert_memory_equal(line + 17, number, 10);
        free(line);
    }
    mrl_encoder__free(encoder);
}

static void table_shows_nothing_that_steers_or_reorders(void **state)
{
    static const struct {
        const char *name, *shown;
    } cases[] = {
        { "\033[2J", "\\x1b[2J" },
        { "a\nb", "a\\x0ab" },
        { "\r\t\b\a", "\\x0d\\x09\\x08\\x07" },
        { "\x7f", "\\x7f" },
        { "\xc2\x9b"
          "31m",
          "\\xc2\\x9b31m" },
        { "a\xe2\x80\xae"
          "b",
          "a\\xe2\\x80\\xaeb" },                        /* U+202E: right to left from here */
        { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },          /* U+2066 */
        { "ss\xe2\x80\x8bhd", "ss\\xe2\\x80\\x8bhd" },  /* U+200B: not seen */
        { "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },          /* U+2028: the end of a line */
        { "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* U+E0041 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct test_event event;
        char args[64];

        test_event__init(&event, "do_mrelease");
        for (unsigned int f = 0; f < event.event.def->field_count; f++)
            event.values[f].absent = strcmp(event.event.def->fields[f].name, "target_name") != 0;
        event.event.process_name = test_text(cases[i].name);
        event.values[4].text = test_text(cases[i].name);
        snprintf(args, sizeof(args), "target_name: %s", cases[i].shown);
        assert_row(&event, "0", cases[i].shown, "4242", "0", args);
    }
}

static void table_prints_only_printable_bytes_whatever_a_name_holds(void **state)
{
    struct test_event event;

    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char name[] = { (char)byte, (char)byte, '\0' }, *line;

        test_event__init(&event, "munlockall");
        event.event.process_name = test_text(name);
        line = wide_line(&event.event);
        for (const char *at = line; at[1]; at++)
            if (!isprint((unsigned char)*at))
                fail_case("byte %02x is shown", byte);
        free(line);
    }
}

static void table_counts_a_character_as_one_column(void **state)
{
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "munlockall");
    event.event.process_name = test_text("\u00fc\u20ac");
    line = wide_line(&event.event);
    assert_non_null(strstr(line, " \u00fc\u20ac               4242 "));
    free(line);
}

static void table_spells_units_out(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlock");
    event.values[0].unsigned_number = UINT64_MAX;
    event.values[1].unsigned_number = 4096;
    assert_has(&event, " addr: 0xffffffffffffffff, len: 4096\n");
    test_event__init(&event, "do_mrelease");
    event.values[7].unsigned_number = TEST_START_NS;
    event.values[8].entity = (struct mrl_entity){ 4242, TEST_START_NS };
    event.values[12].unsigned_number = 4177920; /* released */
    event.values[13].unsigned_number = 1023;
    event.values[14].unsigned_number = 1024;
    event.values[15].unsigned_number = 1536;
    event.values[16].unsigned_number = 5ULL << 40;
    event.values[25].unsigned_number = 1500;
    assert_has(&event, "target_start_time: 12:00:00.123456,");
    assert_has(&event, "target_entity_id: 3078815117,");
    assert_has(&event, "released_bytes: 4.0 MiB,");
    assert_has(&event, "anon_before: 1023 B, anon_after: 1 KiB, file_before: 1.5 KiB,");
    assert_has(&event, "file_after: 5 TiB,");
    assert_has(&event, "duration_ns: 1.5 us\n");
}

static void table_leaves_out_what_is_absent(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "do_mrelease");
    for (unsigned int i = 0; i < event.event.def->field_count; i++)
        event.values[i].absent = i != 1 && i != 25;
    event.values[25].unsigned_number = 999;
    assert_row(&event, "0", "oomd", "4242", "0", "flags: 0, duration_ns: 999 ns");
}

static void table_colours_only_when_asked(void **state)
{
    const struct mrl_encoder_options colour = { .colour = true, .wide = true };
    struct mrl_encoder *coloured = test_encoder("table", &colour);
    struct mrl_encoder *plain = test_encoder("table", &wide);
    struct mrl_text titles = mrl_encoder__preamble(coloured);
    struct test_event event;
    char *line;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.event.return_value = -22;
    line = test_line(coloured, &event.event);
    assert_non_null(strstr(line, "\033[31mEINVAL\033[0m       \033[36mprocess_mrelease\033[0m  "));
    free(line);
    event.event.return_value = 0;
    line = test_line(coloured, &event.event);
    assert_null(strstr(line, "\033[31m"));
    free(line);
    line = test_line(plain, &event.event);
    assert_null(strchr(line, '\033'));
    free(line);
    assert_non_null(memchr(titles.bytes, '\033', titles.size));
    mrl_encoder__free(coloured);
    mrl_encoder__free(plain);
}

/* Behind the event's own, as the other formats have them. */
static void table_shows_the_extras_that_were_asked_for(void **state)
{
    struct mrl_encoder_options options = { .wide = true };
    struct mrl_value extras[MRL_EXTRA_FIELDS_MAX] = { { .absent = true } };
    struct test_event event;
    struct mrl_encoder *encoder;
    char *line;

    (void)state;
    assert_int_equal(mrl_extras__parse("seq", &options.extras, NULL), 0);
    encoder = test_encoder("table", &options);
    test_event__init(&event, "process_mrelease");
    event.values[0].number = 5;
    event.event.seq = 77;
    event.event.lane = 1;
    event.event.extra_values = extras; /* of which none was asked for */
    line = test_line(encoder, &event.event);
    assert_non_null(strstr(line, " pidfd: 5, flags: 0, seq: 77, lane: 1\n"));
    free(line);
    mrl_encoder__free(encoder);
    assert_has(&event, " pidfd: 5, flags: 0\n");
}

/* -- what matters of an event, in a phrase --------------------------------------------------- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_aligns_titles_and_rows),
        cmocka_unit_test(table_keeps_columns_apart_when_a_cell_is_too_wide),
        cmocka_unit_test(table_shows_both_numbers_of_a_process_in_a_namespace),
        cmocka_unit_test(table_names_errors),
        cmocka_unit_test(table_names_users_only_when_asked),
        cmocka_unit_test(table_forgets_users_when_there_are_too_many),
        cmocka_unit_test(table_shows_nothing_that_steers_or_reorders),
        cmocka_unit_test(table_prints_only_printable_bytes_whatever_a_name_holds),
        cmocka_unit_test(table_counts_a_character_as_one_column),
        cmocka_unit_test(table_spells_units_out),
        cmocka_unit_test(table_leaves_out_what_is_absent),
        cmocka_unit_test(table_colours_only_when_asked),
        cmocka_unit_test(table_shows_the_extras_that_were_asked_for),
    };

    setenv("TZ", "UTC", 1); /* the column of times is local */
    tzset();
    return cmocka_run_group_tests_name("table format", tests, NULL, NULL);
}
