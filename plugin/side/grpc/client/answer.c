// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/client/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/grpc/common/verbs.h"

static uint8_t *pack(const ProtobufCMessage *message, size_t *ret_size)
{
    uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);

    *ret_size = bytes ? protobuf_c_message_pack(message, bytes) : 0;
    return bytes;
}

/* Calls with this request; a status that is not OK is an error. */
int mrl_client__call(const struct mrl_grpc_peer *peer,
                     const ProtobufCMessage *request,
                     struct mrl_client_call *call,
                     struct mrl_error *error)
{
    struct mrl_channel *channel;
    int err = mrl_channel__new(peer, error, &channel);
    uint8_t *bytes;

    if (err)
        return err;
    bytes = pack(request, &call->request_size);
    call->request = bytes;
    if (bytes)
        mrl_channel__call(channel, call);
    mrl_channel__free(channel);
    free(bytes);
    if (!bytes)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    if (call->taken || call->status == GRPC_STATUS_OK)
        return call->taken;
    return mrl_error__set(error, call->connected ? -EPROTO : -ECONNREFUSED, "%.128s: %.256s",
                          peer->server, *call->text ? call->text : "no answer");
}

int mrl_client__print(const char *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stdout) == size ? 0 : -EPIPE;
}

int mrl_client__print_json(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int err = text ? mrl_client__print(text, strlen(text)) : -ENOMEM;

    free(text);
    return !err && putchar('\n') == EOF ? -EPIPE : err;
}

static const char *word_of(int err)
{
    return err == -EPIPE    ? "standard output takes nothing"
           : err == -EPROTO ? "the server sent what is no answer"
                            : strerror(-err);
}

/* What take() said is an error becomes one. */
int mrl_client__finish(int err, struct mrl_error *error)
{
    if (!err && fflush(stdout))
        err = -EPIPE;
    if (err == -ENOMEM || err == -EPIPE || (err == -EPROTO && !*error->text))
        mrl_error__set(error, err, "%s", word_of(err));
    return err;
}
