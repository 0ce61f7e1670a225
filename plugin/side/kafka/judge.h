/* SPDX-License-Identifier: Apache-2.0 */
/* What an error of librdkafka, or of a broker, means. */
#ifndef MRL_SIDE_KAFKA_JUDGE_H
#define MRL_SIDE_KAFKA_JUDGE_H

#include <librdkafka/rdkafka.h>
#include <mrelease/sink.h>

enum mrl_kafka_meaning {
    MRL_KAFKA_AGAIN = MRL_VERDICT_AGAIN,
    MRL_KAFKA_REFUSED = MRL_VERDICT_REFUSED,
    MRL_KAFKA_MISCONFIGURED = MRL_VERDICT_MISCONFIGURED,
    MRL_KAFKA_HALVE = 16, /**< one of a batch spoils it, and it is not known which */
    MRL_KAFKA_BEGIN_ANEW, /**< the producer is of no more use */
};

/** Of what became of an item. */
enum mrl_kafka_meaning mrl_kafka__meaning(rd_kafka_resp_err_t code);

/** Of what is wrong with a connection, in librdkafka's words. */
enum mrl_kafka_meaning mrl_kafka__meaning_of_trouble(rd_kafka_resp_err_t code, const char *words);

#endif
