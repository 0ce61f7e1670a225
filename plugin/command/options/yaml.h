/* SPDX-License-Identifier: Apache-2.0 */
/* A text of YAML, or of JSON, as trees of libyaml. What could make a tree large or deep is refused
 * before it is built. */
#ifndef MRL_COMMAND_OPTIONS_YAML_H
#define MRL_COMMAND_OPTIONS_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "command/options/scalar.h"

struct mrl_error;

struct mrl_yaml {
    const char *name; /* of the text, in messages */
    const char *bytes;
    size_t size;
    int depth_max; /* levels that it may have */
    struct mrl_error *error;
    yaml_parser_t parser;
    yaml_document_t document;
};

/** Takes the root of a document, which lives until it returns; `number` counts documents, from 0.
 * Returns 0 or -errno, which ends the reading. */
typedef int (*mrl_yaml_take_fn)(void *context, yaml_node_t *root, unsigned int number);

/**
 * Gives each document to `take`. An empty text has none. Errors: -EINVAL, with
 * "NAME:LINE:COLUMN: " and what is wrong; -ENOMEM; those of `take`.
 */
int mrl_yaml__each(struct mrl_yaml *yaml, mrl_yaml_take_fn take, void *context);

/** Sets "NAME:LINE:COLUMN: …". Returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int mrl_yaml__fail_at(const struct mrl_yaml *yaml,
                                                            yaml_mark_t mark,
                                                            const char *format,
                                                            ...);

/** Returns -ENOMEM, with its line. */
int mrl_yaml__out_of_memory(const struct mrl_yaml *yaml);

/** The node of an item or a pair. */
yaml_node_t *mrl_yaml__node(struct mrl_yaml *yaml, int index);

/** Whether a scalar has no control character. */
bool mrl_yaml__is_clean(const yaml_node_t *node);

/** What a scalar is to YAML. */
enum mrl_scalar mrl_yaml__scalar(const yaml_node_t *node);

/** Whether nothing stands there. */
bool mrl_yaml__is_null(const yaml_node_t *node);

/**
 * The bytes of a file that people write, `max` at most; the caller frees them. `may_wait`: the
 * operator named it just now, so it may be a FIFO, whose writer is waited for; else it must be a
 * regular file. "-" is standard input. Errors, with a line: as open() and read(); -EINVAL no
 * regular file, or more bytes; -ENXIO nobody writes to the FIFO, for a second; -ENOMEM.
 */
int mrl_yaml__read_file(const char *path,
                        bool may_wait,
                        size_t max,
                        char **ret_bytes,
                        size_t *ret_size,
                        struct mrl_error *error);

#endif
