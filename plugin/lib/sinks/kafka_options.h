/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the sink "kafka", which its row (kafka.c) describes and its side program reads. */
#ifndef MRL_SINKS_KAFKA_OPTIONS_H
#define MRL_SINKS_KAFKA_OPTIONS_H

#include "sinks/files.h"

enum { MRL_KAFKA_TOPIC_MAX = 249, MRL_KAFKA_URL_MAX = 1024 };

/** Zeroed means as if nothing was said. */
struct mrl_kafka_options {
    char files[MRL_FILES][MRL_FILE_PATH_MAX]; /**< as mrl_secret__read() has it; "": none */
    char user[64];
    char client_id[64]; /**< "": "mrelease" */
    int compress;       /**< index of mrl_kafka_codecs */
    int mechanism;      /**< index of mrl_kafka_mechanisms */
    int no_key;         /**< chance chooses the partition; else the host's name */
};

/** As librdkafka calls them; NULL ends them. */
extern const char *const mrl_kafka_codecs[], *const mrl_kafka_mechanisms[];

/** The row; the side program fills in what it does. */
extern const struct mrl_sink_ops mrl_sink_kafka;

#endif
