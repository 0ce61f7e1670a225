/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of an output that serves gRPC. */
#ifndef MRL_GRPC_COMMON_OPTIONS_H
#define MRL_GRPC_COMMON_OPTIONS_H

#include <mrelease/error.h>
#include <stdbool.h>

/** Room for a path in a setting. */
enum { MRL_FILE_MAX = 512 };

/** How a server serves. */
struct mrl_server_options {
    bool is_main;        /* events as Tracee's main branch has them */
    int disconnect_slow; /* 1: a client that does not keep up is sent away; 0: it misses the oldest
                          */
    bool read_only;      /* clients may change nothing */
    bool insecure;       /* other than loopback addresses are served without TLS */
    unsigned int mode;   /* of a unix socket; 0: 0600 */
    char group[64];      /* of a unix socket, whose members may connect; "": none */
    /* Paths of PEM files; "": none. */
    char cert[MRL_FILE_MAX], key[MRL_FILE_MAX]; /* both or none */
    char client_ca[MRL_FILE_MAX];               /* who signs those of clients, which are wanted */
};

/** Reads "name=value,name=value". Error: -EINVAL, with the nearest word. */
int mrl_server_options__read(struct mrl_server_options *options,
                             const char *settings,
                             struct mrl_error *error);

#endif
