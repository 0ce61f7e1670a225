/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.reflection: the descriptors that were embedded at build time, as they are. A file is
 * answered with all that it imports, because clients ask for those next.
 */
#ifndef MRL_GRPC_SERVER_REFLECTION_H
#define MRL_GRPC_SERVER_REFLECTION_H

#include "side/grpc/server/reply.h"

/** The method ServerReflectionInfo, of v1 and v1alpha, whose messages are the same. */
void mrl_reflection__answer(const uint8_t *bytes, size_t size, struct mrl_reply *reply);

#endif
