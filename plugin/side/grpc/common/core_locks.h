/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The locks of gRPC core, which are Abseil's, a C++ library, behind C.
 */
#ifndef MRL_GRPC_COMMON_CORE_LOCKS_H
#define MRL_GRPC_COMMON_CORE_LOCKS_H

#include <mrelease/declare.h>

MRL_BEGIN_DECLARATIONS

/** Core takes its locks without noting their order, in the whole process. Before grpc_init(). */
void mrl_core_locks__trust(void);

MRL_END_DECLARATIONS

#endif
