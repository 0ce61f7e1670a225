/* SPDX-License-Identifier: Apache-2.0 */
/* How many connections a server may have. */
#ifndef MRL_GRPC_LISTEN_CONNECTIONS_H
#define MRL_GRPC_LISTEN_CONNECTIONS_H

#include <stdbool.h>

enum {
    MRL_CONNECTIONS_MAX = 4096,
    MRL_TLS_CONNECTIONS_MAX =
        1024, /* each takes some 70 KiB: what the program may have is for more than that */
};

/** As many as there are descriptors for, whose limit is raised as far as it may, and memory. */
unsigned int mrl_connections__most(bool has_tls);

#endif
