/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as tracee.v1beta1.StreamEventsResponse, the message that StreamEvents sends. Written by
 * hand over the event table, because protobuf-c takes many times as long; not part of libmrelease,
 * but linked by what serves gRPC. It depends on no protobuf library.
 */
#ifndef MRL_ENCODE_PROTOBUF_H
#define MRL_ENCODE_PROTOBUF_H

#include <mrelease/encode.h>
#include <mrelease/event.h>

/** Whose events: docs and differences in proto/README.md. */
enum mrl_grpc_dialect { MRL_GRPC_V0_24, MRL_GRPC_MAIN };

/** Belongs to one thread at a time. */
struct mrl_protobuf;

/**
 * Makes an encoder. `extras`: set of extras whose fields follow the return value. `*ret_encoder` is
 * new. Error: -ENOMEM.
 */
int mrl_protobuf__new(enum mrl_grpc_dialect dialect,
                      uint32_t extras,
                      struct mrl_protobuf **ret_encoder);

/**
 * Encodes an event into a buffer of MRL_EVENT_TEXT_MAX bytes. The message lies at the *end* of the
 * buffer (it is written backwards, since a length stands before what it counts); the answer is
 * where, borrowed from the buffer. Allocates nothing, cannot fail.
 */
struct mrl_text mrl_protobuf__put(struct mrl_protobuf *encoder,
                                  const struct mrl_event *event,
                                  char buffer[MRL_EVENT_TEXT_MAX]);

/** NULL is allowed. */
void mrl_protobuf__free(struct mrl_protobuf *encoder);

#endif
