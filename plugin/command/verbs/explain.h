/* SPDX-License-Identifier: Apache-2.0 */
/* What words mean that people meet in events: the rows of explain.def. */
#ifndef MRL_COMMAND_VERBS_EXPLAIN_H
#define MRL_COMMAND_VERBS_EXPLAIN_H

/** All texts are static. */
struct mrl_explained {
    const char *word;
    const char *of; /* the events, or "outcome", "loss", "event" */
    const char *means, *cause, *advice;
    /* Of an outcome, in Markdown: what was returned, what must have been observed ("": nothing
     * else), and when it is `unknown` instead ("": never). NULL of others. */
    const char *answers, *observed, *otherwise;
};

/** The row at `index`; NULL behind the last. */
const struct mrl_explained *mrl_explained__at(unsigned int index);

#endif
