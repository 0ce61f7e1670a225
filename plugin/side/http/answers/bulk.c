// SPDX-License-Identifier: Apache-2.0
#include "side/http/answers/bulk.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* What a status of an item means: the first row that has it. An error of that type alone; NULL:
 * any. */
static const struct {
    json_int_t from, to;
    const char *type;
    enum mrl_item_verdict verdict;
} statuses[] = {
    { 200, 201, NULL, MRL_VERDICT_TAKEN },
    { 409, 409, NULL, MRL_VERDICT_TAKEN }, /* it is there already */
    { 408, 408, NULL, MRL_VERDICT_AGAIN },
    { 429, 429, NULL, MRL_VERDICT_AGAIN },
    { 401, 401, NULL, MRL_VERDICT_MISCONFIGURED },
    { 403, 403, NULL, MRL_VERDICT_MISCONFIGURED }, /* cluster_block_exception: a full disk */
    { 404, 404, NULL, MRL_VERDICT_MISCONFIGURED }, /* no such index, and it may not be made */
    /* Of the cluster, not of the item. */
    { 400, 400, "validation_exception", MRL_VERDICT_MISCONFIGURED },
    { 400, 400, "index_closed_exception", MRL_VERDICT_MISCONFIGURED },
    { 400, 400, "invalid_index_name_exception", MRL_VERDICT_MISCONFIGURED },
    { 400, 499, NULL, MRL_VERDICT_REFUSED },
};

static enum mrl_item_verdict verdict_of(json_int_t status, const char *type)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (status >= statuses[i].from && status <= statuses[i].to &&
            (!statuses[i].type || (type && !strcmp(type, statuses[i].type))))
            return statuses[i].verdict;
    return MRL_VERDICT_AGAIN;
}

/* Of {"create": {"status": 400, "error": {"type": "…", "reason": "…"}}} the inner object. */
static const json_t *result_of(const json_t *items, size_t i)
{
    const json_t *item = json_array_get(items, i);
    void *first = json_object_iter((json_t *)(uintptr_t)item);

    return first ? json_object_iter_value(first) : NULL;
}

static void judge_one(const struct mrl_http *http,
                      const json_t *result,
                      size_t item,
                      struct mrl_delivery *delivery)
{
    const json_t *error = json_object_get(result, "error");
    const char *type = json_string_value(json_object_get(error, "type"));
    const char *reason = json_string_value(json_object_get(error, "reason"));
    json_int_t status = json_integer_value(json_object_get(result, "status"));
    enum mrl_item_verdict verdict = verdict_of(status, type);
    char what[200], why[200];

    if (verdict == MRL_VERDICT_TAKEN) {
        mrl_delivery__judge(delivery, item, verdict, NULL);
        return;
    }
    type = type ? type : "no error is named";
    reason = reason ? reason : "";
    mrl_delivery__judge(delivery, item, verdict, "%lld %.60s: %s", (long long)status,
                        mrl_http__quote(http, type, strlen(type), what),
                        mrl_http__quote(http, reason, strlen(reason), why));
}

int mrl_bulk__judge(const struct mrl_http *http,
                    const char *bytes,
                    size_t size,
                    size_t count,
                    struct mrl_delivery *delivery)
{
    json_t *answer = size ? json_loadb(bytes, size, 0, NULL) : NULL;
    const json_t *items = json_object_get(answer, "items");
    int err = json_array_size(items) == count ? 0 : -EPROTO;

    for (size_t i = 0; !err && i < count; i++)
        if (!json_is_integer(json_object_get(result_of(items, i), "status")))
            err = -EPROTO;
    for (size_t i = 0; !err && i < count; i++)
        judge_one(http, result_of(items, i), i, delivery);
    json_decref(answer);
    return err;
}
