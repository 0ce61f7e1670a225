/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One interface of one runtime: how it is reached, and what it is asked. Used by one thread at a
 * time. Nothing is sent but what is said here: whoever may connect to such a socket may do anything
 * to the host.
 */
#ifndef MRL_SIDE_NAMES_ASKER_H
#define MRL_SIDE_NAMES_ASKER_H

#include "side/common/names/service.h"
#include "side/names/naming.h"
#include "side/names/table.h"

enum {
    MRL_ASK_MS = 1000,                     /* deadline of a call */
    MRL_LIST_MS = 2000,                    /* likewise, that lists all */
    MRL_ANSWER_BYTES = 8 * 1024 * 1024,    /* no answer is longer, */
    MRL_UNPACKED_BYTES = 24 * 1024 * 1024, /* nor is what is made of it */
    MRL_LISTED_MAX = 4096,
};

struct mrl_asker {
    const struct mrl_asker_ops *ops;
    enum mrl_runtime runtime;
    const char *path; /* of the socket */
    bool is_named;    /* by somebody: it is missed where it is not there */
    void *state;      /* of ops */
    char version[96]; /* what it says of itself, tamed; "": nothing yet */
    char why[128];    /* why it was of no use, the last time */
};

/** Errors of all: -ETIMEDOUT; -ENOTCONN nobody is there; -EBADMSG what it says is of no use;
 * -ENOMEM; -EOPNOTSUPP it has no such interface. `why` says more. Of list() besides: -E2BIG it is
 * longer than what is taken; what was taken is good, as it is with -EBADMSG. */
struct mrl_asker_ops {
    const char *name; /* for people */
    enum mrl_interface interface;
    /** Connects, and learns its version. After close(). */
    int (*open)(struct mrl_asker *asker);
    void (*close)(struct mrl_asker *asker);
    /** Names all that run. `take` borrows; no more than MRL_LISTED_MAX are. */
    int (*list)(struct mrl_asker *asker,
                struct mrl_naming *room,
                void (*take)(void *context, const struct mrl_naming *naming),
                void *context);
    /** Finds one. Error: -ENOENT it knows no such container. */
    int (*find)(struct mrl_asker *asker, const char *id, struct mrl_naming *ret_naming);
};

extern const struct mrl_asker_ops mrl_asker_cri, mrl_asker_containerd, mrl_asker_docker;

/** The interfaces that may be at a socket, for each an asker; up to `most`. Returns how many. */
unsigned int mrl_askers__of(const struct mrl_names_socket *socket,
                            bool is_named,
                            struct mrl_asker *ret_askers,
                            unsigned int most);

/** Whether somebody listens there: 0, or -ENOENT, -ECONNREFUSED, -EACCES, … */
int mrl_asker__look(const struct mrl_asker *asker);

/** Sets `why`, tamed. Returns `err`. */
__attribute__((format(printf, 3, 4))) int mrl_asker__fail(struct mrl_asker *asker,
                                                          int err,
                                                          const char *format,
                                                          ...);

#endif
