/* SPDX-License-Identifier: Apache-2.0 */
/* --control: where a run listens for 'mrelease ctl'. */
#ifndef MRL_COMMAND_RUN_CONTROL_OPTIONS_H
#define MRL_COMMAND_RUN_CONTROL_OPTIONS_H

#include <mrelease/error.h>
#include <stdbool.h>

enum { MRL_CONTROL_PATH = 108 /* of a unix socket, with its NUL */ };

/** Zeroed: it was not said. */
struct mrl_control_options {
    bool is_off;
    char path[MRL_CONTROL_PATH]; /* "": $RUNTIME_DIRECTORY/control where there is such a directory,
                                    else nowhere */
    unsigned int mode;           /* 0: 0600, or 0660 where there is a group */
    char group[64];
};

/** Parses "off" or "[mode=MODE,group=NAME:]PATH". Error: -EINVAL. */
int mrl_control_options__parse(struct mrl_control_options *options,
                               const char *text,
                               struct mrl_error *error);

/** Where the run listens; "": nowhere. Returns `path`. */
const char *mrl_control_options__path(const struct mrl_control_options *options,
                                      char path[MRL_CONTROL_PATH]);

/** Where 'mrelease ctl' looks when nothing is said. Returns `path`. */
const char *mrl_control_options__default(char path[MRL_CONTROL_PATH]);

#endif
