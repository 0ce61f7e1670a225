/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the destinations of this program have in common: a connection, a URL, a body. A destination
 * is one file, which ends in one struct mrl_http_destination; sink.c lists them.
 */
#ifndef MRL_SIDE_HTTP_SINK_H
#define MRL_SIDE_HTTP_SINK_H

#include "side/http/transport.h"
#include "side/ship/serve.h"

struct mrl_http_destination;

/** What a code of HTTP says of all items of a request. */
enum mrl_http_meaning {
    MRL_HTTP_AGAIN = MRL_VERDICT_AGAIN,
    MRL_HTTP_REFUSED = MRL_VERDICT_REFUSED,
    MRL_HTTP_MISCONFIGURED = MRL_VERDICT_MISCONFIGURED,
    MRL_HTTP_HALVE = 16, /**< one of them spoils the rest, or they are too many */
    MRL_HTTP_READ,       /**< the answer says it */
};

struct mrl_http_status {
    long from, to;
    enum mrl_http_meaning meaning;
};

struct mrl_sink {
    const struct mrl_http_destination *destination;
    const struct mrl_http_options *options;
    struct mrl_http *http;
    char url[MRL_HTTP_URL_MAX + 256];
    char format[32];
    struct mrl_body body;
    char channel[40];         /* splunk: a UUID */
    bool has_acks;            /* splunk: it is known that they are there */
    struct mrl_body resource; /* otlp: who sends, encoded */
    bool is_grpc, is_tls;
};

/** Static. */
struct mrl_http_destination {
    const struct mrl_sink_ops *row;
    const char *authorization; /**< what stands before a token, "Bearer " */
    const char *path;          /**< where the URL has none; NULL: as it is */
    /** Codes that mean something else than judge.c has; a row of zeros ends them. NULL: none. */
    const struct mrl_http_status *statuses;
    /** What else there is to open; NULL: nothing. Errors as open(). */
    int (*begin)(struct mrl_sink *sink, struct mrl_error *error);
    void (*deliver)(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *ret_delivery);
};

extern const struct mrl_http_destination mrl_http_elasticsearch, mrl_http_otlp, mrl_http_webhook,
    mrl_http_victorialogs, mrl_http_loki, mrl_http_splunk;

/** What the program serves. */
extern const struct mrl_ship_program mrl_http_program;

/** Lines without their newline. */
size_t mrl_http_item__size(const struct mrl_item *item);

/** Sends the sink's body to its URL. */
void mrl_http_sink__post(struct mrl_sink *sink,
                         const struct mrl_items *items,
                         const char *content_type,
                         const char *const *headers,
                         bool is_compressed,
                         struct mrl_http_answer *ret_answer);

/**
 * Judges all items by the request, but for what is 2xx and whole: then returns true, and nothing is
 * judged. judge.c has the tables.
 */
bool mrl_http_sink__judge(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          const struct mrl_http_answer *answer,
                          struct mrl_delivery *delivery);

/** Judges all items; `line` says why. One that cannot be halved is refused. */
void mrl_http_sink__judge_as(const struct mrl_items *items,
                             enum mrl_http_meaning meaning,
                             const char *line,
                             struct mrl_delivery *delivery);

/** All of them are taken. */
void mrl_http_sink__take_all(const struct mrl_items *items, struct mrl_delivery *delivery);

/** The answer is not what the protocol says: whether they were taken is not known. */
void mrl_http_sink__doubt(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          const struct mrl_http_answer *answer,
                          struct mrl_delivery *delivery);

#endif
