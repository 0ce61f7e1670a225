// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/connections.h"

#include <sys/resource.h>

enum { SPARE = 256 /* descriptors for all else */ };

/* A connection takes two descriptors, one of TLS four. What is still too few bounds the
 * connections, so that the rest of the program never lacks one. */
unsigned int mrl_connections__most(bool has_tls)
{
    const unsigned int most = has_tls ? MRL_TLS_CONNECTIONS_MAX : MRL_CONNECTIONS_MAX;
    const rlim_t each = has_tls ? 4 : 2, wanted = SPARE + each * most;
    struct rlimit limit;
    rlim_t has;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return most;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    has = limit.rlim_cur > wanted ? wanted : limit.rlim_cur;
    return has > SPARE + each ? (unsigned int)((has - SPARE) / each) : 1;
}
