/* SPDX-License-Identifier: Apache-2.0 */
/* Who could name the containers of this host: sockets, rights on them, and whether anybody answers.
 */
#ifndef MRL_COMMAND_DOCTOR_RUNTIMES_H
#define MRL_COMMAND_DOCTOR_RUNTIMES_H

#include <jansson.h>

#include "side/common/names/service.h"

enum { MRL_RUNTIMES_FOUND_MAX = 24, MRL_RUNTIME_TEXT = 112 };

/** One interface of one runtime. */
struct mrl_found_runtime {
    char runtime[16], path[MRL_NAMES_PATH_BYTES], interface[32], state[8];
    char version[MRL_RUNTIME_TEXT], why[MRL_RUNTIME_TEXT + 32];
    char owner[40]; /* "0660 root:docker" */
    unsigned int containers;
    long lookup_us; /* -1: none was tried */
};

struct mrl_found_runtimes {
    struct mrl_found_runtime at[MRL_RUNTIMES_FOUND_MAX];
    unsigned int count;
    char note[200]; /* why nobody was asked; "": somebody was */
};

/** Looks at the sockets that are named, or at the usual ones. Takes seconds where somebody hangs.
 */
void mrl_found_runtimes__look(const struct mrl_names_options *options,
                              struct mrl_found_runtimes *ret_found);

void mrl_found_runtimes__print(const struct mrl_found_runtimes *found);

/** New; NULL without memory. */
json_t *mrl_found_runtimes__json(const struct mrl_found_runtimes *found);

#endif
