/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "names": asks the runtimes of this host for the names of containers. A row as that of
 * a sink, which mrl_sides__names() returns; the side program fills in what it does.
 */
#ifndef MRL_SIDE_COMMON_NAMES_SERVICE_H
#define MRL_SIDE_COMMON_NAMES_SERVICE_H

#include <mrelease/names.h>
#include <mrelease/sink.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MRL_NAMES_SOCKETS_MAX = 12,
    MRL_NAMES_PATH_BYTES = 108 /* of a unix socket, with its NUL */
};

struct mrl_names_socket {
    enum mrl_runtime runtime; /* MRL_RUNTIME_UNKNOWN: there is none */
    char path[MRL_NAMES_PATH_BYTES];
};

/** Where runtimes listen. None: at the usual paths. */
struct mrl_names_options {
    struct mrl_names_socket sockets[MRL_NAMES_SOCKETS_MAX];
};

extern const struct mrl_sink_ops mrl_service_names;

/** Where runtimes usually listen; a runtime may have several places. `MRL_NAMES_SOCKETS_MAX` of
 * them at most. Static. */
const struct mrl_names_socket *mrl_names__usual_sockets(size_t *ret_count);

/** Reads "RUNTIME=PATH". Error: -EINVAL, with a line that names the nearest right word. */
int mrl_names_socket__read(const char *text,
                           struct mrl_names_socket *ret_socket,
                           struct mrl_error *error);

/** The same, as a row reads it: adds it to the struct mrl_names_options at `member`. Error: -E2BIG.
 */
int mrl_names_options__add(void *member, const char *text, struct mrl_error *error);

#endif
