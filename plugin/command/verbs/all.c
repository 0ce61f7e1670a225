// SPDX-License-Identifier: Apache-2.0
/* The verbs, in the order in which help lists them. */
#include <string.h>

#include "command/command.h"
#include "command/options/tracee_words.h"

static const struct mrl_verb *const verbs[] = {
    &mrl_verb_run,     &mrl_verb_ctl,    &mrl_verb_check_config, &mrl_verb_policy,
    &mrl_verb_demo,    &mrl_verb_doctor, &mrl_verb_replay,       &mrl_verb_events,
    &mrl_verb_explain, &mrl_verb_schema, &mrl_verb_verify,       &mrl_verb_validate,
    &mrl_verb_spool,   &mrl_verb_stream, &mrl_verb_metrics,      &mrl_verb_health,
    &mrl_verb_version, &mrl_verb_help,
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

const struct mrl_verb *const *mrl_verb__all(unsigned int *ret_count)
{
    *ret_count = VERB_COUNT;
    return verbs;
}

const struct mrl_verb *mrl_verb__find(const char *name, struct mrl_error *error)
{
    const char *names[VERB_COUNT];

    for (unsigned int i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i]->name;
        if (!strcmp(names[i], name))
            return verbs[i];
    }
    if (!mrl_tracee_word__answer(MRL_TRACEE_VERB, name, error))
        mrl_error__unknown(error, "verb", name, names, VERB_COUNT);
    return NULL;
}
