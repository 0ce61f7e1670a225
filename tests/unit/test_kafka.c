// SPDX-License-Identifier: Apache-2.0
/* The sink "kafka", as it is in its side program, before a broker of librdkafka's own that fails as
 * it is told to. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "base/clock.h"
#include "side/kafka/judge.h"
#include "side/kafka/sink.h"
#include "sinks/kafka_options.h"
#include "unit/unit.h"

/* Behind librdkafka's own header. */
#include <librdkafka/rdkafka_mock.h>

enum { ITEMS = 4, PRODUCE = 0 /* number of the request */ };

static struct {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    const struct mrl_sink_ops *ops;
    struct mrl_sink *sink;
    struct mrl_kafka_options options;
    struct mrl_item items[ITEMS];
    struct mrl_judged judged[ITEMS];
    struct mrl_delivery delivery;
    int stop;
} test;

static int set_up(void **state)
{
    struct mrl_error error = { "" };
    struct mrl_sink_target target = { .format = "json", .options = &test.options };
    char url[128];

    (void)state;
    memset(&test, 0, sizeof(test));
    test.host =
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error.text, sizeof(error.text));
    assert_non_null(test.host);
    test.cluster = rd_kafka_mock_cluster_new(test.host, 1);
    assert_non_null(test.cluster);
    rd_kafka_mock_topic_create(test.cluster, "t", 1, 1);
    snprintf(url, sizeof(url), "kafka://%s/t", rd_kafka_mock_cluster_bootstraps(test.cluster));
    test.ops = mrl_kafka_program.row("kafka");
    target.destination = url;
    target.ops = test.ops;
    assert_int_equal(test.ops->open(&target, &error, &test.sink), 0);
    for (unsigned int i = 0; i < ITEMS; i++) {
        test.items[i] = (struct mrl_item){ .bytes = "{}\n", .size = 3 };
        test.items[i].head = (struct mrl_item_head){ .boot = 1, .run = 2, .number = i };
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test.ops->close(test.sink);
    rd_kafka_mock_cluster_destroy(test.cluster);
    rd_kafka_destroy(test.host);
    return 0;
}

/* Says also that so many come next. */
static void deliver_before(size_t first, size_t count, size_t ahead)
{
    const struct mrl_items items = { .items = test.items + first,
                                     .count = count,
                                     .size = 3 * count,
                                     .stop = &test.stop,
                                     .ahead = test.items + first + count,
                                     .ahead_count = ahead };

    memset(test.judged, 0, sizeof(test.judged));
    test.delivery = (struct mrl_delivery){ .judged = test.judged };
    test.ops->deliver(test.sink, &items, &test.delivery);
}

static void deliver(size_t first, size_t count)
{
    deliver_before(first, count, 0);
}

static void assert_all_are(size_t count, enum mrl_item_verdict verdict)
{
    for (size_t i = 0; i < count; i++)
        if (test.judged[i].verdict != verdict)
            fail_msg("item %zu is %d: %s", i, test.judged[i].verdict,
                     test.delivery.reason_count ? test.delivery.reasons[0].text : "");
}

/* How many messages the topic holds. */
static int64_t kept(void)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *asker;
    int64_t low = 0, high = -1;

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(test.cluster),
                      text, sizeof(text));
    asker = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(asker);
    rd_kafka_query_watermark_offsets(asker, "t", 0, &low, &high, 5000);
    rd_kafka_destroy(asker);
    return high - low;
}

static void what_a_broker_takes_is_taken(void **state)
{
    (void)state;
    deliver(0, ITEMS);
    assert_all_are(ITEMS, MRL_VERDICT_TAKEN);
    assert_int_equal(test.delivery.reason_count, 0);
    assert_int_equal(kept(), ITEMS);
}

/* The message at the beginning of the topic; new. */
static rd_kafka_message_t *read_first(rd_kafka_t **ret_reader)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(1);
    rd_kafka_message_t *message = NULL;
    char text[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(test.cluster),
                      text, sizeof(text));
    rd_kafka_conf_set(conf, "group.id", "g", text, sizeof(text));
    *ret_reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(*ret_reader);
    rd_kafka_poll_set_consumer(*ret_reader);
    rd_kafka_topic_partition_list_add(places, "t", 0)->offset = 0;
    rd_kafka_assign(*ret_reader, places);
    rd_kafka_topic_partition_list_destroy(places);
    for (unsigned int i = 0; i < 100 && (!message || message->err); i++) {
        if (message)
            rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(*ret_reader, 100);
    }
    assert_non_null(message);
    assert_int_equal(message->err, 0);
    return message;
}

