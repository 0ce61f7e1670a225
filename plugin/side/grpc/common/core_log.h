/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gRPC core says, in the program's log. Core names no peer when a handshake of TLS fails, but
 * its trace of TCP says on the same thread, right before, from whom it read: that is kept for the
 * line. The trace is on only while a handshake may be under way.
 */
#ifndef MRL_GRPC_COMMON_CORE_LOG_H
#define MRL_GRPC_COMMON_CORE_LOG_H

/** From now on core's errors are the program's warnings. After grpc_init(). */
void mrl_core_log__begin(void);

/** A handshake begins, which takes `timeout_ms` at most: if it fails, the line names the peer. Any
 * thread. */
void mrl_core_log__expect_handshake(int timeout_ms);

#endif
