// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mrl_reply__fail(struct mrl_reply *reply, grpc_status_code status, const char *format, ...)
{
    va_list arguments;

    reply->status = status;
    va_start(arguments, format);
    vsnprintf(reply->text, sizeof(reply->text), format, arguments);
    va_end(arguments);
}

void mrl_reply__pack(struct mrl_reply *reply, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);

    reply->bytes = malloc(size + 1);
    if (!reply->bytes) {
        mrl_reply__fail(reply, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    reply->size = protobuf_c_message_pack(message, reply->bytes);
}
