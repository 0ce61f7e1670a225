// SPDX-License-Identifier: Apache-2.0
/* Outputs whose files make room for the next: lines of JSON, and recordings. */
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "command/run/outputs.h"
#include "command/run/record.h"
#include "unit/captures.h"
#include "unit/unit.h"

enum { EVENTS = 200, END_MS = 5000, FILE_BYTES = 16384, LINE_BYTES = 2048, TEXT_BYTES = 1 << 20 };

struct fixture {
    struct test_decoder decoder;
    struct mrl_outputs outputs;
    struct mrl_pipeline *pipeline;
    char directory[64], spec[256];
    unsigned int warnings;
    char warning[512];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/mrelease-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, EVENTS);
    *state = fixture;
    return 0;
}

static int remove_entry(const char *path, const struct stat *entry, int type, struct FTW *walk)
{
    (void)entry;
    (void)type;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static void note_warning(void *context, enum mrl_log_level level, const char *text)
{
    struct fixture *fixture = context;

    if (level > MRL_LOG_WARNING)
        return;
    fixture->warnings++;
    snprintf(fixture->warning, sizeof(fixture->warning), "%s", text);
}

/* "json", its settings, and the file "a" or another; or of --record. Started. */
static void begin(struct fixture *fixture, const char *settings, const char *name)
{
    bool is_record = strncmp(settings, "json", 4) != 0;
    struct mrl_error error = { "" };

    snprintf(fixture->spec, sizeof(fixture->spec), "%s%s%s/%s", settings, *settings ? ":" : "",
             fixture->directory, name);
    mrl_pipeline__free(fixture->pipeline);
    fixture->outputs.count = 0;
    assert_int_equal(mrl_pipeline__new(note_warning, fixture, &fixture->pipeline), 0);
    if ((is_record ? mrl_record__add : mrl_outputs__add)(&fixture->outputs, fixture->spec,
                                                         &error) ||
        mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, &error) ||
        mrl_pipeline__start(fixture->pipeline, &error))
        fail_case("%s: %s", fixture->spec, error.text);
}

static void deliver(struct fixture *fixture)
{
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, EVENTS);
}

static void end(struct fixture *fixture)
{
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), 0);
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK).dropped_full +
                         mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK).dropped_failed,
                     0);
}

static void await(struct fixture *fixture, uint64_t events)
{
    for (int i = 0; i < END_MS; i++, usleep(1000))
        if (mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK).delivered == events)
            return;
    fail_case("not all was delivered");
}

static const char *path_of(const struct fixture *fixture, unsigned int number)
{
    static char path[128];

    snprintf(path, sizeof(path), number ? "%s/a.%u" : "%s/a", fixture->directory, number);
    return path;
}

static bool is_there(const struct fixture *fixture, unsigned int number)
{
    return !access(path_of(fixture, number), F_OK);
}

/* -- lines ------------------------------------------------------------------------------------ */

/* What a file holds, valid until the next call. */
static const char *text_of(const char *path)
{
    static char text[TEXT_BYTES];
    FILE *file = fopen(path, "re");

    if (!file)
        fail_case("%s is not there", path);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* The file goes on where the last one ended; returns the number of the line that comes next. */
static unsigned int follow_lines(const char *path, unsigned int next)
{
    for (const char *at = text_of(path); *at; at = strchr(at, '\n') + 1, next++) {
        const char *number = strstr(at, "\"value\":");

        assert_non_null(strchr(at, '\n'));
        if (strncmp(at, "{\"timestamp\":", 13) != 0 || !number || number > strchr(at, '\n') ||
            strtoul(number + 8, NULL, 10) != next % EVENTS)
            fail_case("%s: line %u: %.*s", path, next, (int)strcspn(at, "\n"), at);
    }
    return next;
}

/* Each but the last is cut at the first end of a line behind its size. */
static void a_file_makes_room_between_two_lines(void **state)
{
    struct fixture *fixture = *state;
    unsigned int files = 0, next = 0;
    struct stat file;

    begin(fixture, "json,rotate=16K", "a");
    deliver(fixture);
    end(fixture);
    while (is_there(fixture, files + 1))
        files++;
    assert_in_range(files, 5, 20);
    for (unsigned int number = files + 1; number--;) {
        next = follow_lines(path_of(fixture, number), next);
        assert_int_equal(stat(path_of(fixture, number), &file), 0);
        assert_int_equal(file.st_mode & 07777, 0640);
        assert_in_range(file.st_size, number ? FILE_BYTES : 1, FILE_BYTES + LINE_BYTES);
    }
    assert_int_equal(next, EVENTS);
    assert_int_equal(fixture->warnings, 0);
}

static void only_as_many_files_stay_as_are_to_be_kept(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "json,rotate=16K,keep=2", "a");
    deliver(fixture);
    end(fixture);
    assert_true(is_there(fixture, 0) && is_there(fixture, 1) && is_there(fixture, 2));
    assert_false(is_there(fixture, 3));
    assert_non_null(strstr(text_of(path_of(fixture, 0)), "\"value\":199}")); /* the last */
}

