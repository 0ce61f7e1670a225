// SPDX-License-Identifier: Apache-2.0
/* What the plugin says of itself, when, and what becomes of it as an event and as bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/states.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { SECOND = 1000 * 1000 * 1000 };

struct fixture {
    struct test_decoder decoder;
    struct mrl_states states;
    unsigned int logged;
    char line[512]; /* the last of the log */
};

static void log_line(void *context, enum mrl_log_level level, const char *text)
{
    struct fixture *fixture = context;

    assert_int_equal(level, MRL_LOG_DEBUG);
    fixture->logged++;
    snprintf(fixture->line, sizeof(fixture->line), "%s", text);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    test_decoder__init(&fixture->decoder);
    mrl_states__init(&fixture->states, &(struct mrl_states_log){ log_line, fixture });
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    mrl_states__done(&fixture->states);
    test_decoder__done(&fixture->decoder);
    free(fixture);
    return 0;
}

static int tell(struct fixture *fixture, enum mrl_what what, const char *detail)
{
    const struct mrl_state state = { .what = what,
                                     .detail = { detail, strlen(detail) },
                                     .by_uid = 1000,
                                     .by_pid = 7,
                                     .from_ns = 5,
                                     .to_ns = 6 };

    return mrl_states__tell(&fixture->states, &state);
}

/* The words of what is said at a time, in their order. */
static const char *said(struct fixture *fixture, int64_t now_ns)
{
    static char words[256];
    struct mrl_batch *batch = fixture->decoder.batch;
    size_t used = 0;
    int count;

    batch->count = 0;
    batch->arena.used = 0;
    count = mrl_states__take(&fixture->states, now_ns, batch);
    assert_int_equal(count, batch->count);
    *words = '\0';
    for (size_t i = 0; i < batch->count; i++)
        used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%.*s", used ? " " : "",
                                 (int)batch->events[i].values[0].text.size,
                                 batch->events[i].values[0].text.bytes);
    return words;
}

static const char *detail_of(const struct mrl_event *event)
{
    static char text[MRL_STATE_DETAIL_MAX + 1];
    struct mrl_text detail = test_value(event, "detail")->text;

    snprintf(text, sizeof(text), "%.*s", (int)detail.size, detail.bytes);
    return text;
}

/* -- when ------------------------------------------------------------------------------------- */

static void a_run_says_that_it_starts_is_alive_and_stops(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_batch *batch = fixture->decoder.batch;

    assert_string_equal(said(fixture, SECOND), ""); /* nothing is attached yet */
    mrl_states__start(&fixture->states, true, "version=1");
    assert_string_equal(said(fixture, SECOND), "started");
    assert_string_equal(said(fixture, SECOND + MRL_ALIVE_NS - 1), "");
    assert_string_equal(said(fixture, SECOND + MRL_ALIVE_NS), "alive");
    assert_string_equal(said(fixture, 2 * SECOND + MRL_ALIVE_NS), "");
    assert_string_equal(said(fixture, SECOND + 2 * MRL_ALIVE_NS), "alive");
    batch->count = 0;
    assert_int_equal(mrl_states__stop(&fixture->states, batch), 1);
    assert_string_equal(mrl_what_name(batch->events[0].state->what), "stopped");
    assert_int_equal(mrl_states__stop(&fixture->states, batch), 0);
    assert_string_equal(said(fixture, SECOND + 9 * MRL_ALIVE_NS), "");
}

static void a_reader_waits_no_longer_than_to_the_next_alive(void **state)
{
    static const struct {
        int64_t now_ns;
        int timeout_ms, wanted_ms;
    } cases[] = {
        { SECOND, -1, 60000 },
        { SECOND, 60001, 60000 },
        { SECOND, 59999, 59999 },
        { SECOND + MRL_ALIVE_NS - 1, -1, 1 }, /* rounded up, or it would be woken too early */
        { SECOND + MRL_ALIVE_NS, -1, 0 },
        { 9 * MRL_ALIVE_NS, 5, 0 },
        { SECOND, 0, 0 },
    };
    struct fixture *fixture = *state;

    mrl_states__start(&fixture->states, true, "");
    said(fixture, SECOND);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(
            mrl_states__wait_ms(&fixture->states, cases[i].now_ns, cases[i].timeout_ms),
            cases[i].wanted_ms);
    mrl_states__stop(&fixture->states, fixture->decoder.batch);
    assert_int_equal(mrl_states__wait_ms(&fixture->states, SECOND, -1), -1);
}

