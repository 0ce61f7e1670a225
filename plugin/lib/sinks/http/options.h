/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations that are spoken to by HTTP: what their rows have in common. Rows say which URLs and
 * options there are; what is sent, and what an answer means, is in a side program
 * (plugin/side/http), which reads no file: secrets are read here, by prepare().
 */
#ifndef MRL_SINKS_HTTP_OPTIONS_H
#define MRL_SINKS_HTTP_OPTIONS_H

#include <mrelease/sink.h>

enum { MRL_HTTP_PATH_MAX = 176, MRL_HTTP_URL_MAX = 1024 };

/** What is read from files, in this order, into the one descriptor that prepare() opens. */
enum mrl_http_file {
    MRL_HTTP_CA, /**< PEM: who signs the server's certificate */
    MRL_HTTP_CERT,
    MRL_HTTP_KEY,
    MRL_HTTP_TOKEN,
    MRL_HTTP_PASSWORD,
    MRL_HTTP_HEADERS, /**< whole lines */
    MRL_HTTP_SIGNING_KEY,
    MRL_HTTP_FILES,
};

/** How large one may be. */
enum { MRL_HTTP_FILE_BYTES = 1024 * 1024 };

/** At the beginning of that descriptor; the files follow, one behind the other. 0: not given. */
struct mrl_http_file_sizes {
    uint32_t sizes[MRL_HTTP_FILES];
};

/** The options of all rows; each takes a part of them. Zeroed means as if nothing was said. */
struct mrl_http_options {
    char files[MRL_HTTP_FILES][MRL_HTTP_PATH_MAX]; /**< as mrl_secret__read() has it; "": none */
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

/** A file that is read at the start and on SIGHUP. */
#define MRL_HTTP_FILE(text, which, sentence)                                \
    {                                                                       \
        .name = text, .type = MRL_OPTION_COPY,                              \
        .offset = MRL_HTTP_AT(files) + (which) * (size_t)MRL_HTTP_PATH_MAX, \
        .size = MRL_HTTP_PATH_MAX, .doc = sentence, .separator = '/'        \
    }

/** The rows that every destination has. */
#define MRL_HTTP_ROWS                                                                           \
    MRL_HTTP_FILE("ca", MRL_HTTP_CA,                                                            \
                  "Who signs the server's certificate, in PEM; else whom the system trusts."),  \
        MRL_HTTP_FILE("cert", MRL_HTTP_CERT, "Certificate of the client, in PEM: mutual TLS."), \
        MRL_HTTP_FILE("key", MRL_HTTP_KEY, "Its key."),                                         \
        MRL_HTTP_FILE("token-file", MRL_HTTP_TOKEN, "Holds the token that is sent."),           \
        MRL_HTTP_TEXT("user", user, "Who it says it is, with password-file."),                  \
        MRL_HTTP_FILE("password-file", MRL_HTTP_PASSWORD, "Holds the password."),               \
        MRL_HTTP_FILE("header-file", MRL_HTTP_HEADERS, "Holds further headers, one a line."),   \
        MRL_HTTP_TEXT("pin", pin,                                                               \
                      "The server's public key, as sha256//BASE64: no other will do."),         \
        MRL_HTTP_TEXT(                                                                          \
            "proxy", proxy,                                                                     \
            "Host of a proxy; without it there is none, whatever the environment says."),       \
        { .name = "proxy-port",                                                                 \
          .type = MRL_OPTION_COUNT,                                                             \
          .offset = MRL_HTTP_AT(proxy_port),                                                    \
          .preset = "3128",                                                                     \
          .max = 65535,                                                                         \
          .doc = "Its port." },                                                                 \
    {                                                                                           \
        .name = "timeout", .type = MRL_OPTION_DURATION, .offset = MRL_HTTP_AT(timeout_ns),      \
        .preset = "60s", .min = 1000000000, .max = 600 * 1000000000ULL,                         \
        .doc = "How long a request may take; then it is sent again."                            \
    }

/** Where bodies are compressed unless told otherwise. */
#define MRL_HTTP_COMPRESS                                                                    \
    {                                                                                        \
        .name = "compress", .type = MRL_OPTION_CHOICE, .offset = MRL_HTTP_AT(is_plain),      \
        .words = (const char *const[]){ "gzip", "none", NULL }, .what = "value of compress", \
        .preset = "gzip", .doc = "How requests are compressed."                              \
    }

/** What every row says alike. */
#define MRL_HTTP_OPS                                                                              \
    .side = "http", .takes_items = true, .keeps = true,                                           \
    .option_bytes = sizeof(struct mrl_http_options), .options = rows,                             \
    .option_count = sizeof(rows) / sizeof(rows[0]), .prepare = mrl_http__prepare,                 \
    .renew = mrl_http__renew, .unprepare = mrl_http__unprepare, .open = mrl_http__open_elsewhere, \
    .write = mrl_http__write_elsewhere, .close = mrl_http__close_elsewhere

/** Whether the destination is a URL with one of these schemes ("http https"), and options go
 * together. Error: -EINVAL, with a line. */
int mrl_http__check(const struct mrl_sink_target *target,
                    const char *schemes,
                    struct mrl_error *error);

/** Whether the format is lines of JSON. Error: -EINVAL, with a line. */
int mrl_http__check_json(const struct mrl_sink_target *target, struct mrl_error *error);

/** As the members of struct mrl_sink_ops. The descriptor is fds[0]. */
int mrl_http__prepare(const struct mrl_sink_target *target,
                      void *options,
                      int *fds,
                      struct mrl_error *error,
                      void **ret_prepared);
int mrl_http__renew(void *prepared,
                    const struct mrl_sink_target *target,
                    int *fds,
                    struct mrl_error *error);
void mrl_http__unprepare(void *prepared);

/** Where nobody starts side programs. */
int mrl_http__open_elsewhere(const struct mrl_sink_target *target,
                             struct mrl_error *error,
                             struct mrl_sink **ret_sink);
int mrl_http__write_elsewhere(struct mrl_sink *sink,
                              const struct mrl_chunk *chunk,
                              size_t *ret_events);
int mrl_http__close_elsewhere(struct mrl_sink *sink);

extern const struct mrl_sink_ops mrl_sink_elasticsearch, mrl_sink_otlp, mrl_sink_webhook,
    mrl_sink_victorialogs, mrl_sink_loki, mrl_sink_splunk;

#endif