static void assert_header_is(const rd_kafka_headers_t *headers, const char *name, const char *text)
{
    const void *value;
    size_t size;

    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(value, text, size);
}

static void a_message_has_key_time_and_headers(void **state)
{
    char id[MRL_EVENT_ID_BYTES], host[HOST_NAME_MAX + 1];
    rd_kafka_headers_t *headers;
    rd_kafka_message_t *message;
    rd_kafka_t *reader;

    (void)state;
    test.items[0].head.time_ns = 1795879211522903112;
    gethostname(host, sizeof(host));
    deliver(0, 1);
    message = read_first(&reader);
    assert_int_equal(message->len, 2);
    assert_memory_equal(message->payload, "{}", 2);
    assert_int_equal(message->key_len, strlen(host));
    assert_memory_equal(message->key, host, strlen(host));
    assert_int_equal(rd_kafka_message_timestamp(message, NULL), 1795879211522);
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    mrl_item__id(&test.items[0].head, id);
    assert_header_is(headers, "id", id);
    assert_header_is(headers, "event", mrl_event_def__at(0)->name);
    rd_kafka_message_destroy(message);
    rd_kafka_consumer_close(reader);
    rd_kafka_destroy(reader);
}

/* One code, one class, by what a broker answers. */
static void answers_have_a_class(void **state)
{
    static const struct {
        rd_kafka_resp_err_t code;
        size_t items;
        enum mrl_item_verdict verdict;
        bool halve;
    } cases[] = {
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ITEMS, MRL_VERDICT_AGAIN, true },
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, MRL_VERDICT_REFUSED, true },
        { RD_KAFKA_RESP_ERR_INVALID_RECORD, ITEMS, MRL_VERDICT_AGAIN, true },
        { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1, MRL_VERDICT_REFUSED, true },
        { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ITEMS, MRL_VERDICT_MISCONFIGURED, false },
        { RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 1, MRL_VERDICT_MISCONFIGURED, false },
        { RD_KAFKA_RESP_ERR_UNKNOWN, ITEMS, MRL_VERDICT_AGAIN, false },
        /* These librdkafka itself tries again. */
        { RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, ITEMS, MRL_VERDICT_TAKEN, false },
        { RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, ITEMS, MRL_VERDICT_TAKEN, false },
        { RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, ITEMS, MRL_VERDICT_TAKEN, false },
        /* The producer's number is of no more use: another one begins, and all is sent again. */
        { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ITEMS, MRL_VERDICT_AGAIN, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_up(state);
        rd_kafka_mock_push_request_errors(test.cluster, PRODUCE, 1, cases[i].code);
        deliver(0, cases[i].items);
        print_message("%s\n", rd_kafka_err2name(cases[i].code));
        assert_all_are(cases[i].items, cases[i].verdict);
        assert_int_equal(test.delivery.halve, cases[i].halve);
        if (cases[i].verdict != MRL_VERDICT_TAKEN)
            assert_string_not_equal(test.delivery.reasons[0].text, "");
        deliver(0, cases[i].items);
        assert_all_are(cases[i].items, MRL_VERDICT_TAKEN);
        tear_down(state);
    }
}

static void codes_that_are_not_known_are_tried_again(void **state)
{
    (void)state;
    assert_int_equal(mrl_kafka__meaning((rd_kafka_resp_err_t)1234), MRL_KAFKA_AGAIN);
    assert_int_equal(mrl_kafka__meaning(RD_KAFKA_RESP_ERR__TRANSPORT), MRL_KAFKA_AGAIN);
    assert_int_equal(mrl_kafka__meaning_of_trouble(RD_KAFKA_RESP_ERR__TRANSPORT, "an alert"),
                     MRL_KAFKA_AGAIN);
    assert_int_equal(
        mrl_kafka__meaning_of_trouble(RD_KAFKA_RESP_ERR__TRANSPORT, "sslv3 alert bad certificate"),
        MRL_KAFKA_MISCONFIGURED);
}

