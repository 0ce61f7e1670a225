// SPDX-License-Identifier: Apache-2.0
/* Captures through the replay source: the same lines again; cut and damaged files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "event/capture_format.h"
#include "unit/captures.h"
#include "unit/unit.h"

static struct test_replay replay;

static size_t size_of(const char *path)
{
    struct stat file;

    assert_int_equal(stat(path, &file), 0);
    return (size_t)file.st_size;
}

/* What is replayed is what was recorded, from the start. */
static void assert_beginning_of(const struct test_lines *lines)
{
    assert_true(replay.lines.count <= lines->count);
    assert_memory_equal(replay.lines.text, lines->text, replay.lines.size);
}

static void assert_whole(const struct test_capture *capture)
{
    assert_int_equal(replay.opened, 0);
    assert_int_equal(replay.ended, -ENODATA);
    assert_int_equal(replay.logged, 0);
    assert_int_equal(replay.lines.count, capture->lines.count);
    assert_int_equal(replay.lines.size, capture->lines.size);
    assert_memory_equal(replay.lines.text, capture->lines.text, capture->lines.size);
}

/* -- whole ------------------------------------------------------------------------------------ */

static void replay_prints_what_was_recorded_each_time(void **state)
{
    struct test_capture *capture = *state;

    test_capture__fill(capture);
    assert_int_equal(capture->lines.count, 3);
    assert_non_null(strstr(capture->lines.text, "6d6f62792d6475636b"));
    assert_non_null(strstr(capture->lines.text, "636f6e7461696e6572"));
    assert_non_null(strstr(capture->lines.text, "queue_full"));
    for (int i = 0; i < 2; i++) {
        test_replay__run(&replay, capture->path, NULL);
        assert_whole(capture);
    }
}

static void replay_keeps_the_filters_that_it_began_with(void **state)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct test_capture *capture = *state;
    struct mrl_plugin *plugin;
    struct mrl_error error;

    test_capture__fill(capture);
    options.replay = capture->path;
    assert_int_equal(mrl_plugin__open(&options, &error, &plugin), 0);
    assert_int_equal(mrl_plugin__reconfigure(plugin, &options, &error), -EOPNOTSUPP);
    assert_string_equal(error.text, "a replay keeps the filters that it began with");
    mrl_plugin__close(plugin);
}

static void replay_knows_how_much_was_known_of_a_container(void **state)
{
    static const struct {
        const char *id;
        enum mrl_lookup lookup;
        bool confirmed;
        const char *line;
    } cases[] = {
        { "abc", MRL_LOOKUP_KNOWN, true,
          "\"value\":\"known\"},{\"name\":\"container_confirmed\","
          "\"type\":\"unsigned int\",\"value\":1}" },
        { "abc", MRL_LOOKUP_KNOWN, false,
          "\"value\":\"known\"},{\"name\":\"container_confirmed\","
          "\"type\":\"unsigned int\",\"value\":0}" },
        { "", MRL_LOOKUP_HOST, false, "\"value\":\"host\"" },
        { "", MRL_LOOKUP_NOT_FOUND, false, "\"value\":\"not_found\"" },
        { "", MRL_LOOKUP_UNREADABLE, false, "\"value\":\"unreadable\"" },
        { "", MRL_LOOKUP_HOST, false, "\"value\":\"host\"" },
    };
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MUNLOCKALL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_capture__set_container(capture, record.call.cgroup_id, cases[i].id);
        test_capture__qualify(capture, record.call.cgroup_id, cases[i].lookup, cases[i].confirmed);
        test_capture__add(capture, &record);
        assert_non_null(strstr(capture->lines.text, cases[i].line));
    }
    test_capture__close(capture);
    test_replay__run(&replay, capture->path, NULL);
    assert_whole(capture);
}

