// SPDX-License-Identifier: Apache-2.0
/* The sink "capture": which files it takes, what it leaves out, and full disks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "event/capture_format.h"
#include "unit/captures.h"
#include "unit/pipes.h"
#include "unit/unit.h"

static struct test_replay replay;

static off_t size_of(const char *path)
{
    struct stat file;

    assert_int_equal(stat(path, &file), 0);
    return file.st_size;
}

static void assert_replays(const struct test_capture *capture)
{
    test_replay__run(&replay, capture->path, NULL);
    assert_int_equal(replay.opened, 0);
    assert_int_equal(replay.ended, -ENODATA);
    assert_int_equal(replay.logged, 0);
    assert_int_equal(replay.lines.count, capture->lines.count);
    assert_memory_equal(replay.lines.text, capture->lines.text, capture->lines.size);
}

/* How many frames of a type the file holds. */
static unsigned int count_frames(const char *path, enum mrl_frame_type type)
{
    _Alignas(8) static char bytes[8 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, bytes, sizeof(bytes)), taken;
    const char *at = bytes + sizeof(struct mrl_capture_header);
    struct mrl_frame frame;
    unsigned int count = 0;

    close(fd);
    assert_in_range(size, sizeof(struct mrl_capture_header), sizeof(bytes) - 1);
    for (; at < bytes + size; at += taken) {
        taken = mrl_frame__parse(at, (size_t)(bytes + size - at), &frame, NULL);
        assert_true(taken > 0);
        count += frame.type == type;
    }
    return count;
}

/* -- files ------------------------------------------------------------------------------------ */

static void assert_open_fails(const char *path, int err, const char *text)
{
    struct mrl_error error = { "" };
    struct mrl_sink *sink = NULL;

    assert_int_equal(
        mrl_capture__sink()->open(&(struct mrl_sink_target){ .destination = path }, &error, &sink),
        err);
    assert_null(sink);
    if (strncmp(error.text, path, strlen(path)) != 0 || !strstr(error.text, text))
        fail_case("'%s' where '%s: %s' was wanted", error.text, path, text);
}

static void sink_refuses_files_that_are_not_its_own(void **state)
{
    struct test_capture *capture = *state;
    char link[128];

    assert_open_fails(capture->path, -EBUSY, "another recording goes there");
    test_capture__fill(capture);
    snprintf(link, sizeof(link), "%s.link", capture->path);
    assert_int_equal(symlink("/tmp/mrelease-test-nowhere", link), 0);
    assert_open_fails(link, -ELOOP, "a symbolic link: refused");
    unlink(link);
    assert_open_fails("/tmp/mrelease-test-missing/file", -ENOENT, "no such directory");
    assert_open_fails("/tmp", -EISDIR, "Is a directory");
    assert_open_fails("/etc/passwd", -EEXIST, "holds something already, which is no recording");
    assert_replays(capture);
}

static void sink_is_not_held_up_by_a_fifo_in_the_place_of_its_file(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_error error;

    assert_int_equal(unlink(capture->path) || mkfifo(capture->path, 0600), 0);
    assert_int_equal(mrl_capture__sink()->reopen(capture->sink, &error), -ENXIO);
    assert_non_null(strstr(error.text, ": a FIFO that nobody reads"));
}

static void sink_makes_a_file_for_its_owner_and_group(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_sink *sink;
    struct stat file;
    mode_t old = umask(0);
    int err;

    unlink(capture->path);
    err = mrl_capture__sink()->open(&(struct mrl_sink_target){ .destination = capture->path }, NULL,
                                    &sink);
    umask(old);
    assert_int_equal(err, 0);
    assert_int_equal(stat(capture->path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0640);
    assert_int_equal(mrl_capture__sink()->close(sink), 0);
}

static void sink_leaves_a_file_without_events_empty(void **state)
{
    struct test_capture *capture = *state;
    struct mrl_sink *sink;

    test_capture__close(capture);
    assert_int_equal(size_of(capture->path), 0);
    assert_int_equal(mrl_capture__sink()->open(
                         &(struct mrl_sink_target){ .destination = capture->path }, NULL, &sink),
                     0);
    assert_int_equal(mrl_capture__sink()->close(sink), 0);
}

/* -- what is left out ------------------------------------------------------------------------- */

static void sink_says_host_and_containers_once(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "caller");
    test_capture__set_container(capture, record.target.cgroup_id, "target");
    for (int i = 0; i < 5; i++)
        test_capture__add(capture, &record);
    record.call.cgroup_id = 4711; /* in no container */
    test_capture__add(capture, &record);
    test_capture__close(capture);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_HOST), 1);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_CONTAINER), 2);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_RECORD), 6);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_END), 1);
    assert_replays(capture);
}

