// SPDX-License-Identifier: Apache-2.0
#include "side/kafka/producer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What no option changes. What is not here is as librdkafka has it. */
static const struct {
    const char *name, *value;
} fixed[] = {
    { "enable.idempotence", "true" },
    { "acks", "all" },
    /* Never: what is given up, and when, is the spool's to say. */
    { "message.timeout.ms", "0" },
    /* A full request leaves at once, and the last one is flushed. With more to come nothing is
     * flushed: a request that is not full then waits so long. */
    { "linger.ms", "2" },
    { "batch.size", "524288" },
    /* Twice what may be on its way. */
    { "queue.buffering.max.messages", "16384" },
    { "queue.buffering.max.kbytes", "8192" },
    { "receive.message.max.bytes", "4194304" },
    { "partitioner", "murmur2_random" }, /* as Java's */
    { "ssl.endpoint.identification.algorithm", "https" },
    { "socket.keepalive.enable", "true" },
    { "socket.connection.setup.timeout.ms", "10000" },
    /* How long a topic may take to be made before it is taken for one that is not there. */
    { "topic.metadata.propagation.max.ms", "5000" },
    { "log.connection.close", "false" },
};

struct settings {
    rd_kafka_conf_t *conf;
    struct mrl_error *error;
    int err;
};

/* NULL: it stays as it is. The first that fails says why. */
static void set(struct settings *settings, const char *name, const char *value)
{
    char why[256];

    if (!value || settings->err ||
        !rd_kafka_conf_set(settings->conf, name, value, why, sizeof(why)))
        return;
    settings->err = mrl_error__set(settings->error, -EINVAL, "kafka: %s: %.200s", name, why);
}

static const char *text_of(const struct mrl_files *files, enum mrl_file file)
{
    return files->sizes[file] ? files->texts[file] : NULL;
}

static void set_mechanism(struct settings *settings, const char *word)
{
    char name[32];

    snprintf(name, sizeof(name), "%s", word);
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    set(settings, "sasl.mechanism", name);
}

static void set_security(struct settings *settings,
                         bool is_tls,
                         const struct mrl_kafka_options *options,
                         const struct mrl_files *files)
{
    bool is_sasl = *options->user;

    set(settings, "security.protocol",
        is_sasl  ? is_tls ? "sasl_ssl" : "sasl_plaintext"
        : is_tls ? "ssl"
                 : "plaintext");
    if (is_tls) {
        set(settings, "ssl.ca.pem", text_of(files, MRL_FILE_CA));
        set(settings, "ssl.certificate.pem", text_of(files, MRL_FILE_CERT));
        set(settings, "ssl.key.pem", text_of(files, MRL_FILE_KEY));
    }
    if (is_sasl) {
        set_mechanism(settings, mrl_kafka_mechanisms[options->mechanism]);
        set(settings, "sasl.username", options->user);
        set(settings, "sasl.password", text_of(files, MRL_FILE_PASSWORD));
    }
}

static void set_all(struct settings *settings,
                    const char *brokers,
                    bool is_tls,
                    const struct mrl_kafka_options *options,
                    const struct mrl_files *files)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        set(settings, fixed[i].name, fixed[i].value);
    set(settings, "bootstrap.servers", brokers);
    set(settings, "client.id", *options->client_id ? options->client_id : "mrelease");
    set(settings, "compression.codec", mrl_kafka_codecs[options->compress]);
    set_security(settings, is_tls, options, files);
}

int mrl_producer__open(const char *url,
                       const struct mrl_kafka_options *options,
                       const struct mrl_files *files,
                       const struct mrl_producer_calls *calls,
                       struct mrl_error *error,
                       struct mrl_producer *ret_producer)
{
    struct settings settings = { .conf = rd_kafka_conf_new(), .error = error };
    const char *first = strstr(url, "://") + 3, *slash = strchr(first, '/');
    struct mrl_producer producer;
    char why[256], brokers[MRL_KAFKA_URL_MAX];

    snprintf(brokers, sizeof(brokers), "%.*s", (int)(slash - first), first);
    set_all(&settings, brokers, mrl_files__is_tls(url), options, files);
    if (settings.err) {
        rd_kafka_conf_destroy(settings.conf);
        return settings.err;
    }
    rd_kafka_conf_set_opaque(settings.conf, calls->opaque);
    rd_kafka_conf_set_dr_msg_cb(settings.conf, calls->report);
    rd_kafka_conf_set_error_cb(settings.conf, calls->trouble);
    rd_kafka_conf_set_log_cb(settings.conf, NULL);
    producer.kafka = rd_kafka_new(RD_KAFKA_PRODUCER, settings.conf, why, sizeof(why));
    if (!producer.kafka) {
        rd_kafka_conf_destroy(settings.conf);
        return mrl_error__set(error, -EINVAL, "kafka: %.250s", why);
    }
    producer.topic = rd_kafka_topic_new(producer.kafka, slash + 1, NULL);
    if (!producer.topic) {
        mrl_producer__close(&producer);
        return mrl_error__set(error, -ENOMEM, "kafka: the topic: %s",
                              rd_kafka_err2str(rd_kafka_last_error()));
    }
    *ret_producer = producer;
    return 0;
}

void mrl_producer__close(struct mrl_producer *producer)
{
    if (!producer->kafka)
        return;
    rd_kafka_purge(producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    if (producer->topic)
        rd_kafka_topic_destroy(producer->topic);
    rd_kafka_destroy(producer->kafka);
    *producer = (struct mrl_producer){ NULL, NULL };
}

rd_kafka_resp_err_t mrl_producer__put(const struct mrl_producer *producer,
                                      const struct mrl_item *item,
                                      const char *key,
                                      void *opaque)
{
    char id[MRL_EVENT_ID_BYTES];
    const char *event = mrl_event_def__at(item->head.event)->name;
    size_t count = 0, size = item->size;
    rd_kafka_error_t *error;
    rd_kafka_resp_err_t code;
    rd_kafka_vu_t values[8];

    size -= size && item->bytes[size - 1] == '\n';
    /* Copied: it may stay longer than this delivery. */
    values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topic };
    values[count++] =
        (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY };
    values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque };
    values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_VALUE,
                                       .u.mem = { (void *)(uintptr_t)item->bytes, size } };
    values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_TIMESTAMP,
                                       .u.i64 = (int64_t)(item->head.time_ns / 1000000) };
    values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_HEADER,
                                       .u.header = { "event", event, (ssize_t)strlen(event) } };
    if (mrl_item__id(&item->head, id))
        values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_HEADER,
                                           .u.header = { "id", id, (ssize_t)strlen(id) } };
    if (*key)
        values[count++] = (rd_kafka_vu_t){ .vtype = RD_KAFKA_VTYPE_KEY,
                                           .u.mem = { (void *)(uintptr_t)key, strlen(key) } };
    error = rd_kafka_produceva(producer->kafka, values, count);
    code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_destroy(error);
    return code;
}
