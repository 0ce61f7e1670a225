/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to _bulk: strangers' bytes. */
#ifndef MRL_SIDE_HTTP_BULK_H
#define MRL_SIDE_HTTP_BULK_H

#include "side/http/transport.h"

/** Judges `count` items by what a server said. Error: -EPROTO: it is no such answer, and nothing is
 * judged. */
int mrl_bulk__judge(const struct mrl_http *http,
                    const char *bytes,
                    size_t size,
                    size_t count,
                    struct mrl_delivery *delivery);

#endif