/* A topic that is missing, a password that is wrong: none of that is an event's fault. */
static void only_what_is_said_of_an_item_refuses_it(void **state)
{
    static const rd_kafka_resp_err_t of_items[] = {
        RD_KAFKA_RESP_ERR__BAD_MSG,          RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,  RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
        RD_KAFKA_RESP_ERR_INVALID_RECORD,
    };
    const struct rd_kafka_err_desc *all;
    size_t count, refused = 0;

    (void)state;
    rd_kafka_get_err_descs(&all, &count);
    for (size_t i = 0; i < count; i++) {
        enum mrl_kafka_meaning meaning = mrl_kafka__meaning(all[i].code);
        size_t known = 0;

        if (meaning != MRL_KAFKA_REFUSED && meaning != MRL_KAFKA_HALVE)
            continue;
        while (known < COUNT_OF(of_items) && of_items[known] != all[i].code)
            known++;
        if (known == COUNT_OF(of_items))
            fail_msg("%s refuses an event", all[i].name);
        refused++;
    }
    assert_int_equal(refused, COUNT_OF(of_items));
}

/* What is on its way stays so over deliveries, and is there once. */
static void an_outage_is_told_and_doubles_nothing(void **state)
{
    (void)state;
    deliver(0, 1);
    rd_kafka_mock_broker_set_down(test.cluster, 1);
    deliver(1, ITEMS - 1);
    assert_all_are(ITEMS - 1, MRL_VERDICT_AGAIN);
    assert_string_not_equal(test.delivery.reasons[0].text, "");
    deliver(1, ITEMS - 1);
    assert_all_are(ITEMS - 1, MRL_VERDICT_AGAIN);
    rd_kafka_mock_broker_set_up(test.cluster, 1);
    for (unsigned int i = 0; i < 20 && test.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        deliver(1, ITEMS - 1);
    assert_all_are(ITEMS - 1, MRL_VERDICT_TAKEN);
    assert_int_equal(kept(), ITEMS);
}

/* How many the topic holds in the end, where it should be so many. */
static void assert_kept(int64_t count)
{
    int64_t found = kept();

    for (unsigned int i = 0; i < 50 && found < count; i++) {
        mrl_clock__pause_ms(20);
        found = kept();
    }
    assert_int_equal(found, count);
}

static void what_comes_next_is_sent_in_advance_and_once(void **state)
{
    const int64_t begun_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)state;
    deliver_before(0, 1, 2);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    /* It did not wait for a silence, which has 10 s. */
    assert_in_range((mrl_clock__ns(CLOCK_MONOTONIC) - begun_ns) / 1000000, 0, 8000);
    assert_kept(3);
    deliver_before(1, 1, 2); /* a part of it, and one more behind */
    assert_all_are(1, MRL_VERDICT_TAKEN);
    deliver(2, 2);
    assert_all_are(2, MRL_VERDICT_TAKEN);
    assert_kept(ITEMS);
}

