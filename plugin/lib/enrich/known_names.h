/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the id of a container to its names. Whoever knows them tells them here, from any thread; the
 * reader takes in what was told, and asks for what is missing. Nothing here waits for an answer.
 */
#ifndef MRL_ENRICH_KNOWN_NAMES_H
#define MRL_ENRICH_KNOWN_NAMES_H

#include "event/host.h"

enum {
    MRL_KNOWN_NAMES_MAX = 4096,
    MRL_KNOWN_NAMES_BYTES = 2 * 1024 * 1024, /* of all texts: then the longest unused ones go */
};

/** Whom the reader asks. */
struct mrl_names_asking {
    /** As mrl_plugin_options.ask_names. NULL: nobody; what is told is all there will be. */
    int (*ask)(void *context, const char *id, enum mrl_runtime hint);
    void *context;
};

/** What was asked, and what became of it. Any thread reads. */
struct mrl_names_counts {
    uint64_t asked;
    uint64_t answers[MRL_NAMES_RESULTS][MRL_RUNTIMES];
    uint64_t dropped; /* answers that found no room */
};

struct mrl_known_names;

/** New. Error: -ENOMEM. */
int mrl_known_names__new(const struct mrl_names_asking *asking, struct mrl_known_names **ret_names);

/** NULL is allowed. */
void mrl_known_names__free(struct mrl_known_names *names);

/** Tells what is known of a container (copies); longer texts are cut. Returns 0, or 1 where so much
 * was told that the reader should take it in. Any thread. Errors: -EINVAL it has no id, or one that
 * is too long; -EAGAIN there is no room any more; -ENOMEM. */
int mrl_known_names__tell(struct mrl_known_names *names, const struct mrl_container_names *told);

/** The probes tell of a cgroup that is made or removed, in any bytes: asks for the names of the
 * container that it is of. Any thread. */
void mrl_known_names__see(void *names, const void *description, size_t size);

/** Whether anything was told since the last take(). Any thread. */
bool mrl_known_names__has_news(const struct mrl_known_names *names);

/* -- the reader alone ------------------------------------------------------------------------- */

/** A container that somebody asked about. Stays while somebody holds it. */
struct mrl_known_name;

/** Takes in what was told. */
void mrl_known_names__take(struct mrl_known_names *names);

/** What is known of a container, whose id is not empty; asks where nobody has, and again after a
 * while where that came to nothing. NULL: there is no memory. Valid until the next call. */
struct mrl_known_name *mrl_known_names__look(struct mrl_known_names *names,
                                             const struct mrl_membership *container);

/** As mrl_host.named, of a struct mrl_known_names. */
struct mrl_named *mrl_known_names__named(void *names, const struct mrl_membership *container);

/** Whether an answer is still to come, to the first question about it. */
bool mrl_known_name__is_pending(const struct mrl_known_name *name);

/** One more whenever something else is known of a container: until then, who was pending is. */
uint64_t mrl_known_names__changes(const struct mrl_known_names *names);

/** How many events wait for it; `change` is added. */
unsigned int mrl_known_name__hold(struct mrl_known_name *name, int change);

/** How many containers it knows of, and the bytes of their texts. */
unsigned int mrl_known_names__count(const struct mrl_known_names *names, size_t *ret_bytes);

/** Any thread. */
struct mrl_names_counts mrl_known_names__counts(const struct mrl_known_names *names);

#endif
