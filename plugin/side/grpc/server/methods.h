/* SPDX-License-Identifier: Apache-2.0 */
/* What clients can call. */
#ifndef MRL_GRPC_SERVER_METHODS_H
#define MRL_GRPC_SERVER_METHODS_H

#include "side/grpc/server/call.h"

extern const struct mrl_method mrl_methods[];
extern const unsigned int mrl_method_count;

#endif
