// SPDX-License-Identifier: Apache-2.0
/* Captures for tests, and what their replay yields. */
#include "unit/captures.h"

#include <errno.h>
#include <mrelease/encode.h>
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/lost.h"
#include "event/state.h"
#include "unit/unit.h"

static char text[MRL_EVENT_TEXT_MAX];

static void note_line(struct test_lines *lines,
                      struct mrl_encoder *json,
                      const struct mrl_event *event)
{
    ssize_t size = mrl_encoder__put(json, event, text, sizeof(text));

    assert_true(size > 0);
    lines->count++;
    if (lines->size + (size_t)size > sizeof(lines->text))
        return;
    memcpy(lines->text + lines->size, text, (size_t)size);
    lines->size += (size_t)size;
}

/* Lines that say all that a capture keeps beside the records. */
static struct mrl_encoder *line_encoder(void)
{
    struct mrl_encoder_options options = { .extras = 0 };
    struct mrl_encoder *encoder;

    assert_int_equal(mrl_extras__parse("container,names", &options.extras, NULL), 0);
    assert_int_equal(mrl_encoder__new("json", &options, NULL, &encoder), 0);
    return encoder;
}

/* -- writing ---------------------------------------------------------------------------------- */

void test_capture__open(struct test_capture *capture)
{
    struct mrl_text header = mrl_encoder__preamble(capture->frames);
    struct mrl_chunk chunk = { header.bytes, header.size, 0, NULL, NULL, NULL };
    size_t events;

    assert_int_equal(
        mrl_capture__sink()->open(&(struct mrl_sink_target){ .destination = capture->path }, NULL,
                                  &capture->sink),
        0);
    assert_int_equal(mrl_capture__sink()->write(capture->sink, &chunk, &events), 0);
}

int test_capture__set_up(void **state)
{
    struct test_capture *capture = calloc(1, sizeof(*capture));
    int fd;

    assert_non_null(capture);
    *state = capture;
    test_decoder__init(&capture->decoder);
    capture->decoder.host.container = mrl_containers__find;
    capture->decoder.host.containers = &capture->containers;
    assert_int_equal(mrl_encoder__new("capture", NULL, NULL, &capture->frames), 0);
    capture->json = line_encoder();
    snprintf(capture->path, sizeof(capture->path), "/tmp/mrelease-test-XXXXXX");
    fd = mkstemp(capture->path);
    assert_true(fd >= 0);
    close(fd);
    test_capture__open(capture);
    return 0;
}

int test_capture__tear_down(void **state)
{
    struct test_capture *capture = *state;

    if (capture->sink)
        mrl_capture__sink()->close(capture->sink);
    unlink(capture->path);
    mrl_encoder__free(capture->frames);
    mrl_encoder__free(capture->json);
    mrl_containers__clear(&capture->containers);
    test_decoder__done(&capture->decoder);
    free(capture);
    return 0;
}

void test_capture__set_container(struct test_capture *capture, uint64_t cgroup, const char *id)
{
    assert_true(mrl_containers__put(&capture->containers, cgroup,
                                    (struct mrl_text){ id, strlen(id) }) >= 0);
}

void test_capture__qualify(struct test_capture *capture,
                           uint64_t cgroup,
                           enum mrl_lookup lookup,
                           bool confirmed)
{
    assert_true(mrl_containers__qualify(&capture->containers, cgroup, lookup, confirmed) >= 0);
}

static int write_event(struct test_capture *capture, const struct mrl_event *event)
{
    ssize_t size = mrl_encoder__put(capture->frames, event, text, sizeof(text));
    struct mrl_chunk chunk = { text, (size_t)size, 1, NULL, NULL, NULL };
    size_t events = 4711;
    int err = mrl_capture__sink()->write(capture->sink, &chunk, &events);

    assert_true(size > 0);
    assert_true(!err || !events);
    return err;
}

/* The decoder's batch holds one event at a time. */
static const struct mrl_event *decode(struct test_capture *capture,
                                      const struct test_record *record)
{
    const struct mrl_event *event;

    mrl_batch__unref(capture->decoder.batch);
    capture->decoder.batch = mrl_pool__get(capture->decoder.pool);
    event = test_decoder__event(&capture->decoder, record);
    if (event->policies)
        mrl_batch__match(capture->decoder.batch, capture->policies, event->policies);
    return event;
}