static void sink_says_names_once_for_each_cgroup(void **state)
{
    struct mrl_named named = { .result = MRL_NAMES_KNOWN,
                               .texts = { [MRL_NAME_POD] = { "pod", 3 } } };
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "caller");
    test_capture__set_container(capture, record.target.cgroup_id, "target");
    test_capture__add(capture, &record);
    mrl_containers__name(&capture->containers, record.call.cgroup_id, &named);
    for (int i = 0; i < 5; i++)
        test_capture__add(capture, &record);
    named.texts[MRL_NAME_POD].size = 2;
    mrl_containers__name(&capture->containers, record.call.cgroup_id, &named);
    for (int i = 0; i < 5; i++)
        test_capture__add(capture, &record);
    test_capture__close(capture);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_NAMES), 2);
    assert_replays(capture);
}

static void sink_says_again_what_has_changed(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;
    const char *ids[] = { "first", "", "second", "second" };

    test_record__init_full(&record);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        test_capture__set_container(capture, record.call.cgroup_id, ids[i]);
        test_capture__add(capture, &record);
    }
    capture->decoder.host.facts.boot_ns += 1000;
    capture->decoder.host.facts.page_bytes = 65536;
    test_capture__add(capture, &record);
    test_capture__close(capture);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_HOST), 2);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_CONTAINER), 4);
    assert_replays(capture);
}

static void sink_of_many_containers_remembers_a_bounded_number(void **state)
{
    enum { CONTAINERS = 3 * MRL_CONTAINERS_MAX };
    struct test_capture *capture = *state;
    struct test_record record;
    char id[16];

    test_record__init(&record, MRL_EVENT_MLOCK);
    for (unsigned int i = 1; i <= CONTAINERS; i++) {
        record.call.cgroup_id = i;
        snprintf(id, sizeof(id), "c%u", i);
        mrl_containers__clear(&capture->containers);
        test_capture__set_container(capture, i, id);
        test_capture__add(capture, &record);
    }
    test_capture__close(capture);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_CONTAINER), CONTAINERS);
    assert_in_range(count_frames(capture->path, MRL_FRAME_HOST), 3, 4);
    assert_replays(capture);
}

/* -- full disks ------------------------------------------------------------------------------- */

static void limit_files_to(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int lift_limit(void **state)
{
    limit_files_to(RLIM_INFINITY);
    return test_capture__tear_down(state);
}

/* At every place where the disk may be full, the file holds whole events, and goes on later. */
static void sink_takes_back_what_did_not_fit(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;
    off_t whole;

    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "caller");
    test_capture__add(capture, &record);
    whole = size_of(capture->path);
    record.call.cgroup_id = 4712; /* its container is told, and taken back */
    test_capture__set_container(capture, record.call.cgroup_id, "later");
    for (off_t room = 0; room < 200; room += 7) {
        limit_files_to((rlim_t)(whole + room));
        assert_int_equal(test_capture__try(capture, &record), -EFBIG);
        assert_int_equal(size_of(capture->path), whole);
    }
    limit_files_to(RLIM_INFINITY);
    test_capture__add(capture, &record);
    test_capture__close(capture);
    assert_replays(capture);
}

/* Host and containers that did not arrive were not said: what follows says them again, and the
 * header too. */
static void sink_says_all_again_after_a_first_write_that_failed(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;

    test_record__init_full(&record);
    test_capture__set_container(capture, record.call.cgroup_id, "caller");
    for (rlim_t room = 0; room < 200; room += 7) {
        limit_files_to(room);
        assert_int_equal(test_capture__try(capture, &record), -EFBIG);
        assert_int_equal(size_of(capture->path), 0);
    }
    limit_files_to(RLIM_INFINITY);
    test_capture__add(capture, &record);
    test_capture__close(capture);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_HOST), 1);
    assert_int_equal(count_frames(capture->path, MRL_FRAME_CONTAINER), 1);
    assert_replays(capture);
}

