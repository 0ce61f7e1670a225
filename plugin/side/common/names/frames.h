/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the main process and the side program "names" say to each other about containers.
 *
 * MRL_SIDE_LOOKUP asks for some. Each is answered by a container of an MRL_SIDE_NAMED, once or more
 * often: what could not be had may be known later, and is then told without being asked for again.
 * So also a container of which nobody asked: when the program begins, and when a runtime comes
 * back, it names all that run.
 */
#ifndef MRL_SIDE_COMMON_NAMES_FRAMES_H
#define MRL_SIDE_COMMON_NAMES_FRAMES_H

#include <mrelease/names.h>

#include <sys/types.h>

#include "side/common/message.h"

enum {
    MRL_NAMING_ID_BYTES = 64,
    MRL_LOOKUPS_MAX = 256, /* of a message */
};

/** A question. Its id is hexadecimal digits and '-', with NULs behind it. */
struct mrl_side_lookup {
    uint32_t ask;  /* a number of who asks, who hears it again */
    uint32_t hint; /* enum mrl_runtime */
    char id[MRL_NAMING_ID_BYTES];
};

/** The head of a container: then follow its texts, the id first. */
struct mrl_side_named {
    uint32_t ask; /* 0: nobody asked for it */
    uint8_t result, runtime, is_sandbox, cut;
    uint16_t sizes[1 + MRL_NAMES];
    uint16_t reserved;
};

/** The question `index` of a message; its id is checked, and one byte longer for its NUL. Error:
 * -EPROTO. */
int mrl_side_lookup__read(const struct mrl_side_message *message,
                          uint32_t index,
                          struct mrl_side_lookup *ret_lookup,
                          char id[MRL_NAMING_ID_BYTES + 1]);

/** Writes a container for MRL_SIDE_NAMED. Returns its bytes, or -ENOSPC. Texts must be as short as
 * mrl_container_names says. */
ssize_t mrl_side_named__put(char *to,
                            size_t room,
                            uint32_t ask,
                            const struct mrl_container_names *names);

/**
 * Reads the next container of a message, whose texts are borrowed from it. `*at` is 0 at first, and
 * moved. Returns 1; 0 behind the last; -EPROTO: it breaks a rule, be it of a text.
 */
int mrl_side_named__next(const struct mrl_side_message *message,
                         size_t *at,
                         uint32_t *ret_ask,
                         struct mrl_container_names *ret_names);

/** Whether it looks like the id of a container: 12 to 64 hexadecimal digits and '-'. */
bool mrl_naming__is_id(const char *id, size_t size);

#endif
