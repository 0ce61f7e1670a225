/* SPDX-License-Identifier: Apache-2.0 */
/* A producer of librdkafka, set up as the options say. */
#ifndef MRL_SIDE_KAFKA_PRODUCER_H
#define MRL_SIDE_KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "side/ship/files.h"
#include "sinks/kafka_options.h"

/** Zeroed: there is none. */
struct mrl_producer {
    rd_kafka_t *kafka;
    rd_kafka_topic_t *topic;
};

/** What librdkafka calls, on the thread that polls. */
struct mrl_producer_calls {
    void (*report)(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *opaque);
    void (*trouble)(rd_kafka_t *kafka, int code, const char *reason, void *opaque);
    void *opaque;
};

/**
 * Makes one for a checked `url`. It connects by itself, now and whenever a connection is
 * gone. Errors, with a line: -EINVAL what the files hold is not what it should be; -ENOMEM.
 */
int mrl_producer__open(const char *url,
                       const struct mrl_kafka_options *options,
                       const struct mrl_files *files,
                       const struct mrl_producer_calls *calls,
                       struct mrl_error *error,
                       struct mrl_producer *ret_producer);

/** Gives it an item, which it copies; what becomes of it is reported with `opaque`. `key` "": it
 * has none. An error: it was not taken, and no report comes. */
rd_kafka_resp_err_t mrl_producer__put(const struct mrl_producer *producer,
                                      const struct mrl_item *item,
                                      const char *key,
                                      void *opaque);

/** Gives up what is on its way, without a report. Zeroed is allowed. */
void mrl_producer__close(struct mrl_producer *producer);

#endif
