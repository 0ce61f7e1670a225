/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies, as files in the forms of Tracee have them: what stands there, and what of it the
 * library is given. Names and texts are of strangers; messages are tamed.
 */
#ifndef MRL_COMMAND_POLICY_POLICY_H
#define MRL_COMMAND_POLICY_POLICY_H

#include <mrelease/mrelease.h>
#include <stdint.h>

/** A file is no longer, and no more paths are named. */
enum {
    MRL_POLICY_FILE_BYTES_MAX = 1024 * 1024,
    MRL_POLICY_PATHS_MAX = 64,
    MRL_POLICY_TEXT_BYTES_MAX = 4096, /* of one scope or filter */
};

/** Whose rules hold where versions of Tracee differ, as --tracee has it. */
enum mrl_tracee {
    MRL_TRACEE_ANY, /* what one of them takes, in the meaning of the latest */
    MRL_TRACEE_V0_23,
    MRL_TRACEE_V0_24,
    MRL_TRACEE_MAIN,
    MRL_TRACEE_COUNT
};

/** A text of a file, and where it begins there, from 1. */
struct mrl_policy_line {
    char *text; /* owned */
    size_t line, column;
};

struct mrl_policy_lines {
    struct mrl_policy_line *list;
    unsigned int count;
};

enum mrl_policy_fate {
    MRL_POLICY_RULE_HOLDS,
    MRL_POLICY_RULE_NOT_OURS, /* of events that are not here */
    MRL_POLICY_RULE_NEVER,    /* its conditions never hold */
};

struct mrl_policy_rule {
    struct mrl_policy_line event;
    struct mrl_policy_lines filters, actions;
    enum mrl_policy_fate fate;
    bool is_double; /* another one before it has the same event */
};

/** A policy. Zeroed is empty. */
struct mrl_written_policy {
    const char *file;            /* borrowed from the set */
    size_t line, column;         /* where it begins */
    bool is_plain;               /* "type: policy" */
    struct mrl_policy_line name; /* text NULL: none was read */
    struct mrl_policy_lines scopes, actions;
    struct mrl_policy_rule *rules;
    unsigned int rule_count;
    /* What the library is given (policy/translate.c). */
    struct mrl_policy_lines here_scopes, here_events;
    unsigned int left_out; /* rules of events that are not here */
    bool never;            /* no call can match it */
};

enum mrl_policy_remark { MRL_POLICY_FAULT, MRL_POLICY_WARNING };

/** Takes what is said of policies, tamed; `place` is "FILE:LINE:COLUMN", or "" where the text says
 * it. */
typedef void (*mrl_policy_say_fn)(void *context,
                                  enum mrl_policy_remark remark,
                                  const char *place,
                                  const char *text);

/** All policies of a run, in the order in which they were read. Zeroed but for the first members is
 * empty. */
struct mrl_policy_set {
    mrl_policy_say_fn say; /* NULL: nobody hears */
    void *context;
    enum mrl_tracee tracee;
    bool is_again; /* read while a run goes on: nothing may be waited for */
    struct mrl_written_policy *list;
    unsigned int count;
    char **files; /* names, owned */
    unsigned int file_count;
    unsigned int faults, remarks;
    struct mrl_error first; /* fault */
    /* What the plugin is given; borrows from all of the above. */
    struct mrl_policy_texts *texts;
    const char **words;
};

/**
 * Reads what the paths name: files, and of directories all *.yaml, *.yml and *.json, in the order
 * of their names. All of them, or nothing that may be used: then `error` has the first fault.
 * Blocks as read(). The set is freed whatever this returns.
 * Errors: -EINVAL a fault, or no policy; -ENOMEM.
 */
int mrl_policy_set__read(struct mrl_policy_set *set,
                         const char *const *paths,
                         unsigned int count,
                         struct mrl_error *error);

/** The same for one text in memory. */
int mrl_policy_set__read_text(struct mrl_policy_set *set,
                              const char *name,
                              const char *bytes,
                              size_t size,
                              struct mrl_error *error);

/** Whether two sets give the plugin the same. */
bool mrl_policy_set__equal(const struct mrl_policy_set *one, const struct mrl_policy_set *other);

void mrl_policy_set__free(struct mrl_policy_set *set);

/** A number that is another one when a ConfigMap of Kubernetes that is mounted at one of the paths
 * was exchanged; 0: none is mounted at any. Blocks as stat(). Any thread. */
uint64_t mrl_policy_mounts__look(const char *const *paths, unsigned int count);

/* -- within ----------------------------------------------------------------------------------- */

/** Whether a further warning would be heard. */
bool mrl_policy_set__hears(const struct mrl_policy_set *set);

/** Says something, a whole line; of more than 64 remarks only faults count. Returns 0, so that
 * reading goes on. */
int mrl_policy_set__note(struct mrl_policy_set *set,
                         enum mrl_policy_remark remark,
                         const char *text);

/** The same of a place in `file`. */
__attribute__((format(printf, 6, 7))) int mrl_policy_set__say(struct mrl_policy_set *set,
                                                              enum mrl_policy_remark remark,
                                                              const char *file,
                                                              size_t line,
                                                              size_t column,
                                                              const char *format,
                                                              ...);

/** Makes `texts` of what was translated. Error: -ENOMEM. */
int mrl_policy_set__make_texts(struct mrl_policy_set *set);

/** Adds an empty policy. NULL: out of memory, or MRL_POLICIES_MAX are there. */
struct mrl_written_policy *mrl_policy_set__add(struct mrl_policy_set *set, const char *file);

/** Appends a copy. Error: -ENOMEM. */
int mrl_policy_lines__add(struct mrl_policy_lines *lines,
                          const char *text,
                          size_t line,
                          size_t column);

/** Frees all of them; there are none then. */
void mrl_policy_lines__clear(struct mrl_policy_lines *lines);

/** Reads the documents of a text (read.c). Faults are said; only -ENOMEM is returned. */
int mrl_written_policy__parse(struct mrl_policy_set *set,
                              const char *file,
                              const char *bytes,
                              size_t size);

/** Makes of what stands there what the library takes (translate.c). As parse(). */
int mrl_written_policy__translate(struct mrl_policy_set *set, struct mrl_written_policy *policy);

#endif
