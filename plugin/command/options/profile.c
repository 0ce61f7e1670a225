// SPDX-License-Identifier: Apache-2.0
/* The profiles, one row each. A row that names an unknown option fails a test. */
#include "command/options/profile.h"

#include <stddef.h>

#include "base/words.h"

static const struct mrl_profile profiles[] = {
    { .name = "default",
      .doc = "What every option says by itself: the events as Tracee has them." },
    { .name = "soc",
      .doc =
          "For a security pipeline: the rare events; failed calls too name their target and what "
          "came of them, and all are numbered, so that a missing one is noticed.",
      .settings = { { "events", "default" }, { "extra", "target,outcome,seq" } } },
};

enum { PROFILE_COUNT = sizeof(profiles) / sizeof(profiles[0]) };

const char *mrl_profile__name(unsigned int index)
{
    return index < PROFILE_COUNT ? profiles[index].name : NULL;
}

const struct mrl_profile *mrl_profile__find(const char *name, struct mrl_error *error)
{
    int index = mrl_words__find("profile", name, mrl_profile__name, error);

    return index < 0 ? NULL : &profiles[index];
}
