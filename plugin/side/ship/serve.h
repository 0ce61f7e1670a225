/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A side program whose sinks have deliver(): items come from the main process, or from a spool, and
 * a thread of its own delivers them, so that the other one answers meanwhile.
 */
#ifndef MRL_SIDE_SHIP_SERVE_H
#define MRL_SIDE_SHIP_SERVE_H

#include "side/common/program.h"

/** How long the end waits for what is on its way. */
enum { MRL_SHIP_END_MS = 1000 };

struct mrl_ship_program {
    /** The sink of this name, with all its functions; NULL: there is none. */
    const struct mrl_sink_ops *(*row)(const char *name);
    /** As mrl_side_program.reopen, but between two calls of deliver(), in their thread. */
    int (*reopen)(struct mrl_sink *sink, const int *fds, struct mrl_error *error);
};

/** What main() of such a program does: gives up all but what mrl_ship__keep_rights() says, and
 * serves. Does not return. */
_Noreturn void mrl_ship__main(int argc, char **argv, const struct mrl_ship_program *program);

#endif
