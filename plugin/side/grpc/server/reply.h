/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to a request: one message, or a status that is not OK. */
#ifndef MRL_GRPC_SERVER_REPLY_H
#define MRL_GRPC_SERVER_REPLY_H

#include <grpc/status.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct mrl_call;

/** What a method answers. */
struct mrl_reply {
    struct mrl_call *call; /* that is answered; NULL in tests */
    uint8_t *bytes;        /* of malloc(), the caller's to free; NULL: an empty message */
    size_t size;
    grpc_status_code status;
    char text[256];
};

/** Sets a status that is not OK, and its text. */
__attribute__((format(printf, 3, 4))) void mrl_reply__fail(struct mrl_reply *reply,
                                                           grpc_status_code status,
                                                           const char *format,
                                                           ...);

/** Encodes a message; without memory it becomes a status. */
void mrl_reply__pack(struct mrl_reply *reply, const ProtobufCMessage *message);

#endif
