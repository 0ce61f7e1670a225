/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets in the file system, with a mode, an owner and a lock. */
#ifndef MRL_SINKS_LISTEN_ADDRESS_UNIX_H
#define MRL_SINKS_LISTEN_ADDRESS_UNIX_H

#include <mrelease/error.h>
#include <stdbool.h>

#include <sys/types.h>
#include <sys/un.h>

/** A socket that listens; closed, and removed from the file system, by mrl_address__release(). */
struct mrl_address {
    int socket, lock;  /* -1: none; lock: of the path */
    unsigned int mode; /* of a unix socket: who may connect */
    gid_t group;       /* its members are served too; -1: none */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": none */
    bool is_bound;                                          /* the path is ours to remove */
};

/**
 * Listens at `path`, shorter than sockaddr_un has room, by a socket of `type`. A stale socket there
 * is replaced, a live one is an error. `group`: whose members may connect, too; "": nobody's.
 * `address` holds -1 for what it has not, before and after; whatever comes, it is released later.
 * Errors, with a line: -EADDRINUSE another has it; -EEXIST it is no socket; -EINVAL there is no
 * such group; as open(), socket(), bind() and listen().
 */
int mrl_address__listen_unix(const char *path,
                             int type,
                             unsigned int mode,
                             const char *group,
                             struct mrl_error *error,
                             struct mrl_address *address);

/** Closes the socket, removes its path, and gives the lock back. */
void mrl_address__release(struct mrl_address *address);

#endif
