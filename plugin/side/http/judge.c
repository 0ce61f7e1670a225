// SPDX-License-Identifier: Apache-2.0
/* What a request's end means for all of its items. The result is looked at first: a code may be
 * there, and the answer not. */
#include <stdio.h>
#include <string.h>

#include "side/http/sink.h"

enum meaning {
    AGAIN = MRL_VERDICT_AGAIN,
    MISCONFIGURED = MRL_VERDICT_MISCONFIGURED,
    HALVE = 16,
    READ, /* the answer says it */
};

/* The first row that has the code. */
static const struct {
    long from, to;
    int meaning;
} statuses[] = {
    { 200, 299, READ },
    { 300, 399, MISCONFIGURED }, /* nobody is sent to another host */
    { 400, 400, HALVE },
    { 408, 408, AGAIN },
    { 413, 413, HALVE },
    { 422, 422, HALVE },
    { 425, 425, AGAIN },
    { 429, 429, AGAIN },
    { 400, 499, MISCONFIGURED }, /* of no item: who, where, how */
    { 501, 501, MISCONFIGURED },
    { 505, 505, MISCONFIGURED },
    { 500, 599, AGAIN },
};

/* All other results: it is sent again. */
static const CURLcode misconfigured[] = {
    CURLE_UNSUPPORTED_PROTOCOL,      CURLE_URL_MALFORMAT,
    CURLE_PEER_FAILED_VERIFICATION,  CURLE_SSL_CERTPROBLEM,
    CURLE_SSL_CACERT_BADFILE,        CURLE_SSL_ISSUER_ERROR,
    CURLE_SSL_PINNEDPUBKEYNOTMATCH,  CURLE_SSL_CIPHER,
};

static int meaning_of_status(long status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (status >= statuses[i].from && status <= statuses[i].to)
            return statuses[i].meaning;
    return AGAIN;
}

static int meaning_of_result(const struct mrl_http_answer *answer)
{
    for (size_t i = 0; i < sizeof(misconfigured) / sizeof(misconfigured[0]); i++)
        if (answer->result == misconfigured[i])
            return MISCONFIGURED;
    /* TLS 1.3: a server refuses a client's certificate after the handshake, by an alert. */
    return strstr(answer->why, " alert ") ? MISCONFIGURED : AGAIN;
}

/* `line` says why; a single item is not halved. */
static void judge(const struct mrl_items *items,
                  int meaning,
                  const char *line,
                  struct mrl_delivery *delivery)
{
    enum mrl_item_verdict verdict = meaning == HALVE ? items->count == 1 ? MRL_VERDICT_REFUSED
                                                                         : MRL_VERDICT_AGAIN
                                                     : (enum mrl_item_verdict)meaning;

    delivery->halve = meaning == HALVE;
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
        judge(items, meaning_of_result(answer), line, delivery);
        return false;
    }
    if (meaning_of_status(answer->status) == READ)
        return true;
    mrl_http__quote(sink->http, answer->body, answer->size, text);
    snprintf(line, sizeof(line), "HTTP %ld%s%s", answer->status, *text ? ": " : "", text);
    judge(items, meaning_of_status(answer->status), line, delivery);
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
