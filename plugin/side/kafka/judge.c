// SPDX-License-Identifier: Apache-2.0
#include "side/kafka/judge.h"

#include <stddef.h>
#include <string.h>

/* What is on no row is sent again: an outage, a new leader, too few replicas. librdkafka itself
 * tries again what it may; what is here is what it gives up. */
static const struct {
    rd_kafka_resp_err_t code;
    enum mrl_kafka_meaning meaning;
} rows[] = {
    /* Of one item: a broker's limit is the batch's, and librdkafka's own is that of an item. */
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR_INVALID_RECORD, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR_POLICY_VIOLATION, MRL_KAFKA_HALVE },
    { RD_KAFKA_RESP_ERR__BAD_MSG, MRL_KAFKA_REFUSED },
    /* The topic. */
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, MRL_KAFKA_MISCONFIGURED },
    /* Who we are, and what we may. */
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__SSL, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_SECURITY_DISABLED, MRL_KAFKA_MISCONFIGURED },
    /* A broker that does not speak so. */
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR_INVALID_CONFIG, MRL_KAFKA_MISCONFIGURED },
    { RD_KAFKA_RESP_ERR__RESOLVE,
      MRL_KAFKA_AGAIN }, /* names of hosts come and go with the network */
    /* What numbers the batches of this producer is out of step with the broker, or another one has
     * its id. */
    { RD_KAFKA_RESP_ERR__FATAL, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR__FENCED, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR__STATE, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, MRL_KAFKA_BEGIN_ANEW },
    { RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, MRL_KAFKA_BEGIN_ANEW },
};

enum mrl_kafka_meaning mrl_kafka__meaning(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code)
            return rows[i].meaning;
    return MRL_KAFKA_AGAIN;
}

/* What the library of TLS says comes as a failure of the connection, too: a server that is not who
 * it should be, and, with TLS 1.3 behind the handshake, a client that is not. */
static const char *const refusals[] = { "certificate verify failed", " alert " };

enum mrl_kafka_meaning mrl_kafka__meaning_of_trouble(rd_kafka_resp_err_t code, const char *words)
{
    enum mrl_kafka_meaning meaning = mrl_kafka__meaning(code);

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (meaning == MRL_KAFKA_AGAIN && strstr(words, refusals[i]))
            meaning = MRL_KAFKA_MISCONFIGURED;
    return meaning;
}
