/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: verbs, arguments, exit statuses, and messages on standard error. Everything here
 * uses the public headers of the library only.
 */
#ifndef MRL_COMMAND_COMMAND_H
#define MRL_COMMAND_COMMAND_H

#include <mrelease/mrelease.h>

enum mrl_exit { MRL_EXIT_OK = 0, MRL_EXIT_FAILED = 1, MRL_EXIT_USAGE = 2 };

/** A verb: one row of the table in verbs/all.c. */
struct mrl_verb {
    const char *name;
    /** What may follow the options, for the usage line; "" nothing. */
    const char *operands;
    unsigned int operands_max;
    /** Words that an operand may be, as mrl_option.word; NULL: none are known. */
    const char *(*operand_word)(unsigned int index);
    /** One sentence. */
    const char *doc;
    /** Prints what help says behind the options; NULL: nothing. */
    void (*more_help)(void);
    /** Returns an exit status. `argv[0]` is the verb. */
    int (*run)(const struct mrl_verb *verb, int argc, char **argv);
};

extern const struct mrl_verb mrl_verb_run, mrl_verb_ctl, mrl_verb_check_config, mrl_verb_policy,
    mrl_verb_demo, mrl_verb_doctor, mrl_verb_replay, mrl_verb_events, mrl_verb_verify,
    mrl_verb_schema, mrl_verb_validate, mrl_verb_stream, mrl_verb_metrics, mrl_verb_health,
    mrl_verb_spool, mrl_verb_explain, mrl_verb_version, mrl_verb_help;

/** All verbs. Static. */
const struct mrl_verb *const *mrl_verb__all(unsigned int *ret_count);

/** Returns the verb called `name`, or NULL with a line in `error` that names the nearest. */
const struct mrl_verb *mrl_verb__find(const char *name, struct mrl_error *error);

/**
 * Parses a verb's arguments into `groups`. Returns the index of the first operand, or -1 when the
 * verb has to end with `*ret_status`: help was printed, or an argument is wrong and was reported.
 */
int mrl_arguments__parse(const struct mrl_verb *verb,
                         int argc,
                         char **argv,
                         const struct mrl_option_group *groups,
                         unsigned int group_count,
                         int *ret_status);

/** Writes "mrelease: …", tamed, and a newline to standard error. */
__attribute__((format(printf, 1, 2))) void mrl_say(const char *format, ...);

/** Reports a wrong argument and returns MRL_EXIT_USAGE. */
int mrl_usage_error(const struct mrl_verb *verb, const char *text);

/** Prints with puts() semantics and reports a standard output that takes nothing. An exit status.
 */
int mrl_flush_stdout(void);

#endif