/* Of the caller's container and of the target's; and why there are none. */
static void replay_shows_the_names_of_containers(void **state)
{
    struct mrl_named named = { .result = MRL_NAMES_PENDING };
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "abc");
    test_capture__set_container(capture, record.target.cgroup_id, "def");
    test_capture__add(capture, &record); /* names are off */
    mrl_containers__name(&capture->containers, record.call.cgroup_id, &named);
    test_capture__add(capture, &record);
    named = (struct mrl_named){ .result = MRL_NAMES_KNOWN,
                                .runtime = MRL_RUNTIME_CRIO,
                                .is_sandbox = true,
                                .texts = { [MRL_NAME_CONTAINER] = { "w\"eb", 4 },
                                           [MRL_NAME_IMAGE] = { "nginx", 5 },
                                           [MRL_NAME_POD_UID] = { "u", 1 } } };
    mrl_containers__name(&capture->containers, record.call.cgroup_id, &named);
    named.texts[MRL_NAME_POD] = (struct mrl_text){ "pod\xff", 4 };
    mrl_containers__name(&capture->containers, record.target.cgroup_id, &named);
    test_capture__add(capture, &record);
    assert_non_null(strstr(capture->lines.text,
                           "\"name\":\"w\\\"eb\",\"image\":\"nginx\"},\"kubernetes\":"
                           "{\"podUID\":\"u\",\"podSandbox\":true}"));
    assert_non_null(strstr(capture->lines.text, "\"value\":\"pending\""));
    assert_non_null(strstr(capture->lines.text, "\"value\":\"pod\\ufffd\""));
    assert_non_null(strstr(capture->lines.text, "\"value\":\"crio\""));
    test_capture__close(capture);
    test_replay__run(&replay, capture->path, NULL);
    assert_whole(capture);
}

/* Where it stood, and nothing that was not there. */
static void replay_hands_out_what_the_recorder_said_of_itself(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MUNLOCKALL);
    test_capture__add_state(capture, MRL_WHAT_STARTED);
    test_capture__add(capture, &record);
    test_capture__add_state(capture, MRL_WHAT_BLIND);
    test_capture__add_state(capture, MRL_WHAT_STOPPED);
    test_capture__close(capture);
    test_replay__run(&replay, capture->path, NULL);
    assert_whole(capture);
    test_replay__run(&replay, capture->path, "munlockall");
    assert_int_equal(replay.ended, -ENODATA);
    assert_int_equal(replay.lines.count, 1);
}

/* Both are read at once, but a batch has one host: what an event says of its own must be true. */
static void replay_gives_each_event_the_host_that_it_was_recorded_on(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct test_record record;
    struct mrl_plugin *plugin;
    struct mrl_batch *batch;

    test_record__init(&record, MRL_EVENT_MUNLOCKALL);
    test_capture__add(capture, &record);
    capture->decoder.host.facts.boot_ns += 1000;
    test_capture__add(capture, &record);
    test_capture__close(capture);
    options.replay = capture->path;
    assert_int_equal(mrl_plugin__open(&options, NULL, &plugin), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mrl_plugin__next_batch(plugin, 1000, &batch), 1);
        assert_int_equal(mrl_batch__at(batch, 0)->host->boot_ns, TEST_BOOT_NS + i * 1000);
        mrl_batch__unref(batch);
    }
    mrl_plugin__close(plugin);
}

static void replay_shows_the_chosen_events_and_their_gaps(void **state)
{
    static const struct {
        const char *events, *text;
    } cases[] = {
        { "process_mrelease", "\"eventName\":\"process_mrelease\"" },
        { "do_mrelease", "\"eventName\":\"do_mrelease\"" },
        { "mlock", "\"eventName\":\"events_lost\"" },
    };
    struct test_capture *capture = *state;

    test_capture__fill(capture);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_replay__run(&replay, capture->path, cases[i].events);
        assert_int_equal(replay.lines.count, 1);
        replay.lines.text[replay.lines.size] = '\0';
        assert_non_null(strstr(replay.lines.text, cases[i].text));
    }
    test_replay__run(&replay, capture->path, "munlock");
    assert_int_equal(replay.ended, -ENODATA);
    assert_int_equal(replay.lines.count, 0);
}

static void replay_of_more_events_than_a_batch_holds_keeps_their_order(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MUNLOCKALL);
    for (unsigned int i = 0; i < 3 * MRL_BATCH_EVENTS; i++) {
        record.call.host_pid = i;
        test_capture__add(capture, &record);
    }
    test_capture__close(capture);
    test_replay__run(&replay, capture->path, NULL);
    assert_whole(capture);
}

/* -- cut -------------------------------------------------------------------------------------- */

static void replay_of_every_beginning_of_a_capture_ends_with_a_warning(void **state)
{
    struct test_capture *capture = *state;
    size_t count = 0, size;

    test_capture__fill(capture);
    for (size = size_of(capture->path) - 1; size != SIZE_MAX; size--) {
        assert_int_equal(truncate(capture->path, (off_t)size), 0);
        test_replay__run(&replay, capture->path, NULL);
        assert_int_equal(replay.opened, 0);
        assert_int_equal(replay.ended, -ENODATA);
        assert_int_equal(replay.logged, 1);
        assert_non_null(strstr(replay.text, "at byte "));
        assert_beginning_of(&capture->lines);
        count += replay.lines.count;
    }
    assert_non_null(strstr(replay.text, "at byte 0: it is empty"));
    assert_true(count > 0);
}

