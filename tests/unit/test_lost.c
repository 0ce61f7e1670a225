// SPDX-License-Identifier: Apache-2.0
/* The event that tells of a gap: made, and read back. */
#include <string.h>

#include "event/lost.h"
#include "unit/unit.h"

static const struct mrl_lost twelve = { NULL, 12, { "queue_full", 10 }, 1000, 5000 };

static void make(const struct mrl_lost *like,
                 const char *cause,
                 struct mrl_value values[MRL_LOST_FIELDS],
                 struct mrl_event *ret_event)
{
    struct mrl_lost lost = *like;

    lost.event = mrl_event_def__at(MRL_EVENT_MLOCK);
    lost.cause = (struct mrl_text){ cause, strlen(cause) };
    mrl_lost__event(&lost, values, ret_event);
}

static void a_gap_is_read_as_it_was_told(void **state)
{
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event event;

    (void)state;
    for (unsigned int i = 0; i < MRL_CAUSE_COUNT; i++) {
        struct mrl_lost lost = { .count = 0 };
        enum mrl_cause cause;

        make(&twelve, mrl_cause__name((enum mrl_cause)i).bytes, values, &event);
        assert_true(mrl_lost__read(&event, &lost, &cause));
        assert_int_equal(cause, i);
        assert_ptr_equal(lost.event, mrl_event_def__at(MRL_EVENT_MLOCK));
        assert_int_equal(lost.count, 12);
        assert_int_equal(lost.from_ns, 1000);
        assert_int_equal(lost.to_ns, 5000);
    }
}

static void what_tells_of_no_gap_is_not_read_as_one(void **state)
{
    struct mrl_lost none = twelve, lost;
    struct mrl_value values[MRL_LOST_FIELDS];
    struct mrl_event event;
    enum mrl_cause cause;

    (void)state;
    make(&twelve, "somebody", values, &event);
    assert_false(mrl_lost__read(&event, &lost, &cause));
    none.count = 0;
    make(&none, "queue_full", values, &event);
    assert_false(mrl_lost__read(&event, &lost, &cause));
    make(&twelve, "queue_full", values, &event);
    values[0].text = (struct mrl_text){ "mloc", 4 };
    assert_false(mrl_lost__read(&event, &lost, &cause));
    values[0].absent = true;
    assert_false(mrl_lost__read(&event, &lost, &cause));
    make(&twelve, "queue_full", values, &event);
    event.def = mrl_event_def__at(MRL_EVENT_MLOCK);
    assert_false(mrl_lost__read(&event, &lost, &cause));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_read_as_it_was_told),
        cmocka_unit_test(what_tells_of_no_gap_is_not_read_as_one),
    };

    return cmocka_run_group_tests_name("lost", tests, NULL, NULL);
}
