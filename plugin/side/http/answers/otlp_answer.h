/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenTelemetry's collectors answer: strangers' bytes. */
#ifndef MRL_SIDE_HTTP_OTLP_ANSWER_H
#define MRL_SIDE_HTTP_OTLP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mrl_otlp_answer {
    uint64_t rejected;
    char text[128]; /* cut where it is longer */
};

/** ExportLogsServiceResponse. Returns 0, or -EPROTO: it is no such answer. */
int mrl_otlp__read_answer(const void *bytes, size_t size, struct mrl_otlp_answer *ret_answer);

/** Whether google.rpc.Status holds a RetryInfo, and its pause, which is bounded. */
bool mrl_otlp__read_retry(const void *bytes, size_t size, uint32_t *ret_ms);

#endif
