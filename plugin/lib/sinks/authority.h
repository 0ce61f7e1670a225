/* SPDX-License-Identifier: Apache-2.0 */
/* Who is spoken to: HOST, or HOST:PORT. */
#ifndef MRL_SINKS_AUTHORITY_H
#define MRL_SINKS_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

/** Whether `size` bytes of `text` are a host, or one of IPv6 in brackets, with or without a port.
 * Touches nothing. */
bool mrl_authority__is(const char *text, size_t size);

/** What stands behind "SCHEME://" of a URL; NULL where that is none of the schemes ("http https").
 */
const char *mrl_authority__behind(const char *schemes, const char *url);

#endif
