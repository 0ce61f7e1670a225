// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a server answers: each item keeps a verdict that there is, or none. */
#include "fuzz.h"
#include "side/http/answers/bulk.h"
#include "side/http/answers/hec.h"
#include "side/http/answers/otlp_answer.h"

enum { ITEMS = 4 };

static struct mrl_http *transport(void)
{
    static const struct mrl_http_options options;
    static struct mrl_http *http;

    if (!http)
        must(!mrl_http__new("http://h/", &options, "Bearer ", -1, NULL, &http));
    return http;
}

static void judge_bulk(const char *bytes, size_t size)
{
    struct mrl_judged judged[ITEMS + 1] = { { 0, 0 } };
    struct mrl_delivery delivery = { .judged = judged };
    int err = mrl_bulk__judge(transport(), bytes, size, ITEMS, &delivery);

    must(delivery.reason_count <= MRL_REASONS_MAX && !judged[ITEMS].verdict);
    for (unsigned int i = 0; i < ITEMS; i++)
        must(judged[i].verdict <= MRL_VERDICT_MISCONFIGURED &&
             judged[i].reason <= delivery.reason_count && (!err || !judged[i].verdict));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct mrl_hec_answer hec;
    struct mrl_otlp_answer otlp;
    uint32_t wait_ms = 0;
    char line[200];

    judge_bulk(bytes, size);
    must(mrl_hec__read(bytes, size, &hec) || hec.code >= 0);
    mrl_hec__is_acked(bytes, size, 7);
    if (!mrl_otlp__read_answer(data, size, &otlp))
        mrl_http__quote(transport(), otlp.text, strlen(otlp.text), line);
    mrl_otlp__read_retry(data, size, &wait_ms);
    must(wait_ms <= 600 * 1000);
    must(strlen(mrl_http__quote(transport(), bytes, size, line)) < sizeof(line));
    return 0;
}
