/* SPDX-License-Identifier: Apache-2.0 */
/* Writing bytes to a descriptor, for sinks whose bytes are no lines. */
#ifndef MRL_SINKS_DESCRIPTOR_H
#define MRL_SINKS_DESCRIPTOR_H

#include <stddef.h>

/**
 * Writes over short writes and EINTR, and waits where the descriptor does not. `stop` is that of a
 * struct mrl_chunk. Returns the bytes written; where they are fewer than asked, `*ret_err` says
 * why, and else it is 0.
 */
size_t mrl_sink__write_bytes(int fd, const char *bytes, size_t size, const int *stop, int *ret_err);

#endif
