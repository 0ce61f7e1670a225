/* SPDX-License-Identifier: Apache-2.0 */
/* Events as protobuf-c messages, built from what Tracee sends and not from what the encoder writes.
 */
#ifndef MRL_TESTS_MESSAGES_H
#define MRL_TESTS_MESSAGES_H

#include <mrelease/event.h>

#include "encode/protobuf.h"

/** An encoder; fails the test where there is no memory. */
struct mrl_protobuf *test_protobuf(enum mrl_grpc_dialect dialect, uint32_t extras);

/** StreamEventsResponse of an event as protobuf-c packs it; a new buffer. */
struct mrl_text test_message(const struct mrl_event *event,
                             enum mrl_grpc_dialect dialect,
                             uint32_t extras);

/** Fails where the encoder writes other bytes than protobuf-c packs. */
void assert_same_message(struct mrl_protobuf *encoder,
                         const struct mrl_event *event,
                         enum mrl_grpc_dialect dialect,
                         uint32_t extras);

#endif
