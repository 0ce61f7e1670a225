// SPDX-License-Identifier: Apache-2.0
/* Names that hold the time, files that make room for the next, and the space that is left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "sinks/rotation.h"
#include "unit/unit.h"

enum { NUMBERS = 5 };

/* -- names ------------------------------------------------------------------------------------ */

static void names_hold_the_time_or_an_error_says_why_not(void **state)
{
    static const struct {
        const char *name, *said;
        uint64_t keep;
    } cases[] = {
        { "/a/b", NULL, 0 },
        { "/a/%Y%m%dT%H%M%S.json", NULL, 0 },
        { "/a%%b/100%%", NULL, 3 },
        { "/a/%j", "'%j' is no part of the time, which are %Y %m %d %H %M %S", 0 },
        { "/a/%", "'%' is no part of the time", 0 },
        { "/a%20b", "'%2' is no part of the time", 0 },
        { "/%Y/a", "not of its directory", 0 },
        { "/%Y/%%", "not of its directory", 0 },
        { "/a/%Y", "keep= is not for a name with the time", 3 },
        { "/a/%%%Y", "keep= is not for a name with the time", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct mrl_rotation_options options = { .keep = cases[i].keep };
        const struct mrl_sink_target target = { .destination = cases[i].name, .options = &options };
        struct mrl_error error = { "" };

        if (mrl_rotation__check(&target, &error) != (cases[i].said ? -EINVAL : 0) ||
            (cases[i].said && !strstr(error.text, cases[i].said)))
            fail_case("%s: %s", cases[i].name, error.text);
    }
}

static void a_name_is_the_time_in_utc(void **state)
{
    time_t before = time(NULL), made;
    struct tm utc = { 0 };
    char path[PATH_MAX];

    (void)state;
    setenv("TZ", "Asia/Kathmandu", 1);
    tzset();
    assert_int_equal(mrl_rotation__name("/d/%Y%m%dT%H%M%S-100%%", path, NULL), 0);
    unsetenv("TZ");
    tzset();
    assert_int_equal(sscanf(path, "/d/%4d%2d%2dT%2d%2d%2d-", &utc.tm_year, &utc.tm_mon,
                            &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec),
                     6);
    assert_non_null(strstr(path, "-100%"));
    utc.tm_year -= 1900;
    utc.tm_mon--;
    made = timegm(&utc);
    assert_in_range(made, before, before + 5);
}

static void names_that_may_become_one_are_known(void **state)
{
    static const struct {
        const char *one, *other;
        bool meet;
    } cases[] = {
        { "/d/a", "/d/a", true },       { "/d/a", "/e/a", true }, /* the caller's to compare */
        { "/d/a", "/d/b", false },      { "/d/a", "/d/a.1", true },
        { "/d/a.12", "/d/a", true },    { "/d/a", "/d/a.", false },
        { "/d/a", "/d/a.x", false },    { "/d/a", "/d/a1", false },
        { "/d/a", "/d/a.1x", false },   { "/d/a.1", "/d/a.2", false },
        { "/d/%Y", "/d/2026", true },   { "/d/%Y", "/d/202x", false },
        { "/d/%H%M", "/d/%Y", true },   { "/d/%H%M.a", "/d/%Y.b", false },
        { "/d/%Y", "/d/2026.3", true }, { "/d/%H", "/d/%H.%M", true },
        { "/d/%%Y", "/d/2026", false }, { "/d/a.%H", "/d/a.1", false },
        { "/d/a.%H", "/d/a", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (mrl_rotation__meets(cases[i].one, cases[i].other) != cases[i].meet ||
            mrl_rotation__meets(cases[i].other, cases[i].one) != cases[i].meet)
            fail_case("%s and %s", cases[i].one, cases[i].other);
}

/* -- making room ------------------------------------------------------------------------------ */

static void path_of(char path[64], const char *directory, int number)
{
    snprintf(path, 64, number ? "%s/a.%d" : "%s/a", directory, number);
}

/* Makes the files of a set, each of which holds its number. */
static void make(const char *directory, unsigned int set)
{
    char path[64];

    for (int i = 0; i < NUMBERS; i++) {
        FILE *file;

        path_of(path, directory, i);
        unlink(path);
        if (!(set & (1U << i)))
            continue;
        file = fopen(path, "we");
        assert_non_null(file);
        fprintf(file, "%d", i);
        fclose(file);
    }
}

/* What each file holds now, in the order of their numbers: "0234". Removes them. */
static const char *take(const char *directory, char held[2 * NUMBERS])
{
    char path[64];

    *held = '\0';
    for (int i = 0; i < 2 * NUMBERS; i++) {
        FILE *file;
        size_t size;

        path_of(path, directory, i);
        file = fopen(path, "re");
        if (!file)
            continue;
        size = strlen(held);
        assert_int_equal(fread(held + size, 1, 1, file), 1);
        held[size + 1] = '\0';
        fclose(file);
        unlink(path);
    }
    return held;
}

/*
 * Whatever numbers are there: a rotation that was killed between two renames leaves one out, and
 * the next one must lose nothing of it. Only what has the last number that may be kept goes.
 */
static void a_path_is_freed_and_nothing_but_the_oldest_goes(void **state)
{
    char directory[] = "/tmp/mrelease-test-XXXXXX", held[2 * NUMBERS], wanted[2 * NUMBERS],
         path[64];
    uint64_t last;

    (void)state;
    assert_non_null(mkdtemp(directory));
    path_of(path, directory, 0);
    for (unsigned int keep = 0; keep <= NUMBERS; keep += keep ? 1 : 2) {
        for (unsigned int set = 1; set < 1U << NUMBERS; set += 2) {
            unsigned int whole = (2U << keep) - 1; /* 0, and as many as may be kept */
            size_t size = 0;

            for (unsigned int i = 0; i < NUMBERS; i++)
                if (set & (1U << i) && !(keep && i == keep && (set & whole) == whole))
                    wanted[size++] = (char)('0' + i);
            wanted[size] = '\0';
            make(directory, set);
            assert_int_equal(mrl_rotation__set_aside(path, keep, &last, NULL), 0);
            mrl_rotation__let_go(path, keep, last);
            assert_int_equal(access(path, F_OK), -1);
            if (strcmp(take(directory, held), wanted) != 0)
                fail_case("keep %u of %#x: %s where %s was wanted", keep, set, held, wanted);
        }
    }
    assert_int_equal(rmdir(directory), 0);
}

static void a_path_that_cannot_be_freed_stays(void **state)
{
    char directory[] = "/tmp/mrelease-test-XXXXXX", held[2 * NUMBERS], path[64], taken[80];
    struct mrl_error error = { "" };
    uint64_t last;

    (void)state;
    assert_non_null(mkdtemp(directory));
    path_of(path, directory, 0);
    snprintf(taken, sizeof(taken), "%s.oldest", path);
    make(directory, 3);
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_int_equal(mrl_rotation__set_aside(path, 1, &last, &error), -EISDIR);
    assert_non_null(strstr(error.text, "/a.oldest: Is a directory"));
    assert_int_equal(rmdir(taken), 0);
    assert_string_equal(take(directory, held), "01");
    assert_int_equal(rmdir(directory), 0);
}

static void what_was_set_aside_comes_back_the_oldest_too(void **state)
{
    char directory[] = "/tmp/mrelease-test-XXXXXX", held[2 * NUMBERS], path[64];
    uint64_t last;

    (void)state;
    assert_non_null(mkdtemp(directory));
    path_of(path, directory, 0);
    make(directory, 0xf);
    assert_int_equal(mrl_rotation__set_aside(path, 2, &last, NULL), 0);
    mrl_rotation__bring_back(path, 2, last);
    assert_string_equal(take(directory, held), "0123");
    make(directory, 7); /* what is there again stays */
    mrl_rotation__bring_back(path, 2, 1);
    assert_string_equal(take(directory, held), "012");
    assert_int_equal(rmdir(directory), 0);
}

/* -- space ------------------------------------------------------------------------------------ */

static int notice(struct mrl_rotation *rotation, uint64_t wanted, struct mrl_error *note)
{
    int noticed;

    rotation->fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rotation->options.warn_bytes = wanted;
    *note->text = '\0';
    noticed = mrl_rotation__notice((struct mrl_sink *)rotation, note);
    close(rotation->fd);
    return noticed;
}

static void little_space_is_told_once_until_there_was_more(void **state)
{
    struct mrl_rotation rotation = { .path = "/tmp/a" };
    struct mrl_error note;
    struct statvfs system;
    uint64_t left;

    (void)state;
    assert_int_equal(statvfs("/tmp", &system), 0);
    left = (uint64_t)system.f_bavail * system.f_frsize;
    assert_int_equal(notice(&rotation, 0, &note), 0);
    assert_int_equal(notice(&rotation, 1, &note), 0);
    assert_int_equal(notice(&rotation, INT64_MAX, &note), 0); /* it has just looked */
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, INT64_MAX, &note), 1);
    assert_non_null(strstr(note.text, "/tmp/a: "));
    assert_non_null(strstr(note.text, " KiB of space are left"));
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, INT64_MAX, &note), 0); /* still low */
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, left / 15 * 14, &note), 0); /* a little more is not enough */
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, INT64_MAX, &note), 0);
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, 1, &note), 0); /* it recovered */
    rotation.look_ns = 0;
    assert_int_equal(notice(&rotation, INT64_MAX, &note), 1);
    assert_string_equal(note.text + strlen(note.text) - 4, "left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_hold_the_time_or_an_error_says_why_not),
        cmocka_unit_test(a_name_is_the_time_in_utc),
        cmocka_unit_test(names_that_may_become_one_are_known),
        cmocka_unit_test(a_path_is_freed_and_nothing_but_the_oldest_goes),
        cmocka_unit_test(a_path_that_cannot_be_freed_stays),
        cmocka_unit_test(what_was_set_aside_comes_back_the_oldest_too),
        cmocka_unit_test(little_space_is_told_once_until_there_was_more),
    };

    return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
