/* SPDX-License-Identifier: Apache-2.0 */
/* How a server serves: what its row describes, and where it listens (address.h) goes by. */
#ifndef MRL_SINKS_SERVER_OPTIONS_H
#define MRL_SINKS_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

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

#endif