/* What an earlier run left counts. A file that has nothing to make room for stays. */
static void a_file_that_was_full_before_makes_room_for_the_first_line(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "json", "a");
    deliver(fixture);
    end(fixture);
    begin(fixture, "json,rotate=16K", "a");
    end(fixture);
    assert_false(is_there(fixture, 1));
    begin(fixture, "json,rotate=1G", "a");
    deliver(fixture);
    end(fixture);
    assert_false(is_there(fixture, 1));
    begin(fixture, "json,rotate=256K", "a");
    deliver(fixture);
    end(fixture);
    assert_true(is_there(fixture, 1));
    assert_int_equal(follow_lines(path_of(fixture, 0), 0), EVENTS);
}

static void each_file_of_a_table_has_the_titles(void **state)
{
    struct fixture *fixture = *state;
    char spec[128];

    snprintf(spec, sizeof(spec), "table,rotate=4K:%s/a", fixture->directory);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    assert_int_equal(mrl_outputs__add(&fixture->outputs, spec, NULL), 0);
    assert_int_equal(mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, NULL), 0);
    deliver(fixture);
    end(fixture);
    assert_true(is_there(fixture, 2));
    for (unsigned int number = 0; is_there(fixture, number); number++)
        assert_non_null(strstr(text_of(path_of(fixture, number)), "EVENT"));
}

/* With keep=1: what would go has no place to wait in. */
static void be_in_the_way(const struct fixture *fixture)
{
    char oldest[160];
    FILE *file = fopen(path_of(fixture, 1), "we");

    assert_non_null(file);
    fclose(file);
    snprintf(oldest, sizeof(oldest), "%s.oldest", path_of(fixture, 0));
    assert_int_equal(mkdir(oldest, 0700), 0);
}

/* Everything stays in the file that is there, and the reason is said once. */
static void a_file_that_cannot_make_room_goes_on(void **state)
{
    struct fixture *fixture = *state;

    be_in_the_way(fixture);
    begin(fixture, "json,rotate=16K,keep=1", "a");
    deliver(fixture);
    end(fixture);
    assert_int_equal(follow_lines(path_of(fixture, 0), 0), EVENTS);
    assert_int_equal(fixture->warnings, 1);
    assert_non_null(strstr(fixture->warning, ": not rotated: "));
}

/* By logrotate, for example: then only the name is taken again. */
static void a_file_that_others_moved_is_not_moved_again(void **state)
{
    struct fixture *fixture = *state;
    char other[128];

    snprintf(other, sizeof(other), "%s/moved", fixture->directory);
    begin(fixture, "json,rotate=256K", "a");
    deliver(fixture);
    await(fixture, EVENTS);
    assert_int_equal(rename(path_of(fixture, 0), other), 0);
    deliver(fixture);
    end(fixture);
    assert_false(is_there(fixture, 1));
    assert_int_equal(follow_lines(path_of(fixture, 0), follow_lines(other, 0)), 2 * EVENTS);
}

/* Within one second the name is the same, and then has a number. */
static void a_name_with_the_time_begins_a_file_at_each_rotation(void **state)
{
    struct fixture *fixture = *state;
    char pattern[128];
    unsigned int lines = 0;
    glob_t files;

    begin(fixture, "json,rotate=64K", "%Y%m%dT%H%M%S-a");
    deliver(fixture);
    await(fixture, EVENTS);
    sleep(1);
    mrl_pipeline__reopen(fixture->pipeline);
    deliver(fixture);
    end(fixture);
    assert_int_equal(mrl_pipeline__reopened(fixture->pipeline, 0), MRL_REOPEN_MOVED);
    snprintf(pattern, sizeof(pattern), "%s/20[0-9][0-9][01][0-9][0-3][0-9]T[0-2]*-a*",
             fixture->directory);
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    assert_in_range(files.gl_pathc, 4, 10);
    for (size_t i = 0; i < files.gl_pathc; i++)
        for (const char *at = text_of(files.gl_pathv[i]); (at = strchr(at, '\n')); at++)
            lines++;
    globfree(&files);
    assert_int_equal(lines, 2 * EVENTS);
    assert_int_equal(fixture->warnings, 0);
}

static void what_is_no_regular_file_is_not_rotated(void **state)
{
    static const char *const settings[] = { "json,rotate=16K", "json,warn-space=1G" };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        struct mrl_error error = { "" };
        char spec[64];

        snprintf(spec, sizeof(spec), "%s:/dev/null", settings[i]);
        fixture->outputs.count = 0;
        mrl_pipeline__free(fixture->pipeline);
        assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
        assert_int_equal(mrl_outputs__add(&fixture->outputs, spec, &error), 0);
        assert_int_equal(mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, &error),
                         -EINVAL);
        assert_string_equal(error.text, "/dev/null: rotate= and warn-space= are for regular files");
    }
}

static void little_space_is_said_once(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "json,warn-space=17179869183G", "a");
    deliver(fixture);
    deliver(fixture);
    end(fixture);
    assert_int_equal(fixture->warnings, 1);
    assert_non_null(strstr(fixture->warning, "/a: "));
    assert_non_null(strstr(fixture->warning, " KiB of space are left"));
}

