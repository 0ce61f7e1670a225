/* SPDX-License-Identifier: Apache-2.0 */
/* Events that a server sent: bytes that may be anything, as messages, as JSON, as events of ours.
 */
#ifndef MRL_GRPC_CLIENT_RECEIVED_H
#define MRL_GRPC_CLIENT_RECEIVED_H

#include <jansson.h>
#include <mrelease/event.h>
#include <protobuf-c/protobuf-c.h>

enum { MRL_RECEIVED_DEPTH = 64, MRL_RECEIVED_FIELDS = 32 };

/**
 * Unpacks a message. protobuf-c would follow any depth, so that messages nested deeper than
 * MRL_RECEIVED_DEPTH are refused first. Returns NULL for those and for bytes that are no message.
 * Freed by protobuf_c_message_free_unpacked(…, NULL).
 */
ProtobufCMessage *mrl_received__unpack(const ProtobufCMessageDescriptor *type,
                                       const uint8_t *bytes,
                                       size_t size);

/**
 * The message as JSON, in the way of Tracee's: names as in the .proto files, 64-bit numbers as
 * strings, times in RFC 3339, wrapped numbers bare, maps as objects, and what is not there left
 * out, but for the value of an argument, which is null then. NULL is null. New; NULL: no memory.
 */
json_t *mrl_received__json(const ProtobufCMessage *message);

/** An event of the table, and its values. */
struct mrl_received {
    struct mrl_event event;
    struct mrl_value values[MRL_RECEIVED_FIELDS];
};

struct Tracee__V1beta1__Event;

/**
 * Makes it an event of ours; what the API does not carry is 0. Texts are borrowed from the message.
 * False: the table has no event of that name.
 */
bool mrl_received__event(const struct Tracee__V1beta1__Event *message,
                         struct mrl_received *received);

#endif
