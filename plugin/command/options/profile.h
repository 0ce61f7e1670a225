/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: options that are given together, under a name. */
#ifndef MRL_COMMAND_OPTIONS_PROFILE_H
#define MRL_COMMAND_OPTIONS_PROFILE_H

#include <mrelease/error.h>

enum { MRL_PROFILE_SETTINGS_MAX = 8 };

/** A profile. Static. The settings end with a name of NULL. */
struct mrl_profile {
    const char *name;
    /** One sentence. */
    const char *doc;
    struct {
        const char *name, *value; /* as after "--" */
    } settings[MRL_PROFILE_SETTINGS_MAX + 1];
};

/** The name of the profile at `index`, the default one first; NULL after the last. */
const char *mrl_profile__name(unsigned int index);

/** Returns the profile called `name`, or NULL with a line in `error` that names the nearest. */
const struct mrl_profile *mrl_profile__find(const char *name, struct mrl_error *error);

#endif