static void what_was_sent_in_advance_survives_an_outage_once(void **state)
{
    (void)state;
    deliver(0, 1);
    rd_kafka_mock_broker_set_down(test.cluster, 1);
    deliver_before(1, 1, 1);
    assert_all_are(1, MRL_VERDICT_AGAIN);
    rd_kafka_mock_broker_set_up(test.cluster, 1);
    for (unsigned int i = 0; i < 20 && test.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        deliver(1, ITEMS - 1); /* what was there, what was in advance, and a new one */
    assert_all_are(ITEMS - 1, MRL_VERDICT_TAKEN);
    assert_kept(ITEMS);
}

/* One that was refused comes again: those behind it are known still. */
static void what_was_sent_in_advance_is_known_behind_others(void **state)
{
    const struct mrl_item again = test.items[0];

    (void)state;
    deliver_before(0, 1, 2);
    test.items[0].head.number = ITEMS; /* one that the sink never saw */
    deliver(0, 3);
    test.items[0] = again;
    assert_all_are(3, MRL_VERDICT_TAKEN);
    assert_kept(ITEMS);
}

/* A broker refuses a batch, not the one in it that spoils it: those that were in advance and shared
 * it are tried again, alone. */
static void what_shared_a_batch_with_others_is_not_refused_for_them(void **state)
{
    (void)state;
    rd_kafka_mock_push_request_errors(test.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    deliver_before(0, 2, 1);
    assert_all_are(2, MRL_VERDICT_AGAIN);
    assert_true(test.delivery.halve);
    deliver(0, 1);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    deliver(1, 1);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    deliver(2, 1);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    assert_kept(3);
}

static void one_item_is_not_refused_for_what_comes_next(void **state)
{
    (void)state;
    rd_kafka_mock_push_request_errors(test.cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    deliver_before(0, 1, 2);
    assert_all_are(1, MRL_VERDICT_AGAIN);
    assert_false(test.delivery.halve); /* alone, it would be refused for that */
    deliver(0, 1);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    deliver(1, 2);
    assert_all_are(2, MRL_VERDICT_TAKEN);
    assert_kept(3);
}

/* What has its answer is not sent again when the producer is another one. */
static void what_was_taken_in_advance_outlives_its_producer(void **state)
{
    (void)state;
    deliver_before(0, 1, 2);
    assert_all_are(1, MRL_VERDICT_TAKEN);
    assert_kept(3);
    rd_kafka_mock_push_request_errors(test.cluster, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    deliver(3, 1);
    assert_all_are(1, MRL_VERDICT_MISCONFIGURED);
    deliver(1, 3);
    assert_all_are(3, MRL_VERDICT_TAKEN);
    assert_kept(ITEMS);
}

/* The caller's contract is kept by another one: what is not known any more is given up. */
static void other_items_do_not_take_the_place_of_those_on_their_way(void **state)
{
    (void)state;
    deliver(0, 1);
    rd_kafka_mock_broker_set_down(test.cluster, 1);
    deliver(1, 1);
    rd_kafka_mock_broker_set_up(test.cluster, 1);
    for (unsigned int i = 0; i < 20 && test.judged[0].verdict != MRL_VERDICT_TAKEN; i++)
        deliver(2, 2);
    assert_all_are(2, MRL_VERDICT_TAKEN);
}

static void a_stop_ends_a_delivery_soon(void **state)
{
    int64_t begun_ns;

    (void)state;
    deliver(0, 1);
    rd_kafka_mock_broker_set_down(test.cluster, 1);
    test.stop = 1;
    begun_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    deliver(1, 1);
    assert_all_are(1, MRL_VERDICT_AGAIN);
    assert_in_range((mrl_clock__ns(CLOCK_MONOTONIC) - begun_ns) / 1000000, 0, 500);
}

static void what_is_no_certificate_is_refused_at_the_start(void **state)
{
    static const char text[] = "no certificate";
    const struct mrl_file_sizes head = { .sizes = { [MRL_FILE_CA] = sizeof(text) } };
    int fds[MRL_SINK_FDS_MAX] = { memfd_create("files", MFD_CLOEXEC), -1, -1, -1 };
    struct mrl_error error = { "" };
    const struct mrl_sink_target target = { .destination = "kafkas://127.0.0.1:1/t",
                                            .format = "json",
                                            .options = &test.options,
                                            .fds = fds,
                                            .ops = test.ops };
    struct mrl_sink *sink = NULL;

    (void)state;
    assert_int_equal(write(fds[0], &head, sizeof(head)), sizeof(head));
    assert_int_equal(write(fds[0], text, sizeof(text)), sizeof(text));
    assert_int_equal(test.ops->open(&target, &error, &sink), -EINVAL);
    assert_non_null(strstr(error.text, "ssl.ca.pem"));
    assert_null(sink);
    assert_null(mrl_kafka_program.row("http"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_broker_takes_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_has_key_time_and_headers, set_up, tear_down),
        cmocka_unit_test(answers_have_a_class),
        cmocka_unit_test(codes_that_are_not_known_are_tried_again),
        cmocka_unit_test(only_what_is_said_of_an_item_refuses_it),
        cmocka_unit_test_setup_teardown(an_outage_is_told_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_next_is_sent_in_advance_and_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_in_advance_survives_an_outage_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_in_advance_is_known_behind_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_shared_a_batch_with_others_is_not_refused_for_them,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_item_is_not_refused_for_what_comes_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_taken_in_advance_outlives_its_producer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(other_items_do_not_take_the_place_of_those_on_their_way,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_delivery_soon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_refused_at_the_start, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