/* -- what ------------------------------------------------------------------------------------- */

static void every_state_names_the_run(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_batch *batch = fixture->decoder.batch;
    char wanted[256];

    mrl_states__start(&fixture->states, true, "version=1; rung=tp_btf");
    assert_int_equal(strlen(fixture->states.run), 33);
    assert_int_equal(strspn(fixture->states.run, "0123456789abcdef"), 16);
    assert_int_equal(fixture->states.run[16], '-');
    assert_int_equal(strspn(fixture->states.run + 17, "0123456789abcdef"), 16);
    said(fixture, SECOND);
    snprintf(wanted, sizeof(wanted), "run=%s; version=1; rung=tp_btf", fixture->states.run);
    assert_string_equal(detail_of(&batch->events[0]), wanted);
    said(fixture, SECOND + MRL_ALIVE_NS);
    snprintf(wanted, sizeof(wanted), "run=%s", fixture->states.run);
    assert_string_equal(detail_of(&batch->events[0]), wanted);
}

static void events_are_counted_as_they_are_handed_out(void **state)
{
    struct fixture *fixture = *state;
    struct mrl_batch *batch = fixture->decoder.batch;
    struct test_record record;

    mrl_states__start(&fixture->states, true, "");
    said(fixture, SECOND);
    mrl_states__count(&fixture->states, batch); /* `started` is none */
    batch->count = 0;
    test_record__init(&record, MRL_EVENT_MLOCK);
    test_decoder__event(&fixture->decoder, &record);
    test_decoder__event(&fixture->decoder, &record);
    mrl_states__count(&fixture->states, batch);
    said(fixture, SECOND + MRL_ALIVE_NS);
    assert_int_equal(test_value(&batch->events[0], "events_so_far")->unsigned_number, 2);
}

static void what_is_told_is_said_in_its_order_and_logged(void **state)
{
    struct fixture *fixture = *state;
    const struct mrl_event *event = &fixture->decoder.batch->events[0];

    mrl_states__start(&fixture->states, true, "");
    said(fixture, SECOND);
    assert_int_equal(tell(fixture, MRL_WHAT_EVENT_DISABLED, "event=mlock"), 0);
    assert_int_equal(tell(fixture, MRL_WHAT_RELOADED, ""), 0);
    assert_string_equal(said(fixture, SECOND), "event_disabled reloaded");
    assert_int_equal(fixture->logged, 2);
    assert_string_equal(fixture->line, "reloaded, by uid 1000, pid 7");
    assert_non_null(strstr(detail_of(event), "; event=mlock"));
    assert_int_equal(test_value(event, "by_uid")->number, 1000);
    assert_int_equal(test_value(event, "by_pid")->number, 7);
    assert_int_equal(test_value(event, "from_ns")->unsigned_number, 5);
    assert_int_equal(test_value(event, "to_ns")->unsigned_number, 6);
    assert_in_range(event->entry_ns, TEST_START_NS, UINT64_MAX);
    assert_string_equal(said(fixture, SECOND), "");
}

static void who_and_when_are_absent_where_they_are_nobody_and_no_interval(void **state)
{
    static const char *const names[] = { "by_uid", "by_pid", "from_ns", "to_ns" };
    struct fixture *fixture = *state;

    mrl_states__start(&fixture->states, true, "");
    said(fixture, SECOND);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(test_value(&fixture->decoder.batch->events[0], names[i])->absent);
}

static void as_many_wait_as_there_is_room_for(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(tell(fixture, MRL_WHAT_BLIND, ""), 0); /* of a replay: nothing */
    assert_int_equal(fixture->states.told_count, 0);
    mrl_states__start(&fixture->states, true, "");
    for (int i = 0; i < MRL_TOLD_MAX; i++)
        assert_int_equal(tell(fixture, MRL_WHAT_BLIND, ""), 0);
    assert_int_equal(tell(fixture, MRL_WHAT_BLIND, ""), -EAGAIN);
    said(fixture, SECOND);
    assert_int_equal(fixture->decoder.batch->count, 1 + MRL_TOLD_MAX);
    assert_int_equal(tell(fixture, MRL_WHAT_BLIND, ""), 0);
}

