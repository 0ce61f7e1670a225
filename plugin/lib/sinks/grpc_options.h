/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the sink "grpc", which its row (grpc.c) describes and its side program reads. */
#ifndef MRL_SINKS_GRPC_OPTIONS_H
#define MRL_SINKS_GRPC_OPTIONS_H

#include <mrelease/sink.h>

#include <sys/types.h>

/** Where Tracee's clients look. */
#define MRL_GRPC_DESTINATION "unix:/var/run/tracee.sock"

/** Room for a path in a setting. */
enum { MRL_FILE_MAX = 512 };

/** How a server serves. */
struct mrl_server_options {
    bool is_main;        /* events as Tracee's main branch has them */
    int disconnect_slow; /* a client whose ring is full, in place of dropping the oldest */
    bool read_only;      /* clients may change nothing */
    bool control;        /* all of them may */
    bool insecure;       /* other than loopback addresses are served without TLS */
    unsigned int mode;   /* of a unix socket; 0: 0600 */
    char group[64];      /* of a unix socket, whose members may connect; "": none */
    /* Paths of PEM files; "": none. */
    char cert[MRL_FILE_MAX], key[MRL_FILE_MAX]; /* both or none */
    char client_ca[MRL_FILE_MAX];               /* who signs those of clients, which are wanted */
    /* Filled in by prepare(): who may connect to a unix socket. */
    unsigned int socket_mode;
    gid_t socket_group; /* -1: none */
    uid_t owner;        /* the sensor's own user */
};

/** The descriptors that prepare() opens. */
enum { MRL_GRPC_FD_SOCKET, MRL_GRPC_FD_CERT, MRL_GRPC_FD_KEY, MRL_GRPC_FD_CA };

/** Fills in what follows from other options. Error: -EINVAL: they do not go together. */
int mrl_server_options__complete(struct mrl_server_options *options, struct mrl_error *error);

/** The row; the side program replaces open, write and close by its own. */
extern const struct mrl_sink_ops mrl_sink_grpc;

#endif
