/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that ask runtimes: one for each interface, so that one that hangs is in nobody's way.
 * One per process. */
#ifndef MRL_SIDE_NAMES_RESOLVER_H
#define MRL_SIDE_NAMES_RESOLVER_H

#include <mrelease/error.h>

#include "side/common/names/service.h"
#include "side/names/asker.h"

/** Starts them; `options` is copied. Errors: of pthread_create(), with a line. */
int mrl_resolver__start(const struct mrl_names_options *options, struct mrl_error *error);

/** Takes questions: a message of type LOOKUP. Error: -EPROTO. */
int mrl_resolver__take(const struct mrl_side_message *message);

/** The sockets to look at: those of `options`, or the usual ones. */
const struct mrl_names_socket *mrl_resolver__sockets(const struct mrl_names_options *options,
                                                     size_t *ret_count,
                                                     bool *ret_named);

/** Reaches for a runtime, and names all that runs: what it is then, and `why` where it is not up.
 */
enum mrl_asker_state mrl_resolver__reach(struct mrl_asker *asker,
                                         struct mrl_naming *room,
                                         void (*take)(void *context,
                                                      const struct mrl_naming *naming),
                                         void *context,
                                         bool *ret_lacks);

#endif
