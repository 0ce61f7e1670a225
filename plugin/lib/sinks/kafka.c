// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "kafka": a topic of Apache Kafka, or of what speaks as it. What is said of it is here;
 * what it does is in a side program (plugin/side/kafka).
 */
#include <errno.h>
#include <string.h>

#include "sinks/authority.h"
#include "sinks/elsewhere.h"
#include "sinks/kafka_options.h"

const char *const mrl_kafka_codecs[] = { "lz4", "zstd", "snappy", "gzip", "none", NULL };
const char *const mrl_kafka_mechanisms[] = { "plain", "scram-sha-256", "scram-sha-512", NULL };

#define AT(member) offsetof(struct mrl_kafka_options, member)

#define TEXT(text, member, sentence)                                             \
    {                                                                            \
        .name = text, .type = MRL_OPTION_COPY, .offset = AT(member),             \
        .size = sizeof(((struct mrl_kafka_options *)0)->member), .doc = sentence \
    }

static const struct mrl_option rows[] = {
    { .name = "compress",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(compress),
      .words = mrl_kafka_codecs,
      .what = "value of compress",
      .preset = "lz4",
      .doc = "How batches are compressed." },
    { .name = "message-key",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(no_key),
      .words = (const char *const[]){ "host", "none", NULL },
      .what = "value of message-key",
      .preset = "host",
      .doc = "What chooses the partition: the host's name, which keeps the order, or chance." },
    TEXT("client-id", client_id, "What brokers call the sensor; else mrelease."),
    MRL_FILE_TLS_ROWS,
    TEXT("user", user, "Who it says it is, with password-file: SASL."),
    MRL_FILE_ROW("password-file", MRL_FILE_PASSWORD, "Holds the password."),
    { .name = "mechanism",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(mechanism),
      .words = mrl_kafka_mechanisms,
      .what = "value of mechanism",
      .preset = "plain",
      .doc = "How the password is proven; plain sends it as it is." },
};

/* -- what may be said ------------------------------------------------------------------------- */

static int check_topic(const char *topic, struct mrl_error *error)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (!*topic || strlen(topic) > MRL_KAFKA_TOPIC_MAX || topic[strspn(topic, letters)] ||
        !strcmp(topic, ".") || !strcmp(topic, ".."))
        return mrl_error__set(error, -EINVAL,
                              "'%.64s' is no name of a topic: letters, digits, '.', '_' and '-'",
                              topic);
    return 0;
}

static int check_brokers(const char *text, const char *end, struct mrl_error *error)
{
    for (size_t size; text <= end; text += size + 1) {
        size = strcspn(text, ",/");
        if (!mrl_authority__is(text, size))
            return mrl_error__set(error, -EINVAL, "'%.64s' names no HOST or HOST:PORT", text);
    }
    return 0;
}

static int check_url(const char *url, struct mrl_error *error)
{
    const char *brokers = strstr(url, "://"), *topic;
    int err;

    if (strlen(url) >= MRL_KAFKA_URL_MAX)
        return mrl_error__set(error, -EINVAL, "a URL is shorter than %d bytes", MRL_KAFKA_URL_MAX);
    /* Before all that would repeat it. */
    if (strchr(url, '@'))
        return mrl_error__set(error, -EINVAL,
                              "a URL with a name or a password in it shows in the list of "
                              "processes: say user= and password-file=");
    topic = brokers ? strchr(brokers + 3, '/') : NULL;
    if (!topic)
        return mrl_error__set(error, -EINVAL, "'%.64s' names no topic: kafka://BROKER/TOPIC", url);
    err = check_brokers(brokers + 3, topic, error);
    return err ? err : check_topic(topic + 1, error);
}

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    static const struct mrl_kafka_options none;
    const struct mrl_kafka_options *options = target->options ? target->options : &none;
    int err = check_url(target->destination, error);

    if (err)
        return err;
    if (!strcmp(target->format, "table") || !strcmp(target->format, "none"))
        return mrl_error__set(error, -EINVAL, "kafka takes events, not %s: json, for one",
                              target->format);
    if (!*options->user != !*options->files[MRL_FILE_PASSWORD])
        return mrl_error__set(error, -EINVAL, "user= and password-file= come together");
    if (options->mechanism && !*options->user)
        return mrl_error__set(error, -EINVAL, "mechanism= wants user= and password-file=");
    return mrl_files__check(target, error);
}

const struct mrl_sink_ops mrl_sink_kafka = {
    .name = "kafka",
    .doc = "A topic of Apache Kafka: what all its replicas have counts.",
    .usage = "kafka[s]://BROKER[:PORT][,BROKER[:PORT]]/TOPIC",
    .schemes = (const char *const[]){ "kafka://", "kafkas://", NULL },
    .side = "kafka",
    .takes_items = true,
    .keeps = true,
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .option_bytes = sizeof(struct mrl_kafka_options),
    .check = check,
    MRL_FILE_OPS,
    MRL_ELSEWHERE_OPS,
};
