/* SPDX-License-Identifier: Apache-2.0 */
/* As much of protobuf's wire format as OTLP's requests and answers need. */
#ifndef MRL_SIDE_HTTP_PROTOBUF_H
#define MRL_SIDE_HTTP_PROTOBUF_H

#include "side/ship/body.h"

/** Puts the head of field `number`, and what is in it: bytes with their size. */
void mrl_protobuf__put(struct mrl_body *body, unsigned int number, const void *bytes, size_t size);

/** As a message; borrowed. */
struct mrl_protobuf {
    const unsigned char *at, *end;
};

/** A field: a number, or bytes. */
struct mrl_protobuf_field {
    unsigned int number;
    uint64_t value;             /* 0, where it is bytes */
    const unsigned char *bytes; /* NULL, where it is a number */
    size_t size;
};

/** The next field. Returns 1; 0 after the last; -EPROTO: it is no such message. */
int mrl_protobuf__next(struct mrl_protobuf *message, struct mrl_protobuf_field *ret_field);

/** ExportLogsServiceResponse. Returns 0, or -EPROTO. */
struct mrl_otlp_answer {
    uint64_t rejected;
    const char *text; /* borrowed */
    size_t text_size;
};
int mrl_otlp__read_answer(const void *bytes, size_t size, struct mrl_otlp_answer *ret_answer);

/** Whether google.rpc.Status holds a RetryInfo, and its pause. */
bool mrl_otlp__read_retry(const void *bytes, size_t size, uint32_t *ret_ms);

#endif
