/* SPDX-License-Identifier: Apache-2.0 */
/* What Docker and Podman answer, read: any bytes. */
#ifndef MRL_SIDE_NAMES_DOCKER_H
#define MRL_SIDE_NAMES_DOCKER_H

#include <jansson.h>

#include "side/names/naming.h"

/** Has jansson ask for no more memory than an answer may cost. Before any other thread. */
void mrl_docker__bound_memory(void);

/** Reads a list of containers, one after the other: what one costs is free again before the next.
 * Anything but 0 of `take` ends it, and is returned. Error: -EBADMSG it is no list, or is none any
 * more behind those that were taken. */
int mrl_docker__each(const char *bytes,
                     size_t size,
                     int (*take)(void *context, const json_t *container),
                     void *context);

/** One of them. Returns false: it has no id. `*ret_image` is borrowed: the id of its image, or
 * NULL.
 */
bool mrl_docker__read_container(const json_t *container,
                                enum mrl_runtime runtime,
                                struct mrl_naming *ret_naming,
                                const char **ret_image);

/** The first of RepoDigests, of an image. */
void mrl_docker__read_digest(const char *bytes, size_t size, struct mrl_naming *naming);

#endif
