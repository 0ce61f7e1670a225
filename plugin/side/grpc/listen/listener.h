/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that clients connect to, and the table of their connections: who they are, and a way to
 * cut them that needs nothing of core. A thread accepts, and notices who is gone.
 */
#ifndef MRL_GRPC_LISTEN_LISTENER_H
#define MRL_GRPC_LISTEN_LISTENER_H

#include <mrelease/error.h>
#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#include "side/grpc/listen/peer.h"

enum { MRL_POINTS_MAX = 300 };

struct mrl_server_options;
struct mrl_listener;
struct mrl_relays;

/** Whose connections they are. The functions are called on the listener's thread. */
struct mrl_listener_owner {
    struct mrl_relays *relays; /* of TLS; NULL: plain */
    /** Takes a connected socket over. */
    void (*accept)(void *context, int fd);
    /** Whether it has no room for more clients, at this moment. */
    bool (*is_full)(void *context);
    /** Called once a second, while there are connections. */
    void (*tick)(void *context);
    /** A number that grows while messages get through to the connection of `fd`. */
    uint64_t (*progress)(void *context, int fd);
    void *context;
};

/** Takes `socket` over, which listens. `*ret_listener` is new. Errors: -ENOMEM, or as eventfd(). */
int mrl_listener__open(int socket,
                       const struct mrl_server_options *options,
                       struct mrl_error *error,
                       struct mrl_listener **ret_listener);

/** Begins to accept. Error: -EAGAIN no thread. */
int mrl_listener__start(struct mrl_listener *listener, const struct mrl_listener_owner *owner);

/** Accepts no more, and removes the socket. The table stays, and can still be cut. Idempotent. */
void mrl_listener__stop(struct mrl_listener *listener);

/** Cuts the connection that core knows as `fd`; -1: all. Any thread. */
void mrl_listener__cut(struct mrl_listener *listener, int fd);

/** A client has done what only few of its calls should do, which is worth so many points. Where
 * they come to more than MRL_POINTS_MAX in a second, cuts the connection that core knows as `fd`,
 * names it, bans its peer (banned.h), and returns true, once. Any thread. */
bool mrl_listener__blame(struct mrl_listener *listener,
                         int fd,
                         unsigned int points,
                         char text[128]);

/** Whether peers are of this host, and say who they are. */
bool mrl_listener__is_unix(const struct mrl_listener *listener);

/** Who is at the other end of the connection that core knows as `fd`; all zeros: it is gone, or
 * there is no listener. Any thread. */
void mrl_listener__peer(struct mrl_listener *listener, int fd, struct mrl_peer_id *ret_id);

/** A duplicate of the connection that core knows as `fd`; -1: it is gone. Any thread. */
int mrl_listener__duplicate(struct mrl_listener *listener, int fd);

/** How many connections banned peers wanted. Any thread. */
unsigned long long mrl_listener__turned_away(const struct mrl_listener *listener);

/** How many connections hold bytes that their peers have not read. Any thread. */
unsigned int mrl_listener__unread(struct mrl_listener *listener);

/** Stops and frees. NULL is allowed. */
void mrl_listener__close(struct mrl_listener *listener);

#endif
