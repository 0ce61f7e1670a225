// SPDX-License-Identifier: Apache-2.0
/* The event that tells of a gap, and the names of causes. */
#include <string.h>

#include "event/capture_format.h"
#include "event/lost.h"
#include "unit/unit.h"

static struct mrl_lost gap_of(enum mrl_cause cause)
{
    return (struct mrl_lost){ .event = mrl_event_def__at(MRL_EVENT_MLOCK),
                              .count = 12,
                              .cause = cause,
                              .from_ns = 1000,
                              .to_ns = 5000 };
}

static void an_event_carries_its_gap(void **state)
{
    struct mrl_lost lost = gap_of(MRL_CAUSE_EXIT_MISSED);
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event event;

    (void)state;
    mrl_lost__event(&lost, values, &event);
    assert_ptr_equal(event.lost, &lost);
    assert_int_equal(event.def->index, MRL_EVENT_EVENTS_LOST);
    assert_int_equal(event.entry_ns, 5000);
}

static void every_cause_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < MRL_CAUSE_COUNT; i++) {
        struct mrl_text name = mrl_cause__name((enum mrl_cause)i);

        assert_int_equal(mrl_cause__find(name.bytes, name.size), i);
        assert_int_equal(mrl_cause__find(name.bytes, name.size + 1), i); /* with its NUL */
        assert_int_equal(mrl_cause__find(name.bytes, name.size - 1), MRL_CAUSE_COUNT);
    }
    assert_int_equal(mrl_cause__find("somebody", 8), MRL_CAUSE_COUNT);
    assert_int_equal(mrl_cause__find("", 0), MRL_CAUSE_COUNT);
}

static void a_frame_says_what_the_gap_says(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < MRL_CAUSE_COUNT; i++) {
        struct mrl_lost lost = gap_of((enum mrl_cause)i), back = { .count = 0 };
        struct mrl_frame_lost frame;

        assert_int_equal(mrl_frame_lost__put(&lost, &frame), MRL_FRAME_LOST_BYTES);
        assert_int_equal(mrl_frame_lost__read(&frame, MRL_FRAME_LOST_BYTES, &back), 0);
        assert_memory_equal(&back, &lost, sizeof(lost));
        lost.by = (struct mrl_blame){ true, 7, { 0, 8, "flood" } };
        assert_int_equal(mrl_frame_lost__put(&lost, &frame), sizeof(frame));
        assert_int_equal(mrl_frame_lost__read(&frame, sizeof(frame), &back), 0);
        assert_memory_equal(&back, &lost, sizeof(lost));
        assert_true(mrl_frame_lost__read(&frame, sizeof(frame) - 8, &back) < 0);
    }
}

static void a_frame_that_nobody_would_write_is_refused(void **state)
{
    struct mrl_lost lost = gap_of(MRL_CAUSE_RING_FULL), back = { .count = 7 };
    struct mrl_frame_lost frames[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        mrl_frame_lost__put(&lost, &frames[i]);
    frames[0].count = 0;
    frames[1].event = MRL_EVENT_COUNT;
    memcpy(frames[2].cause, "somebody", sizeof("somebody"));
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        assert_true(mrl_frame_lost__read(&frames[i], MRL_FRAME_LOST_BYTES, &back) < 0);
    assert_int_equal(back.count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_carries_its_gap),
        cmocka_unit_test(every_cause_has_a_name_of_its_own),
        cmocka_unit_test(a_frame_says_what_the_gap_says),
        cmocka_unit_test(a_frame_that_nobody_would_write_is_refused),
    };

    return cmocka_run_group_tests_name("lost", tests, NULL, NULL);
}
