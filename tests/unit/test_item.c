// SPDX-License-Identifier: Apache-2.0
/* Ids of events and items, and verdicts. */
#include <mrelease/item.h>
#include <mrelease/sink.h>
#include <string.h>

#include "event/raw.h"
#include "unit/unit.h"

static struct mrl_event event_of(unsigned int index)
{
    return (struct mrl_event){ .def = mrl_event_def__at(index),
                               .run = "e30b2f15c2934355-00018f3a2b1c0d42",
                               .seq = 42,
                               .cpu = 3,
                               .lane = (uint16_t)mrl_event_def__at(index)->lane,
                               .output = 7 };
}

static void assert_id(struct mrl_event event, const char *id)
{
    char text[MRL_EVENT_ID_BYTES];

    assert_int_equal(mrl_event__id(&event, text), strlen(id));
    assert_string_equal(text, id);
}

static void an_id_says_run_series_source_and_number(void **state)
{
    (void)state;
    assert_id(event_of(MRL_EVENT_PROCESS_MRELEASE), "e30b2f15c2934355-00018f3a2b1c0d42-0.3.42");
    assert_id(event_of(MRL_EVENT_MLOCK), "e30b2f15c2934355-00018f3a2b1c0d42-1.3.42");
    assert_id(event_of(MRL_EVENT_EVENTS_LOST), "e30b2f15c2934355-00018f3a2b1c0d42-L.7.42");
    assert_id(event_of(MRL_EVENT_SENSOR_STATE), "e30b2f15c2934355-00018f3a2b1c0d42-S.7.42");
}

static void without_a_run_there_is_no_id(void **state)
{
    struct mrl_event event = event_of(MRL_EVENT_MLOCK);

    (void)state;
    event.run = "";
    assert_id(event, "");
}

static void reasons_are_kept_once_and_are_bounded(void **state)
{
    struct mrl_judged judged[20] = { { 0, 0 } };
    struct mrl_delivery delivery = { .judged = judged };

    (void)state;
    mrl_delivery__judge_all(&delivery, 0, 20, MRL_VERDICT_TAKEN, NULL);
    assert_int_equal(judged[19].verdict, MRL_VERDICT_TAKEN);
    assert_int_equal(judged[19].reason, 0);
    for (size_t i = 0; i < 20; i++)
        mrl_delivery__judge(&delivery, i, MRL_VERDICT_REFUSED, "no\x1b[%d", (int)(i / 2));
    assert_int_equal(delivery.reason_count, MRL_REASONS_MAX);
    assert_int_equal(judged[1].reason, 1);
    assert_int_equal(judged[3].reason, 2);
    assert_int_equal(judged[19].reason, MRL_REASONS_MAX);
    assert_null(strchr(delivery.reasons[0].text, '\x1b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_says_run_series_source_and_number),
        cmocka_unit_test(without_a_run_there_is_no_id),
        cmocka_unit_test(reasons_are_kept_once_and_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
