/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs stream, metrics and health ask of the side program. */
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

/** How a client is started: all words are there, "" where nothing was said. */
enum mrl_client_word {
    MRL_CLIENT_VERB, /* stream, metrics or health */
    MRL_CLIENT_SERVER,
    MRL_CLIENT_CA,
    MRL_CLIENT_CERT,
    MRL_CLIENT_KEY,
    MRL_CLIENT_TIMEOUT_MS,
    MRL_CLIENT_FORMAT, /* of events, or of counters */
    MRL_CLIENT_MASK,
    MRL_CLIENT_COUNT,
    MRL_CLIENT_FLAG, /* "1": --wait, or --watch */
    MRL_CLIENT_SERVICE,
    MRL_CLIENT_POLICIES, /* the first of them */
    MRL_CLIENT_WORDS_MAX = MRL_CLIENT_POLICIES + MRL_GRPC_POLICIES_MAX,
};

#endif
