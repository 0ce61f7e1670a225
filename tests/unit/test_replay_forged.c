// SPDX-License-Identifier: Apache-2.0
/* Files with right checksums whose frames hold what no recorder writes, before the replay source.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/capture_format.h"
#include "unit/captures.h"
#include "unit/unit.h"

static struct test_replay replay;

/* A file of a right header and frames with right checksums. */
struct forgery {
    char path[64];
    int fd;
};

static void forge(struct forgery *forgery)
{
    struct mrl_capture_header header;

    snprintf(forgery->path, sizeof(forgery->path), "/tmp/mrelease-test-XXXXXX");
    forgery->fd = mkstemp(forgery->path);
    assert_true(forgery->fd >= 0);
    mrl_capture__header(&header);
    assert_int_equal(write(forgery->fd, &header, sizeof(header)), sizeof(header));
}

static void put(const struct forgery *forgery,
                enum mrl_frame_type type,
                const void *payload,
                size_t size)
{
    char frame[sizeof(struct mrl_frame_header) + MRL_FRAME_PAYLOAD_MAX];
    size_t whole = (size_t)(mrl_frame__put(frame, type, payload, size) - frame);

    assert_int_equal(write(forgery->fd, frame, whole), whole);
}

static void put_host(const struct forgery *forgery)
{
    const struct mrl_frame_host host = { .page_bytes = 4096, .cpus = 1 };

    put(forgery, MRL_FRAME_HOST, &host, sizeof(host));
}

static void put_end(const struct forgery *forgery, uint64_t frames, uint64_t records)
{
    const struct mrl_frame_end end = { .frames = frames, .records = records };

    put(forgery, MRL_FRAME_END, &end, sizeof(end));
}

static void assert_refused(struct forgery *forgery, const char *text)
{
    test_replay__run(&replay, forgery->path, NULL);
    close(forgery->fd);
    unlink(forgery->path);
    assert_int_equal(replay.ended, -EBADMSG);
    if (!strstr(replay.text, text))
        fail_case("'%s' where '%s' was wanted", replay.text, text);
}

static void replay_refuses_records_that_are_none(void **state)
{
    struct test_record record;
    struct forgery forgery;

    (void)state;
    test_record__init(&record, MRL_EVENT_MLOCK);
    forge(&forgery); /* of no known host */
    put(&forgery, MRL_FRAME_RECORD, &record, record.call.size);
    assert_refused(&forgery, "at byte 40: a frame holds no valid record");
    forge(&forgery);
    put_host(&forgery);
    record.call.event = MRL_EVENT_COUNT;
    put(&forgery, MRL_FRAME_RECORD, &record, record.call.size);
    assert_refused(&forgery, "at byte 80: a frame holds no valid record");
}

static void replay_refuses_gaps_that_are_none(void **state)
{
    const struct mrl_frame_lost gaps[] = {
        { .count = 1, .event = MRL_EVENT_COUNT, .cause = "ring_full" },
        { .count = 0, .event = 0, .cause = "ring_full" },
        { .count = 1, .event = 0, .cause = "ring_fully" },
        { .count = 1, .event = 0, .cause = "" },
    };
    struct forgery forgery;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(gaps); i++) {
        forge(&forgery);
        put(&forgery, MRL_FRAME_LOST, &gaps[i], MRL_FRAME_LOST_BYTES);
        assert_refused(&forgery, "a gap that no recorder would write");
    }
}

static void replay_bounds_what_it_remembers_of_containers(void **state)
{
    struct forgery forgery;
    char container[sizeof(uint64_t) + 129] = { 1 };

    (void)state;
    forge(&forgery);
    put(&forgery, MRL_FRAME_CONTAINER, container, sizeof(container));
    assert_refused(&forgery, "a container that no recorder would write");
    forge(&forgery);
    for (uint64_t i = 0; i <= MRL_CONTAINERS_MAX; i++) {
        memcpy(container, &i, sizeof(i));
        put(&forgery, MRL_FRAME_CONTAINER, container, sizeof(i) + 1);
    }
    assert_refused(&forgery, "a container that no recorder would write");
}

static void replay_refuses_lookups_that_are_none(void **state)
{
    static const struct mrl_frame_lookup lookups[] = { { 1, MRL_LOOKUP_COUNT, 0 }, { 1, 0, 2 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lookups); i++) {
        struct forgery forgery;

        forge(&forgery);
        put(&forgery, MRL_FRAME_LOOKUP, &lookups[i], sizeof(lookups[i]));
        assert_refused(&forgery, "a container that no recorder would write");
    }
}

static void replay_refuses_names_that_are_none(void **state)
{
    static const struct mrl_frame_names frames[] = {
        { .cgroup = 1, .result = MRL_NAMES_RESULTS },
        { .cgroup = 1, .runtime = MRL_RUNTIMES },
        { .cgroup = 1, .is_sandbox = 2 },
        { .cgroup = 1, .result = MRL_NAMES_KNOWN, .sizes = { 1 } },
        { .cgroup = 2, .result = MRL_NAMES_KNOWN }, /* of no container */
    };
    const char container[] = "\1\0\0\0\0\0\0\0abc";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        struct forgery forgery;

        forge(&forgery);
        put(&forgery, MRL_FRAME_CONTAINER, container, sizeof(container) - 1);
        put(&forgery, MRL_FRAME_NAMES, &frames[i], sizeof(frames[i]));
        assert_refused(&forgery, "names that no recorder would write");
    }
}

static void replay_refuses_an_end_that_is_not_the_end(void **state)
{
    struct forgery forgery;

    (void)state;
    forge(&forgery);
    put_host(&forgery);
    put_end(&forgery, 1, 1);
    assert_refused(&forgery, "counts other frames than there are");
    forge(&forgery);
    put_host(&forgery);
    put_end(&forgery, 1, 0);
    put_host(&forgery);
    assert_refused(&forgery, "there is more after its last frame");
}

static void replay_refuses_what_is_no_capture(void **state)
{
    (void)state;
    test_replay__run(&replay, MRL_TEST_DIR "/unit/test_replay.c", NULL);
    assert_int_equal(replay.opened, -EBADMSG);
    assert_non_null(strstr(replay.text, "test_replay.c: it is no capture"));
    test_replay__run(&replay, MRL_TEST_DIR "/unit", NULL);
    assert_int_equal(replay.opened, -EISDIR);
    test_replay__run(&replay, MRL_TEST_DIR "/unit/missing", NULL);
    assert_int_equal(replay.opened, -ENOENT);
    assert_non_null(strstr(replay.text, "/unit/missing: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_refuses_records_that_are_none),
        cmocka_unit_test(replay_refuses_gaps_that_are_none),
        cmocka_unit_test(replay_bounds_what_it_remembers_of_containers),
        cmocka_unit_test(replay_refuses_names_that_are_none),
        cmocka_unit_test(replay_refuses_lookups_that_are_none),
        cmocka_unit_test(replay_refuses_an_end_that_is_not_the_end),
        cmocka_unit_test(replay_refuses_what_is_no_capture),
    };

    return cmocka_run_group_tests_name("replay_forged", tests, NULL, NULL);
}
