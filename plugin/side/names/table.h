/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asked for which container, and when again. No thread, clock or socket is here: whoever
 * calls holds a lock, and says what time it is.
 *
 * An asker is one interface of one runtime. A container goes from one to the next, in their order,
 * until one knows it. One that does not answer costs its deadline once: then it is left out, until
 * it is back.
 */
#ifndef MRL_SIDE_NAMES_TABLE_H
#define MRL_SIDE_NAMES_TABLE_H

#include <mrelease/names.h>

#include "side/common/names/frames.h"

enum { MRL_TABLE_ENTRIES = 256, MRL_ASKERS_MAX = 24 };

/** By who is asked first. */
enum mrl_interface {
    MRL_INTERFACE_CRI,
    MRL_INTERFACE_DOCKER, /* Podman's as well */
    MRL_INTERFACE_CONTAINERD,
};

enum mrl_asker_state {
    MRL_ASKER_NEW,    /* it was not reached for yet */
    MRL_ASKER_ABSENT, /* nobody is there, nor was anybody named */
    MRL_ASKER_DOWN,   /* it cannot be reached */
    MRL_ASKER_HUNG,   /* it does not answer */
    MRL_ASKER_UP,
};

struct mrl_asker_row {
    enum mrl_runtime runtime;
    enum mrl_interface interface;
    enum mrl_asker_state state;
    unsigned int socket; /* whose other interfaces hang with it */
};

struct mrl_entry {
    char id[MRL_NAMING_ID_BYTES + 1]; /* "": it is free */
    enum mrl_runtime hint;
    uint32_t ask, serial;
    uint32_t asked; /* a bit for each asker of this round */
    bool is_asked;  /* somebody is asking right now */
    bool timed_out; /* somebody of this round did not answer */
    bool is_over;   /* nobody is asked any more, until somebody asks for it, or an asker is back */
    unsigned int tries;
    int64_t due_ms, over_ms;
    enum mrl_names_result told; /* MRL_NAMES_PENDING: nothing yet */
};

struct mrl_table {
    struct mrl_asker_row askers[MRL_ASKERS_MAX];
    unsigned int asker_count;
    struct mrl_entry entries[MRL_TABLE_ENTRIES];
    uint32_t serial;
    /** Says what is not known of a container, and why. */
    void (*tell)(void *context, uint32_t ask, const struct mrl_container_names *names);
    void *context;
};

/** Takes a question. What was answered less than 10 s ago is answered so again; where all is full,
 * the oldest that waits is given up. */
void mrl_table__add(struct mrl_table *table,
                    const struct mrl_side_lookup *lookup,
                    const char *id,
                    int64_t now_ms);

/** What an asker is to ask for now. */
struct mrl_errand {
    char id[MRL_NAMING_ID_BYTES + 1];
    uint32_t ask, serial;
};

/** Gives an asker its next errand. Returns true; false: there is none before `*ret_due_ms`, or as
 * long as nothing changes (INT64_MAX). */
bool mrl_table__next(struct mrl_table *table,
                     unsigned int asker,
                     int64_t now_ms,
                     struct mrl_errand *ret_errand,
                     int64_t *ret_due_ms);

/** What became of an errand: 0 it is known, and the caller tells it; -ENOENT; any other: what was
 * said is of no use. After -ETIMEDOUT and -ENOTCONN no asker of this socket is up. */
void mrl_table__done(struct mrl_table *table,
                     unsigned int asker,
                     const struct mrl_errand *errand,
                     int err,
                     int64_t now_ms);

/** Sets the state of an asker. One that is up again is asked for all that nobody knew. */
void mrl_table__set_state(struct mrl_table *table,
                          unsigned int asker,
                          enum mrl_asker_state state,
                          int64_t now_ms);

/** Whether each was reached for at least once. */
bool mrl_table__is_settled(const struct mrl_table *table);

#endif