int test_capture__try(struct test_capture *capture, const struct test_record *record)
{
    return write_event(capture, decode(capture, record));
}

void test_capture__add(struct test_capture *capture, const struct test_record *record)
{
    const struct mrl_event *event = decode(capture, record);

    assert_int_equal(write_event(capture, event), 0);
    note_line(&capture->lines, capture->json, event);
}

void test_capture__add_lost(struct test_capture *capture, unsigned int event, const char *cause)
{
    const struct mrl_lost lost = { .event = mrl_event_def__at(event),
                                   .count = 12,
                                   .cause = mrl_cause__find(cause, strlen(cause)),
                                   .from_ns = TEST_ENTRY_NS,
                                   .to_ns = TEST_ENTRY_NS + 5 };
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event made;

    mrl_lost__event(&lost, values, &made);
    assert_int_equal(write_event(capture, &made), 0);
    note_line(&capture->lines, capture->json, &made);
}

void test_capture__add_state(struct test_capture *capture, enum mrl_what what)
{
    const struct mrl_state state = {
        .what = what,
        .detail = { "run=0-0; x=y", 12 },
        .by_uid = 1000,
        .by_pid = -1,
        .events_so_far = 12,
        .from_ns = TEST_ENTRY_NS,
        .to_ns = TEST_ENTRY_NS + 5,
        .time_ns = TEST_ENTRY_NS,
    };
    struct mrl_value values[MRL_SENSOR_STATE_FIELDS];
    struct mrl_event made;

    mrl_state__event(&state, values, &made);
    assert_int_equal(write_event(capture, &made), 0);
    note_line(&capture->lines, capture->json, &made);
}

void test_capture__close(struct test_capture *capture)
{
    assert_int_equal(mrl_capture__sink()->close(capture->sink), 0);
    capture->sink = NULL;
}

void test_capture__fill(struct test_capture *capture)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    test_capture__set_container(capture, record.call.cgroup_id, "6d6f62792d6475636b");
    test_capture__add(capture, &record);
    test_capture__add_lost(capture, MRL_EVENT_MLOCK, "queue_full");
    test_record__init_full(&record);
    test_capture__set_container(capture, record.target.cgroup_id, "636f6e7461696e6572");
    test_capture__add(capture, &record);
    test_capture__close(capture);
}

/* -- replaying -------------------------------------------------------------------------------- */

static void note_warning(void *context, enum mrl_log_level level, const char *line)
{
    struct test_replay *replay = context;

    assert_int_equal(level, MRL_LOG_WARNING);
    replay->logged++;
    snprintf(replay->text, sizeof(replay->text), "%s", line);
}

static void replay_all(struct test_replay *replay, struct mrl_plugin *plugin)
{
    struct mrl_encoder *json;
    struct mrl_batch *batch;
    int count;

    json = line_encoder();
    while ((count = mrl_plugin__next_batch(plugin, 1000, &batch)) >= 0) {
        for (int i = 0; i < count; i++)
            note_line(&replay->lines, json, mrl_batch__at(batch, (size_t)i));
        if (count)
            mrl_batch__unref(batch);
    }
    mrl_encoder__free(json);
    replay->ended = count;
    if (count != -ENODATA)
        snprintf(replay->text, sizeof(replay->text), "%s", mrl_plugin__error(plugin));
    assert_int_equal(mrl_plugin__next_batch(plugin, 0, &batch), count);
}

void test_replay__run(struct test_replay *replay, const char *path, const char *events)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_plugin *plugin;
    struct mrl_error error = { "" };

    memset(replay, 0, offsetof(struct test_replay, lines.text));
    options.replay = path;
    options.events = events;
    options.log = note_warning;
    options.log_context = replay;
    replay->opened = mrl_plugin__open(&options, &error, &plugin);
    if (replay->opened) {
        snprintf(replay->text, sizeof(replay->text), "%s", error.text);
        return;
    }
    replay_all(replay, plugin);
    mrl_plugin__close(plugin);
}
