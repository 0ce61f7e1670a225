// SPDX-License-Identifier: Apache-2.0
/* What the sink "kafka" has on its way between two deliveries, and what it sends in advance. */
#include "base/clock.h"
#include "side/kafka/window.h"
#include "unit/kafka_broker.h"
#include "unit/unit.h"

/* What is on its way stays so over deliveries, and is there once. */
static void an_outage_is_told_and_doubles_nothing(void **state)
{
    (void)state;
    broker__deliver(0, 1);
    rd_kafka_mock_broker_set_down(broker.cluster, 1);
    broker__deliver(1, BROKER_ITEMS - 1);
    broker__assert_all_are(BROKER_ITEMS - 1, MRL_VERDICT_AGAIN);
    assert_string_not_equal(broker.delivery.reasons[0].text, "");
    broker__deliver(1, BROKER_ITEMS - 1);
    broker__assert_all_are(BROKER_ITEMS - 1, MRL_VERDICT_AGAIN);
    rd_kafka_mock_broker_set_up(broker.cluster, 1);
    for (unsigned int i = 0; i < 20 && broker.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        broker__deliver(1, BROKER_ITEMS - 1);
    broker__assert_all_are(BROKER_ITEMS - 1, MRL_VERDICT_TAKEN);
    assert_int_equal(broker__kept(), BROKER_ITEMS);
}

/* How many the topic holds in the end, where it should be so many. */
static void assert_kept(int64_t count)
{
    int64_t found = broker__kept();

    for (unsigned int i = 0; i < 50 && found < count; i++) {
        mrl_clock__pause_ms(20);
        found = broker__kept();
    }
    assert_int_equal(found, count);
}

static void what_comes_next_is_sent_in_advance_and_once(void **state)
{
    const int64_t begun_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)state;
    broker__deliver_before(0, 1, 2);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    /* It did not wait for a silence, which has 10 s. */
    assert_in_range((mrl_clock__ns(CLOCK_MONOTONIC) - begun_ns) / 1000000, 0, 8000);
    assert_kept(3);
    broker__deliver_before(1, 1, 2); /* a part of it, and one more behind */
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    broker__deliver(2, 2);
    broker__assert_all_are(2, MRL_VERDICT_TAKEN);
    assert_kept(BROKER_ITEMS);
}

static void what_was_sent_in_advance_survives_an_outage_once(void **state)
{
    (void)state;
    broker__deliver(0, 1);
    rd_kafka_mock_broker_set_down(broker.cluster, 1);
    broker__deliver_before(1, 1, 1);
    broker__assert_all_are(1, MRL_VERDICT_AGAIN);
    rd_kafka_mock_broker_set_up(broker.cluster, 1);
    for (unsigned int i = 0; i < 20 && broker.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        broker__deliver(1,
                        BROKER_ITEMS - 1); /* what was there, what was in advance, and a new one */
    broker__assert_all_are(BROKER_ITEMS - 1, MRL_VERDICT_TAKEN);
    assert_kept(BROKER_ITEMS);
}

/* One that was refused comes again: those behind it are known still. */
static void what_was_sent_in_advance_is_known_behind_others(void **state)
{
    const struct mrl_item again = broker.items[0];

    (void)state;
    broker__deliver_before(0, 1, 2);
    broker.items[0].head.number = BROKER_ITEMS; /* one that the sink never saw */
    broker__deliver(0, 3);
    broker.items[0] = again;
    broker__assert_all_are(3, MRL_VERDICT_TAKEN);
    assert_kept(BROKER_ITEMS);
}

/* A broker refuses a batch, not the one in it that spoils it: those that were in advance and shared
 * it are tried again, alone. */
static void what_shared_a_batch_with_others_is_not_refused_for_them(void **state)
{
    (void)state;
    rd_kafka_mock_push_request_errors(broker.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    broker__deliver_before(0, 2, 1);
    broker__assert_all_are(2, MRL_VERDICT_AGAIN);
    assert_true(broker.delivery.halve);
    broker__deliver(0, 1);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    broker__deliver(1, 1);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    broker__deliver(2, 1);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    assert_kept(3);
}

static void one_item_is_not_refused_for_what_comes_next(void **state)
{
    (void)state;
    rd_kafka_mock_push_request_errors(broker.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    broker__deliver_before(0, 1, 2);
    broker__assert_all_are(1, MRL_VERDICT_AGAIN);
    assert_false(broker.delivery.halve); /* alone, it would be refused for that */
    broker__deliver(0, 1);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    broker__deliver(1, 2);
    broker__assert_all_are(2, MRL_VERDICT_TAKEN);
    assert_kept(3);
}

/* What has its answer is not sent again when the producer is another one. */
static void what_was_taken_in_advance_outlives_its_producer(void **state)
{
    (void)state;
    broker__deliver_before(0, 1, 2);
    broker__assert_all_are(1, MRL_VERDICT_TAKEN);
    assert_kept(3);
    rd_kafka_mock_push_request_errors(broker.cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    broker__deliver(3, 1);
    broker__assert_all_are(1, MRL_VERDICT_MISCONFIGURED);
    broker__deliver(1, 3);
    broker__assert_all_are(3, MRL_VERDICT_TAKEN);
    assert_kept(BROKER_ITEMS);
}

/* The caller's contract is kept by another one: what is not known any more is given up. */
static void other_items_do_not_take_the_place_of_those_on_their_way(void **state)
{
    (void)state;
    broker__deliver(0, 1);
    rd_kafka_mock_broker_set_down(broker.cluster, 1);
    broker__deliver(1, 1);
    rd_kafka_mock_broker_set_up(broker.cluster, 1);
    for (unsigned int i = 0; i < 20 && broker.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        broker__deliver(2, 2);
    broker__assert_all_are(2, MRL_VERDICT_TAKEN);
}

/* As one that is too large: of those in advance there may be many in the life of a producer. */
static void what_is_not_taken_in_advance_leaves_its_place(void **state)
{
    static const char bytes[2 << 20];
    static struct mrl_kafka_window window;
    const struct mrl_item item = { .bytes = bytes, .size = sizeof(bytes) };
    const struct mrl_items items = { .ahead = &item, .ahead_count = 1 };
    struct mrl_producer producer = { .kafka = broker.host };
    const struct mrl_kafka_way way = { &producer, "" };

    (void)state;
    producer.topic = rd_kafka_topic_new(broker.host, "t", NULL);
    assert_non_null(producer.topic);
    mrl_kafka_window__restart(&window);
    mrl_kafka_window__put_ahead(&window, &way, &items);
    assert_int_equal(window.ahead_count, 0);
    assert_int_equal(window.unused_count, MRL_KAFKA_MESSAGES);
    rd_kafka_topic_destroy(producer.topic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_outage_is_told_and_doubles_nothing, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test_setup_teardown(what_comes_next_is_sent_in_advance_and_once, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_in_advance_survives_an_outage_once,
                                        broker__set_up, broker__tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_in_advance_is_known_behind_others,
                                        broker__set_up, broker__tear_down),
        cmocka_unit_test_setup_teardown(what_shared_a_batch_with_others_is_not_refused_for_them,
                                        broker__set_up, broker__tear_down),
        cmocka_unit_test_setup_teardown(one_item_is_not_refused_for_what_comes_next, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test_setup_teardown(what_was_taken_in_advance_outlives_its_producer,
                                        broker__set_up, broker__tear_down),
        cmocka_unit_test_setup_teardown(other_items_do_not_take_the_place_of_those_on_their_way,
                                        broker__set_up, broker__tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_taken_in_advance_leaves_its_place,
                                        broker__set_up, broker__tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
