/* SPDX-License-Identifier: Apache-2.0 */
/* Who is spoken to: HOST, or HOST:PORT. */
#ifndef MRL_SINKS_AUTHORITY_H
#define MRL_SINKS_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

/** Whether `size` bytes of `text` are a host, or one of IPv6 in brackets, with or without a port.
 * Touches nothing. */
bool mrl_authority__is(const char *text, size_t size);

#endif
