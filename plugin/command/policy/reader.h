/* SPDX-License-Identifier: Apache-2.0 */
/* Within the reading of policies: values, and keys of a mapping. Faults are said and reading goes
 * on: only -ENOMEM is returned. */
#ifndef MRL_COMMAND_POLICY_READER_H
#define MRL_COMMAND_POLICY_READER_H

#include "command/options/yaml.h"
#include "command/policy/policy.h"

enum { MRL_POLICY_KEYS_MAX = 24, MRL_POLICY_ITEMS_MAX = 4096 };

struct mrl_policy_reader {
    struct mrl_yaml yaml;
    struct mrl_policy_set *set;
    struct mrl_written_policy *policy;
    struct mrl_policy_rule *rule;
    unsigned int documents; /* that hold something */
    bool is_listed;         /* within a list of objects */
};

/* A key of a mapping; what has no `take` is known, and nobody reads it. */
struct mrl_policy_key {
    const char *name;
    int (*take)(struct mrl_policy_reader *reader, yaml_node_t *value);
};

struct mrl_policy_level {
    const struct mrl_policy_key *keys;
    unsigned int count;
};

/** Says something of a place in the file. Returns 0. */
__attribute__((format(printf, 4, 5))) int mrl_policy_reader__say(struct mrl_policy_reader *reader,
                                                                 enum mrl_policy_remark remark,
                                                                 yaml_mark_t mark,
                                                                 const char *format,
                                                                 ...);

/** Takes one text; `what` is the key. */
int mrl_policy_reader__take_line(struct mrl_policy_reader *reader,
                                 const yaml_node_t *node,
                                 const char *what,
                                 struct mrl_policy_line *line);

/** Takes a list of texts. */
int mrl_policy_reader__take_lines(struct mrl_policy_reader *reader,
                                  yaml_node_t *node,
                                  const char *what,
                                  struct mrl_policy_lines *lines);

/** Gives the values of a mapping to the keys of its level; other keys are told, and ignored. */
int mrl_policy_reader__mapping(struct mrl_policy_reader *reader,
                               const yaml_node_t *node,
                               const struct mrl_policy_level *level);

/** The same, of what need not be a mapping. */
int mrl_policy_reader__keys(struct mrl_policy_reader *reader,
                            const yaml_node_t *node,
                            const char *what,
                            const struct mrl_policy_level *level);

#endif
