// SPDX-License-Identifier: Apache-2.0
/* What a request's end means for all of its items. The result is looked at first: a code may be
 * there, and the answer not. */
#include <stdio.h>
#include <string.h>

#include "side/http/sink.h"

/* The first row that has the code. */
static const struct mrl_http_status usual[] = {
    { 200, 299, MRL_HTTP_READ },
    { 300, 399, MRL_HTTP_MISCONFIGURED }, /* nobody is sent to another host */
    { 400, 400, MRL_HTTP_HALVE },
    { 408, 408, MRL_HTTP_AGAIN },
    { 413, 413, MRL_HTTP_HALVE },
    { 422, 422, MRL_HTTP_HALVE },
    { 425, 425, MRL_HTTP_AGAIN },
    { 429, 429, MRL_HTTP_AGAIN },
    { 400, 499, MRL_HTTP_MISCONFIGURED }, /* of no item: who, where, how */
    { 501, 501, MRL_HTTP_MISCONFIGURED },
    { 505, 505, MRL_HTTP_MISCONFIGURED },
    { 500, 599, MRL_HTTP_AGAIN },
    { 0, 0, MRL_HTTP_AGAIN },
};

/* All other results: it is sent again. */
static const CURLcode misconfigured[] = {
    CURLE_UNSUPPORTED_PROTOCOL,     CURLE_URL_MALFORMAT,      CURLE_PEER_FAILED_VERIFICATION,
    CURLE_SSL_CERTPROBLEM,          CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
    CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CIPHER,
};

/* NULL: no row has it. */
static const struct mrl_http_status *find(const struct mrl_http_status *rows, long status)
{
    for (; rows && rows->to; rows++)
        if (status >= rows->from && status <= rows->to)
            return rows;
    return NULL;
}

static enum mrl_http_meaning meaning_of_status(const struct mrl_sink *sink, long status)
{
    const struct mrl_http_status *row = find(sink->destination->statuses, status);

    row = row ? row : find(usual, status);
    return row ? row->meaning : MRL_HTTP_AGAIN;
}

static enum mrl_http_meaning meaning_of_result(const struct mrl_http_answer *answer)
{
    for (size_t i = 0; i < sizeof(misconfigured) / sizeof(misconfigured[0]); i++)
        if (answer->result == misconfigured[i])
            return MRL_HTTP_MISCONFIGURED;
    /* TLS 1.3: a server refuses a client's certificate after the handshake, by an alert. */
    return strstr(answer->why, " alert ") ? MRL_HTTP_MISCONFIGURED : MRL_HTTP_AGAIN;
}

void mrl_http_sink__judge_as(const struct mrl_items *items,
                             enum mrl_http_meaning meaning,
                             const char *line,
                             struct mrl_delivery *delivery)
{
    enum mrl_item_verdict verdict = (enum mrl_item_verdict)meaning;

    delivery->halve = meaning == MRL_HTTP_HALVE;
    if (delivery->halve)
        verdict = items->count == 1 ? MRL_VERDICT_REFUSED : MRL_VERDICT_AGAIN;
    mrl_delivery__judge_all(delivery, 0, items->count, verdict, "%s", line);
}

bool mrl_http_sink__judge(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          const struct mrl_http_answer *answer,
                          struct mrl_delivery *delivery)
{
    char line[300], text[200];

    delivery->wait_ms = answer->wait_ms;
    if (answer->result != CURLE_OK) {
        mrl_http__quote(sink->http, answer->why, strlen(answer->why), text);
        snprintf(line, sizeof(line), "%s", answer->is_stopped ? "the sensor ends" : text);
        mrl_http_sink__judge_as(items, meaning_of_result(answer), line, delivery);
        return false;
    }
    if (meaning_of_status(sink, answer->status) == MRL_HTTP_READ)
        return true;
    mrl_http__quote(sink->http, answer->body, answer->size, text);
    snprintf(line, sizeof(line), "HTTP %ld%s%s", answer->status, *text ? ": " : "", text);
    mrl_http_sink__judge_as(items, meaning_of_status(sink, answer->status), line, delivery);
    return false;
}

void mrl_http_sink__take_all(const struct mrl_items *items, struct mrl_delivery *delivery)
{
    mrl_delivery__judge_all(delivery, 0, items->count, MRL_VERDICT_TAKEN, NULL);
}

void mrl_http_sink__doubt(struct mrl_sink *sink,
                          const struct mrl_items *items,
                          const struct mrl_http_answer *answer,
                          struct mrl_delivery *delivery)
{
    char text[200];

    mrl_http__quote(sink->http, answer->body, answer->size, text);
    mrl_delivery__judge_all(delivery, 0, items->count, MRL_VERDICT_AGAIN,
                            "HTTP %ld, and an answer that is not understood: %s", answer->status,
                            text);
}
