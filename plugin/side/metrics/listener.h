/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepts connections, and bounds them: so many at a time, each for so long, whatever it sends or
 * takes. When there are too many, the oldest goes: who comes to ask is served in the end.
 */
#ifndef MRL_METRICS_LISTENER_H
#define MRL_METRICS_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

enum {
    MRL_HTTP_CONNECTIONS = 64, /* at a time */
    MRL_HTTP_HELD = 128,       /* with those that are being closed */
    MRL_HTTP_FILES = 256,      /* descriptors of the process */
    MRL_HTTP_HANG_MS = 6000,   /* that closing one may take; longer than an answer of the sensor */
    MRL_HTTP_LIFE_MS = 10000,  /* of a connection, from its first byte to its last */
};

struct mrl_http_listener;

/** Accepts at `socket`, which is borrowed; `take` is called for each connection, on the thread that
 * this starts, and takes it over. `*ret_listener` is new. Errors: as eventfd() and
 * pthread_create(). */
int mrl_http_listener__open(
    int socket,
    void (*take)(void *context, int fd, const struct sockaddr *peer, socklen_t peer_size),
    void *context,
    struct mrl_http_listener **ret_listener);

/** A connection is about to be closed: its number is another's from then on. Any thread. */
void mrl_http_listener__forget(struct mrl_http_listener *listener, int fd);

/** Whether who takes connections over gets on: closes those that were cut. Any thread. */
bool mrl_http_listener__lives(struct mrl_http_listener *listener);

/** Ends the thread: nothing more is accepted. Connections stay. */
void mrl_http_listener__stop(struct mrl_http_listener *listener);

/** After stop(). NULL is allowed. */
void mrl_http_listener__free(struct mrl_http_listener *listener);

#endif
