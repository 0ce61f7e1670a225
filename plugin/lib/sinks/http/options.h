/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations that are spoken to by HTTP: what their rows have in common. Rows say which URLs and
 * options there are; what is sent, and what an answer means, is in a side program
 * (plugin/side/http), which reads no file: secrets are read here, by prepare().
 */
#ifndef MRL_SINKS_HTTP_OPTIONS_H
#define MRL_SINKS_HTTP_OPTIONS_H

#include "sinks/elsewhere.h"
#include "sinks/files.h"

enum { MRL_HTTP_URL_MAX = 1024 };

/** The options of all rows; each takes a part of them. Zeroed means as if nothing was said. */
struct mrl_http_options {
    char files[MRL_FILES][MRL_FILE_PATH_MAX]; /**< as mrl_secret__read() has it; "": none */
    char user[64];
    char pin[64];    /**< "sha256//BASE64": the server's public key; "": any that is verified */
    char proxy[128]; /**< a host; "": none, whatever the environment says */
    uint64_t proxy_port;
    uint64_t timeout_ns; /**< of a request; 0: MRL_HTTP_TIMEOUT_S */
    int is_plain;        /**< bodies are not compressed */
    int is_compressed;   /**< the same, where that is not the rule */
    int is_array;        /**< webhook: one array of JSON, in place of lines */
    bool no_acks;        /**< splunk: what was parsed counts, indexed or not */
    char tenant[64];     /**< loki: X-Scope-OrgID */
    char index[64];      /**< splunk */
};

enum { MRL_HTTP_TIMEOUT_S = 60 };

#define MRL_HTTP_AT(member) offsetof(struct mrl_http_options, member)

#define MRL_HTTP_TEXT(text, member, sentence)                                   \
    {                                                                           \
        .name = text, .type = MRL_OPTION_COPY, .offset = MRL_HTTP_AT(member),   \
        .size = sizeof(((struct mrl_http_options *)0)->member), .doc = sentence \
    }

/** The rows that every destination has. */
#define MRL_HTTP_ROWS                                                                        \
    MRL_FILE_TLS_ROWS,                                                                       \
        MRL_FILE_ROW("token-file", MRL_FILE_TOKEN, "Holds the token that is sent."),         \
        MRL_HTTP_TEXT("user", user, "Who it says it is, with password-file."),               \
        MRL_FILE_ROW("password-file", MRL_FILE_PASSWORD, "Holds the password."),             \
        MRL_FILE_ROW("header-file", MRL_FILE_HEADERS, "Holds further headers, one a line."), \
        MRL_HTTP_TEXT("pin", pin,                                                            \
                      "The server's public key, as sha256//BASE64: no other will do."),      \
        MRL_HTTP_TEXT(                                                                       \
            "proxy", proxy,                                                                  \
            "Host of a proxy; without it there is none, whatever the environment says."),    \
        { .name = "proxy-port",                                                              \
          .type = MRL_OPTION_COUNT,                                                          \
          .offset = MRL_HTTP_AT(proxy_port),                                                 \
          .preset = "3128",                                                                  \
          .max = 65535,                                                                      \
          .doc = "Its port." },                                                              \
    {                                                                                        \
        .name = "timeout", .type = MRL_OPTION_DURATION, .offset = MRL_HTTP_AT(timeout_ns),   \
        .preset = "60s", .min = 1000000000, .max = 600 * 1000000000ULL,                      \
        .doc = "How long a request may take; then it is sent again."                         \
    }

/** Where bodies are compressed unless told otherwise. */
#define MRL_HTTP_COMPRESS                                                                    \
    {                                                                                        \
        .name = "compress", .type = MRL_OPTION_CHOICE, .offset = MRL_HTTP_AT(is_plain),      \
        .words = (const char *const[]){ "gzip", "none", NULL }, .what = "value of compress", \
        .preset = "gzip", .doc = "How requests are compressed."                              \
    }

/** What every row says alike. */
#define MRL_HTTP_OPS MRL_HTTP_OPS_BUT_FILES, MRL_FILE_OPS
#define MRL_HTTP_OPS_BUT_FILES                                        \
    .side = "http", .takes_items = true, .keeps = true,               \
    .option_bytes = sizeof(struct mrl_http_options), .options = rows, \
    .option_count = sizeof(rows) / sizeof(rows[0]), MRL_ELSEWHERE_OPS

/** Whether the destination is a URL with one of these schemes ("http https"), and options go
 * together. Error: -EINVAL, with a line. */
int mrl_http__check(const struct mrl_sink_target *target,
                    const char *schemes,
                    struct mrl_error *error);

/** The check of a destination by http or https that takes lines of JSON. */
int mrl_http__check_lines(const struct mrl_sink_target *target, struct mrl_error *error);

extern const struct mrl_sink_ops mrl_sink_elasticsearch, mrl_sink_otlp, mrl_sink_webhook,
    mrl_sink_victorialogs, mrl_sink_loki, mrl_sink_splunk;

#endif