/* Whoever gave it up waits for its thread: not one write more. */
static void sink_that_is_given_up_writes_no_more(void **state)
{
    static const char frame[sizeof(struct mrl_frame_header)] = { MRL_FRAME_RECORD };
    struct test_capture *capture = *state;
    const int stop = 1;
    const struct mrl_chunk chunk = { frame, sizeof(frame), 1, &stop, NULL, NULL };
    size_t events = 4711;

    assert_int_equal(mrl_capture__sink()->write(capture->sink, &chunk, &events), -ECANCELED);
    assert_int_equal(events, 0);
    assert_int_equal(size_of(capture->path), 0);
}

/* Its reader has stopped: the last frame would wait for it, on the thread that ends all. */
static void sink_of_a_full_pipe_that_is_given_up_can_be_closed(void **state)
{
    static const char frame[sizeof(struct mrl_frame_header)] = { MRL_FRAME_RECORD };
    struct test_capture *capture = *state;
    const int stop = 1;
    const struct mrl_chunk chunk = { frame, sizeof(frame), 1, &stop, NULL, NULL };
    struct test_record record;
    size_t events;
    int both;

    test_capture__close(capture);
    both = test_pipe__new(capture->path);
    test_capture__open(capture);
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_capture__add(capture, &record);
    test_pipe__fill(both);
    assert_int_equal(mrl_capture__sink()->write(capture->sink, &chunk, &events), -ECANCELED);
    alarm(20);
    test_capture__close(capture);
    alarm(0);
    close(both);
}

/* Everything went in, and nothing more does. */
static void sink_of_a_pipe_that_is_full_at_its_end_can_be_closed(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;
    int both;

    test_capture__close(capture);
    both = test_pipe__new(capture->path);
    test_capture__open(capture);
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_capture__add(capture, &record);
    test_pipe__fill(both);
    alarm(20);
    assert_int_equal(mrl_capture__sink()->close(capture->sink), -EAGAIN);
    alarm(0);
    capture->sink = NULL;
    close(both);
}

/* A pipe takes nothing back: whoever reads it must not be told an end that is none. */
static void sink_of_a_pipe_that_broke_is_final(void **state)
{
    struct test_capture *capture = *state;
    struct test_record record;
    int reader;

    test_capture__close(capture);
    unlink(capture->path);
    assert_int_equal(mkfifo(capture->path, 0600), 0);
    reader = open(capture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    test_capture__open(capture);
    close(reader);
    test_record__init(&record, MRL_EVENT_MLOCK);
    assert_int_equal(test_capture__try(capture, &record), -EPIPE);
    test_capture__close(capture);
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_capture__set_up, test_capture__tear_down)
    const struct CMUnitTest tests[] = {
        test(sink_refuses_files_that_are_not_its_own),
        test(sink_is_not_held_up_by_a_fifo_in_the_place_of_its_file),
        test(sink_makes_a_file_for_its_owner_and_group),
        test(sink_leaves_a_file_without_events_empty),
        test(sink_says_host_and_containers_once),
        test(sink_says_names_once_for_each_cgroup),
        test(sink_says_again_what_has_changed),
        test(sink_of_many_containers_remembers_a_bounded_number),
        cmocka_unit_test_setup_teardown(sink_takes_back_what_did_not_fit, test_capture__set_up,
                                        lift_limit),
        cmocka_unit_test_setup_teardown(sink_says_all_again_after_a_first_write_that_failed,
                                        test_capture__set_up, lift_limit),
        test(sink_that_is_given_up_writes_no_more),
        test(sink_of_a_full_pipe_that_is_given_up_can_be_closed),
        test(sink_of_a_pipe_that_is_full_at_its_end_can_be_closed),
        test(sink_of_a_pipe_that_broke_is_final),
    };

    signal(SIGPIPE, SIG_IGN); /* as the program does: the error is what counts */
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests_name("sink capture", tests, NULL, NULL);
}