static void replay_says_where_a_capture_is_torn(void **state)
{
    struct test_capture *capture = *state;
    size_t size;
    char place[32];

    test_capture__fill(capture);
    size = size_of(capture->path) - mrl_frame__bytes(sizeof(struct mrl_frame_end));
    snprintf(place, sizeof(place), "at byte %zu: ", size);
    assert_int_equal(truncate(capture->path, (off_t)size), 0);
    test_replay__run(&replay, capture->path, NULL);
    assert_non_null(strstr(replay.text, place));
    assert_non_null(strstr(replay.text, "without its last frame"));
    assert_int_equal(truncate(capture->path, (off_t)size + 5), 0);
    test_replay__run(&replay, capture->path, NULL);
    assert_non_null(strstr(replay.text, place));
    assert_non_null(strstr(replay.text, "torn here"));
    assert_int_equal(replay.lines.count, 3);
}

/* A power failure: the file is as long as it should be, but its end never reached the disk. */
static void replay_takes_zeros_at_the_end_for_a_torn_end(void **state)
{
    static const struct {
        off_t kept;  /* of the last frame */
        off_t zeros; /* behind it */
    } cases[] = {
        { 25, 200000 }, { 9, 4096 }, { 0, 8 }, { 0, 24 }, { 0, 4096 }, { 0, 1 << 20 },
    };
    struct test_capture *capture = *state;
    char place[32];
    off_t size;

    test_capture__fill(capture);
    size = (off_t)(size_of(capture->path) - mrl_frame__bytes(sizeof(struct mrl_frame_end)));
    snprintf(place, sizeof(place), "at byte %lld: ", (long long)size);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(truncate(capture->path, size + cases[i].kept), 0);
        assert_int_equal(truncate(capture->path, size + cases[i].kept + cases[i].zeros), 0);
        test_replay__run(&replay, capture->path, NULL);
        if (replay.ended != -ENODATA || !strstr(replay.text, place) ||
            !strstr(replay.text, "torn here"))
            fail_case("%zu: %d, %s", i, replay.ended, replay.text);
        assert_int_equal(replay.lines.count, 3);
    }
}

static void replay_takes_other_bytes_behind_zeros_for_damage(void **state)
{
    struct test_capture *capture = *state;
    FILE *file;
    off_t size;

    test_capture__fill(capture);
    size = (off_t)(size_of(capture->path) - mrl_frame__bytes(sizeof(struct mrl_frame_end)));
    assert_int_equal(truncate(capture->path, size), 0);
    assert_int_equal(truncate(capture->path, size + 100000), 0);
    file = fopen(capture->path, "ae");
    assert_non_null(file);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    test_replay__run(&replay, capture->path, NULL);
    assert_int_equal(replay.ended, -EBADMSG);
    assert_non_null(strstr(replay.text, "checksum"));
    assert_int_equal(replay.lines.count, 3);
}

/* -- damaged ---------------------------------------------------------------------------------- */

static void replay_notices_every_flipped_bit(void **state)
{
    struct test_capture *capture = *state;
    size_t size, opened = 0;
    int fd;

    test_capture__fill(capture);
    size = size_of(capture->path);
    fd = open(capture->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        unsigned char byte, flipped;

        assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
        flipped = (unsigned char)(byte ^ (1 << bit % 8));
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(bit / 8)), 1);
        test_replay__run(&replay, capture->path, NULL);
        if (!replay.opened && replay.ended != -EBADMSG)
            fail_case("bit %zu was not noticed", bit);
        opened += !replay.opened;
        assert_beginning_of(&capture->lines);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    }
    close(fd);
    assert_int_equal(opened, 8 * (size - sizeof(struct mrl_capture_header)));
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_capture__set_up, test_capture__tear_down)
    const struct CMUnitTest tests[] = {
        test(replay_prints_what_was_recorded_each_time),
        test(replay_keeps_the_filters_that_it_began_with),
        test(replay_knows_how_much_was_known_of_a_container),
        test(replay_shows_the_names_of_containers),
        test(replay_hands_out_what_the_recorder_said_of_itself),
        test(replay_gives_each_event_the_host_that_it_was_recorded_on),
        test(replay_shows_the_chosen_events_and_their_gaps),
        test(replay_of_more_events_than_a_batch_holds_keeps_their_order),
        test(replay_of_every_beginning_of_a_capture_ends_with_a_warning),
        test(replay_says_where_a_capture_is_torn),
        test(replay_takes_zeros_at_the_end_for_a_torn_end),
        test(replay_takes_other_bytes_behind_zeros_for_damage),
        test(replay_notices_every_flipped_bit),
    };

    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
