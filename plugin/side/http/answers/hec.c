// SPDX-License-Identifier: Apache-2.0
#include "side/http/answers/hec.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static long long number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    long long number = json_is_integer(value) ? json_integer_value(value) : -1;

    return number < 0 ? -1 : number;
}

int mrl_hec__read(const char *bytes, size_t size, struct mrl_hec_answer *ret_answer)
{
    json_t *answer = size ? json_loadb(bytes, size, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(answer, "text"));
    long long code = number(answer, "code");

    *ret_answer = (struct mrl_hec_answer){ .code = code > 1000 ? -1 : (long)code,
                                           .ack = number(answer, "ackId"),
                                           .wrong = number(answer, "invalid-event-number") };
    snprintf(ret_answer->text, sizeof(ret_answer->text), "%s", text ? text : "");
    json_decref(answer);
    return ret_answer->code < 0 ? -EPROTO : 0;
}

bool mrl_hec__is_acked(const char *bytes, size_t size, long long ack)
{
    json_t *answer = size ? json_loadb(bytes, size, 0, NULL) : NULL;
    char id[24];
    bool is_acked;

    snprintf(id, sizeof(id), "%lld", ack);
    is_acked = json_is_true(json_object_get(json_object_get(answer, "acks"), id));
    json_decref(answer);
    return is_acked;
}
