/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a container on their way to the main process: whatever a runtime says becomes short
 * and harmless here. Labels are what the creator of a container likes.
 */
#ifndef MRL_SIDE_NAMES_NAMING_H
#define MRL_SIDE_NAMES_NAMING_H

#include <mrelease/names.h>

#include "side/common/names/frames.h"

enum { MRL_NAMING_TEXT_MAX = 512, MRL_NAMINGS_BYTES = 60 * 1024 };

struct mrl_naming {
    struct mrl_container_names names; /* whose texts are those below */
    char id[MRL_NAMING_ID_BYTES];
    char texts[MRL_NAMES][MRL_NAMING_TEXT_MAX];
};

/** Begins anew, known, with an id. Returns false where that is none. */
bool mrl_naming__begin(struct mrl_naming *naming, enum mrl_runtime runtime, const char *id);

/** Sets a text: copied, tamed and cut. NULL is none. */
void mrl_naming__set(struct mrl_naming *naming, enum mrl_name name, const char *text);

/** Sets a label of the kubelet, if `key` is one that is wanted; any other is left out. */
void mrl_naming__set_label(struct mrl_naming *naming, const char *key, const char *value);

/** Some of them, for one message. Zeroed is empty. */
struct mrl_namings {
    char bytes[MRL_NAMINGS_BYTES];
    size_t used;
    uint32_t count;
    /** Sends what there is; NULL: nobody. */
    void (*send)(void *context, uint32_t count, const char *bytes, size_t size);
    void *context;
};

/** Adds one; sends what is there, when it is full. */
void mrl_namings__add(struct mrl_namings *namings,
                      uint32_t ask,
                      const struct mrl_container_names *names);

/** Sends what there is, if anything. */
void mrl_namings__flush(struct mrl_namings *namings);

#endif
