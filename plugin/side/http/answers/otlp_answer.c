// SPDX-License-Identifier: Apache-2.0
#include "side/http/answers/otlp_answer.h"

#include <errno.h>
#include <otlp.pb-c.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MAX_MS = 600 * 1000 };

int mrl_otlp__read_answer(const void *bytes, size_t size, struct mrl_otlp_answer *ret_answer)
{
    Otlp__ExportLogsServiceResponse *answer =
        otlp__export_logs_service_response__unpack(NULL, size, bytes);

    *ret_answer = (struct mrl_otlp_answer){ .text = "" };
    if (!answer)
        return -EPROTO;
    if (answer->partial_success) {
        ret_answer->rejected = (uint64_t)answer->partial_success->rejected_log_records;
        snprintf(ret_answer->text, sizeof(ret_answer->text), "%s",
                 answer->partial_success->error_message);
    }
    otlp__export_logs_service_response__free_unpacked(answer, NULL);
    return 0;
}

/* What is negative, or too long, is bounded. */
static uint32_t duration_ms(const Otlp__Duration *duration)
{
    const int64_t seconds = duration && duration->seconds > 0 ? duration->seconds : 0;
    const int32_t nanos = duration && duration->nanos > 0 ? duration->nanos : 0;

    return seconds < WAIT_MAX_MS / 1000 && nanos < 1000000000
               ? (uint32_t)seconds * 1000 + (uint32_t)nanos / 1000000
               : WAIT_MAX_MS;
}

bool mrl_otlp__read_retry(const void *bytes, size_t size, uint32_t *ret_ms)
{
    Otlp__Status *status = otlp__status__unpack(NULL, size, bytes);
    bool is_there = false;

    for (size_t i = 0; status && !is_there && i < status->n_details; i++) {
        const Otlp__Any *any = status->details[i];
        Otlp__RetryInfo *info;

        is_there = !strcmp(any->type_url, "type.googleapis.com/google.rpc.RetryInfo");
        if (!is_there)
            continue;
        info = otlp__retry_info__unpack(NULL, any->value.len, any->value.data);
        *ret_ms = info ? duration_ms(info->retry_delay) : 0;
        if (info)
            otlp__retry_info__free_unpacked(info, NULL);
    }
    if (status)
        otlp__status__free_unpacked(status, NULL);
    return is_there;
}
