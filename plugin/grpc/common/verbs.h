/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs stream, metrics and health ask of the module. */
#ifndef MRL_GRPC_COMMON_VERBS_H
#define MRL_GRPC_COMMON_VERBS_H

#include <mrelease/error.h>
#include <stdbool.h>
#include <stdint.h>

/** Whom a client calls. */
struct mrl_grpc_peer {
    const char *server; /* "unix:PATH" or "tcp:HOST:PORT" */
    const char *ca;     /* path of PEM: who signed the server's certificate; NULL: no TLS */
    const char *cert;   /* of this client, with its key; NULL: none */
    const char *key;    /* both or none */
    int timeout_ms;     /* of a call that is no stream */
    const int *stop;    /* becomes nonzero (an atomic load): a call ends with -ECANCELED */
};

enum { MRL_GRPC_POLICIES_MAX = 16 };

/** What a client wants of StreamEvents. */
struct mrl_grpc_subscription {
    const char *format;
    const char *mask; /* paths, separated by commas; NULL: all fields */
    const char *policies[MRL_GRPC_POLICIES_MAX];
    unsigned int policy_count;
    uint64_t count; /* ends after so many events; 0: never */
    bool waits;     /* for a server that is not there yet */
};

/** What clients do. All print to standard output, and say the rest in the program's log. Errors:
 * -EINVAL an address, a file or a setting; -ECONNREFUSED no server; -EPROTO it answers with
 * an error status or with bytes that are no answer; -EPIPE standard output takes nothing;
 * -ECANCELED; each with a line.
 */
struct mrl_grpc_client {
    /** Prints events until the end that is asked for, over restarts of the server. */
    int (*stream)(const struct mrl_grpc_peer *peer,
                  const struct mrl_grpc_subscription *subscription,
                  struct mrl_error *error);
    /** Prints the counters, as a table or as JSON. */
    int (*metrics)(const struct mrl_grpc_peer *peer, bool json, struct mrl_error *error);
    /** Prints how the service fares ("": the server); `watches`: at each change, without an end.
     * `*ret_serves` is what was said last. */
    int (*health)(const struct mrl_grpc_peer *peer,
                  const char *service,
                  bool watches,
                  bool *ret_serves,
                  struct mrl_error *error);
};

#endif
