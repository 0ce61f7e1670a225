/* SPDX-License-Identifier: Apache-2.0 */
/* A broker of librdkafka's own, which fails as it is told to, and the sink "kafka" before it, as it
 * is in its side program. Failures end the test. */
#ifndef MRL_UNIT_KAFKA_BROKER_H
#define MRL_UNIT_KAFKA_BROKER_H

#include <mrelease/sink.h>

#include "sinks/kafka_options.h"

/* Behind librdkafka's own header. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

enum { BROKER_ITEMS = 4, PRODUCE = 0 /* number of the request */ };

struct test_broker {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    const struct mrl_sink_ops *ops;
    struct mrl_sink *sink;
    struct mrl_kafka_options options;
    struct mrl_item items[BROKER_ITEMS];
    struct mrl_judged judged[BROKER_ITEMS];
    struct mrl_delivery delivery;
    int stop;
};

/** That of the test that runs. */
extern struct test_broker broker;

/** As cmocka wants them. */
int broker__set_up(void **state);
int broker__tear_down(void **state);

/** Delivers `count` items from `first` on. */
void broker__deliver(size_t first, size_t count);

/** Says also that so many come next. */
void broker__deliver_before(size_t first, size_t count, size_t ahead);

/** Of the items of the last delivery. */
void broker__assert_all_are(size_t count, enum mrl_item_verdict verdict);

/** How many messages the topic holds. */
int64_t broker__kept(void);

#endif