static void where_no_batch_wants_it_the_log_has_it(void **state)
{
    struct fixture *fixture = *state;

    mrl_states__start(&fixture->states, false, "version=1");
    assert_int_equal(tell(fixture, MRL_WHAT_RELOADED, "outputs=2"), 0);
    assert_string_equal(said(fixture, SECOND), "");
    assert_string_equal(fixture->line, "reloaded: outputs=2, by uid 1000, pid 7");
    assert_int_equal(mrl_states__wait_ms(&fixture->states, SECOND, -1), -1);
    assert_int_equal(mrl_states__stop(&fixture->states, fixture->decoder.batch), 0);
    assert_int_equal(fixture->logged, 1);
}

/* -- as bytes --------------------------------------------------------------------------------- */

static const struct mrl_state sample = {
    .what = MRL_WHAT_EVENT_DISABLED, /* a long word */
    .detail = { "run=x; y", 8 },
    .by_uid = UINT32_MAX,
    .by_pid = MRL_NOBODY,
    .events_so_far = UINT64_MAX,
    .from_ns = 1,
    .to_ns = 2,
    .time_ns = 3,
};

static void a_packed_state_is_the_same_again(void **state)
{
    char bytes[MRL_PACKED_STATE_MAX];
    struct mrl_state back;
    size_t size = mrl_state__pack(&sample, bytes);

    (void)state;
    for (unsigned int what = 0; mrl_what_name(what); what++)
        assert_in_range(strlen(mrl_what_name(what)), 1, MRL_STATE_WORD_BYTES);
    assert_int_equal(mrl_state__unpack(bytes, size, &back), 0);
    assert_int_equal(back.detail.size, sample.detail.size);
    assert_memory_equal(back.detail.bytes, sample.detail.bytes, sample.detail.size);
    assert_int_equal(back.what, sample.what);
    assert_int_equal(back.by_uid, sample.by_uid);
    assert_int_equal(back.by_pid, sample.by_pid);
    assert_int_equal(back.events_so_far, sample.events_so_far);
    assert_int_equal(back.from_ns, sample.from_ns);
    assert_int_equal(back.to_ns, sample.to_ns);
    assert_int_equal(back.time_ns, sample.time_ns);
}

static void bytes_that_nobody_would_write_are_refused(void **state)
{
    char bytes[MRL_PACKED_STATE_MAX + 1] = "";
    struct mrl_packed_state packed;
    struct mrl_state back;

    (void)state;
    mrl_state__pack(&sample, bytes);
    assert_int_equal(mrl_state__unpack(bytes, sizeof(packed) - 1, &back), -EBADMSG);
    assert_int_equal(mrl_state__unpack(bytes, sizeof(bytes), &back), -EBADMSG);
    assert_int_equal(mrl_state__unpack(bytes, sizeof(packed), &back), 0);
    memcpy(&packed, bytes, sizeof(packed));
    packed.what[0] = 'E';
    assert_int_equal(mrl_state__unpack(&packed, sizeof(packed), &back), -EBADMSG);
    memcpy(&packed, bytes, sizeof(packed));
    packed.by_uid = UINT32_MAX + INT64_C(1);
    assert_int_equal(mrl_state__unpack(&packed, sizeof(packed), &back), -EBADMSG);
    memcpy(&packed, bytes, sizeof(packed));
    packed.by_pid = -2;
    assert_int_equal(mrl_state__unpack(&packed, sizeof(packed), &back), -EBADMSG);
}

static void a_detail_that_is_too_long_is_cut(void **state)
{
    char detail[MRL_STATE_DETAIL_MAX], more[2 * MRL_STATE_DETAIL_MAX];

    (void)state;
    memset(more, 'x', sizeof(more));
    more[sizeof(more) - 1] = '\0';
    assert_int_equal(mrl_state__put_detail("r", more, detail), MRL_STATE_DETAIL_MAX - 1);
    assert_int_equal(mrl_state__put_detail("r", "", detail), 5);
    assert_string_equal(detail, "run=r");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(a_run_says_that_it_starts_is_alive_and_stops),
        test(a_reader_waits_no_longer_than_to_the_next_alive),
        test(every_state_names_the_run),
        test(events_are_counted_as_they_are_handed_out),
        test(what_is_told_is_said_in_its_order_and_logged),
        test(who_and_when_are_absent_where_they_are_nobody_and_no_interval),
        test(as_many_wait_as_there_is_room_for),
        test(where_no_batch_wants_it_the_log_has_it),
        cmocka_unit_test(a_packed_state_is_the_same_again),
        cmocka_unit_test(bytes_that_nobody_would_write_are_refused),
        cmocka_unit_test(a_detail_that_is_too_long_is_cut),
    };

    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
