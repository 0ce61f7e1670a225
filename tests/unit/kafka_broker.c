// SPDX-License-Identifier: Apache-2.0
#include "unit/kafka_broker.h"

#include <stdio.h>
#include <string.h>

#include "side/kafka/sink.h"
#include "unit/unit.h"

struct test_broker broker;

int broker__set_up(void **state)
{
    struct mrl_error error = { "" };
    struct mrl_sink_target target = { .format = "json", .options = &broker.options };
    char url[128];

    (void)state;
    memset(&broker, 0, sizeof(broker));
    broker.host =
        rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error.text, sizeof(error.text));
    assert_non_null(broker.host);
    broker.cluster = rd_kafka_mock_cluster_new(broker.host, 1);
    assert_non_null(broker.cluster);
    rd_kafka_mock_topic_create(broker.cluster, "t", 1, 1);
    snprintf(url, sizeof(url), "kafka://%s/t", rd_kafka_mock_cluster_bootstraps(broker.cluster));
    broker.ops = mrl_kafka_program.row("kafka");
    target.destination = url;
    target.ops = broker.ops;
    assert_int_equal(broker.ops->open(&target, &error, &broker.sink), 0);
    for (unsigned int i = 0; i < BROKER_ITEMS; i++) {
        broker.items[i] = (struct mrl_item){ .bytes = "{}\n", .size = 3 };
        broker.items[i].head = (struct mrl_item_head){ .boot = 1, .run = 2, .number = i };
    }
    return 0;
}

int broker__tear_down(void **state)
{
    (void)state;
    broker.ops->close(broker.sink);
    rd_kafka_mock_cluster_destroy(broker.cluster);
    rd_kafka_destroy(broker.host);
    return 0;
}

void broker__deliver_before(size_t first, size_t count, size_t ahead)
{
    const struct mrl_items items = { .items = broker.items + first,
                                     .count = count,
                                     .size = 3 * count,
                                     .stop = &broker.stop,
                                     .ahead = broker.items + first + count,
                                     .ahead_count = ahead };

    memset(broker.judged, 0, sizeof(broker.judged));
    broker.delivery = (struct mrl_delivery){ .judged = broker.judged };
    broker.ops->deliver(broker.sink, &items, &broker.delivery);
}

void broker__deliver(size_t first, size_t count)
{
    broker__deliver_before(first, count, 0);
}

void broker__assert_all_are(size_t count, enum mrl_item_verdict verdict)
{
    for (size_t i = 0; i < count; i++)
        if (broker.judged[i].verdict != verdict)
            fail_msg("item %zu is %d: %s", i, broker.judged[i].verdict,
                     broker.delivery.reason_count ? broker.delivery.reasons[0].text : "");
}

int64_t broker__kept(void)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *asker;
    int64_t low = 0, high = -1;

    rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(broker.cluster),
                      text, sizeof(text));
    asker = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(asker);
    rd_kafka_query_watermark_offsets(asker, "t", 0, &low, &high, 5000);
    rd_kafka_destroy(asker);
    return high - low;
}