/* -- recordings ------------------------------------------------------------------------------- */

/* The events of one that is whole. */
static size_t replayed(const char *path)
{
    static struct test_replay replay;

    test_replay__run(&replay, path, NULL);
    if (replay.opened || replay.ended != -ENODATA || replay.logged)
        fail_case("%s: %s", path, replay.text);
    return replay.lines.count;
}

static void a_recording_makes_room_and_each_file_is_whole(void **state)
{
    struct fixture *fixture = *state;
    size_t events = 0;

    begin(fixture, "rotate=16K", "a");
    deliver(fixture);
    end(fixture);
    assert_true(is_there(fixture, 2));
    for (unsigned int number = 0; is_there(fixture, number); number++)
        events += replayed(path_of(fixture, number));
    assert_int_equal(events, EVENTS);
    assert_int_equal(fixture->warnings, 0);
}

/* As a service does that is started again: each run has a file, and one without events takes none.
 */
static void a_recording_that_is_there_makes_room_for_the_next_run(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned int run = 0; run < 3; run++) {
        begin(fixture, "", "a");
        end(fixture);
        begin(fixture, "keep=2", "a");
        deliver(fixture);
        end(fixture);
        assert_int_equal(replayed(path_of(fixture, 0)), EVENTS);
        assert_int_equal(replayed(path_of(fixture, run)), EVENTS);
        assert_false(is_there(fixture, run + 1));
    }
    begin(fixture, "keep=2", "a");
    deliver(fixture);
    end(fixture);
    assert_false(is_there(fixture, 3));
    assert_int_equal(fixture->warnings, 0);
}

/* Nothing of this run may follow the end of another. */
static void a_recording_that_cannot_make_room_takes_nothing(void **state)
{
    struct fixture *fixture = *state;

    begin(fixture, "", "a");
    deliver(fixture);
    end(fixture);
    be_in_the_way(fixture);
    begin(fixture, "keep=1", "a");
    deliver(fixture);
    assert_int_equal(mrl_pipeline__end(fixture->pipeline, END_MS), -EEXIST);
    assert_int_equal(mrl_pipeline__counts(fixture->pipeline, 0, MRL_EVENT_MLOCK).dropped_failed,
                     EVENTS);
    assert_int_equal(replayed(path_of(fixture, 0)), EVENTS);
}

static void a_recording_that_was_moved_is_followed(void **state)
{
    struct fixture *fixture = *state;
    char moved[128];

    snprintf(moved, sizeof(moved), "%s/moved", fixture->directory);
    begin(fixture, "policy=block", "a");
    deliver(fixture);
    await(fixture, EVENTS);
    mrl_pipeline__reopen(fixture->pipeline);
    for (int i = 0; i < END_MS && mrl_pipeline__reopened(fixture->pipeline, 0) == MRL_REOPEN_WAITS;
         i++)
        usleep(1000);
    assert_int_equal(mrl_pipeline__reopened(fixture->pipeline, 0), MRL_REOPEN_SAME);
    assert_int_equal(rename(path_of(fixture, 0), moved), 0);
    mrl_pipeline__reopen(fixture->pipeline);
    deliver(fixture);
    end(fixture);
    assert_int_equal(mrl_pipeline__reopened(fixture->pipeline, 0), MRL_REOPEN_MOVED);
    assert_int_equal(replayed(moved), EVENTS);
    assert_int_equal(replayed(path_of(fixture, 0)), EVENTS);
    assert_int_equal(fixture->warnings, 0);
}

static void a_recording_of_a_start_that_fails_is_taken_back(void **state)
{
    struct fixture *fixture = *state;
    char spec[128];

    snprintf(spec, sizeof(spec), "%s/a", fixture->directory);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    assert_int_equal(mrl_record__add(&fixture->outputs, spec, NULL), 0);
    assert_int_equal(mrl_outputs__open(&fixture->outputs, 0, fixture->pipeline, NULL), 0);
    assert_true(is_there(fixture, 0));
    mrl_pipeline__free(fixture->pipeline);
    fixture->pipeline = NULL;
    assert_false(is_there(fixture, 0));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(a_file_makes_room_between_two_lines),
        test(only_as_many_files_stay_as_are_to_be_kept),
        test(a_file_that_was_full_before_makes_room_for_the_first_line),
        test(each_file_of_a_table_has_the_titles),
        test(a_file_that_cannot_make_room_goes_on),
        test(a_file_that_others_moved_is_not_moved_again),
        test(a_name_with_the_time_begins_a_file_at_each_rotation),
        test(what_is_no_regular_file_is_not_rotated),
        test(little_space_is_said_once),
        test(a_recording_makes_room_and_each_file_is_whole),
        test(a_recording_that_is_there_makes_room_for_the_next_run),
        test(a_recording_that_cannot_make_room_takes_nothing),
        test(a_recording_that_was_moved_is_followed),
        test(a_recording_of_a_start_that_fails_is_taken_back),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("rotated outputs", tests, NULL, NULL);
}
