// SPDX-License-Identifier: Apache-2.0
/* The sink "kafka", as it is in its side program: what it sends, and what answers mean. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "base/clock.h"
#include "side/kafka/judge.h"
#include "side/kafka/sink.h"
#include "side/ship/files.h"
#include "unit/kafka_broker.h"
#include "unit/unit.h"

static void what_a_broker_takes_is_taken(void **state)
{
    (void)state;
    broker__deliver(0, BROKER_ITEMS);
    broker__assert_all_are(BROKER_ITEMS, MRL_VERDICT_TAKEN);
    assert_int_equal(broker.delivery.reason_count, 0);
    assert_int_equal(broker__kept(), BROKER_ITEMS);
}

/* The message at the beginning of the topic; new. */
static rd_kafka_message_t *read_first(rd_kafka_t **ret_reader)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(1);
    rd_kafka_message_t *message = NULL;
    char text[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(broker.cluster),
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
    broker.items[0].head.time_ns = 1795879211522903112;
    gethostname(host, sizeof(host));
    broker__deliver(0, 1);
    message = read_first(&reader);
    assert_int_equal(message->len, 2);
    assert_memory_equal(message->payload, "{}", 2);
    assert_int_equal(message->key_len, strlen(host));
    assert_memory_equal(message->key, host, strlen(host));
    assert_int_equal(rd_kafka_message_timestamp(message, NULL), 1795879211522);
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    mrl_item__id(&broker.items[0].head, id);
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
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, BROKER_ITEMS, MRL_VERDICT_AGAIN, true },
        { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, MRL_VERDICT_REFUSED, true },
        { RD_KAFKA_RESP_ERR_INVALID_RECORD, BROKER_ITEMS, MRL_VERDICT_AGAIN, true },
        { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1, MRL_VERDICT_REFUSED, true },
        { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, BROKER_ITEMS, MRL_VERDICT_MISCONFIGURED,
          false },
        { RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 1, MRL_VERDICT_MISCONFIGURED, false },
        { RD_KAFKA_RESP_ERR_UNKNOWN, BROKER_ITEMS, MRL_VERDICT_AGAIN, false },
        /* These librdkafka itself tries again. */
        { RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, BROKER_ITEMS, MRL_VERDICT_TAKEN, false },
        { RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, BROKER_ITEMS, MRL_VERDICT_TAKEN, false },
        { RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, BROKER_ITEMS, MRL_VERDICT_TAKEN, false },
        /* The producer's number is of no more use: another one begins, and all is sent again. */
        { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, BROKER_ITEMS, MRL_VERDICT_AGAIN, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        broker__set_up(state);
        rd_kafka_mock_push_request_errors(broker.cluster, PRODUCE, 1, cases[i].code);
        broker__deliver(0, cases[i].items);
        print_message("%s\n", rd_kafka_err2name(cases[i].code));
        broker__assert_all_are(cases[i].items, cases[i].verdict);
        assert_int_equal(broker.delivery.halve, cases[i].halve);
        if (cases[i].verdict != MRL_VERDICT_TAKEN)
            assert_string_not_equal(broker.delivery.reasons[0].text, "");
        broker__deliver(0, cases[i].items);
        broker__assert_all_are(cases[i].items, MRL_VERDICT_TAKEN);
        broker__tear_down(state);
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

static void a_stop_ends_a_delivery_soon(void **state)
{
    int64_t begun_ns;

    (void)state;
    broker__deliver(0, 1);
    rd_kafka_mock_broker_set_down(broker.cluster, 1);
    broker.stop = 1;
    begun_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    broker__deliver(1, 1);
    broker__assert_all_are(1, MRL_VERDICT_AGAIN);
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
                                            .options = &broker.options,
                                            .fds = fds,
                                            .ops = broker.ops };
    struct mrl_sink *sink = NULL;

    (void)state;
    assert_int_equal(write(fds[0], &head, sizeof(head)), sizeof(head));
    assert_int_equal(write(fds[0], text, sizeof(text)), sizeof(text));
    assert_int_equal(broker.ops->open(&target, &error, &sink), -EINVAL);
    assert_non_null(strstr(error.text, "ssl.ca.pem"));
    assert_null(sink);
    assert_null(mrl_kafka_program.row("http"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_broker_takes_is_taken, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test_setup_teardown(a_message_has_key_time_and_headers, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test(answers_have_a_class),
        cmocka_unit_test(codes_that_are_not_known_are_tried_again),
        cmocka_unit_test(only_what_is_said_of_an_item_refuses_it),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_delivery_soon, broker__set_up,
                                        broker__tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_refused_at_the_start,
                                        broker__set_up, broker__tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
