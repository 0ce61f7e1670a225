// SPDX-License-Identifier: Apache-2.0
/* Values and keys of a policy file: taken where they may be kept, and said where not. */
#include "command/policy/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mrl_policy_reader__say(struct mrl_policy_reader *reader,
                           enum mrl_policy_remark remark,
                           yaml_mark_t mark,
                           const char *format,
                           ...)
{
    va_list arguments;
    char text[512];

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return mrl_policy_set__say(reader->set, remark, reader->yaml.name, mark.line + 1,
                               mark.column + 1, "%s", text);
}

/* -- values ----------------------------------------------------------------------------------- */

/* Whether a scalar is a text that may be kept. */
static bool is_text(struct mrl_policy_reader *reader, const yaml_node_t *node, const char *what)
{
    if (node->type != YAML_SCALAR_NODE)
        mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                               "%s: one text is wanted here", what);
    else if (node->data.scalar.length > MRL_POLICY_TEXT_BYTES_MAX)
        mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                               "%s: a text of more than %d bytes", what, MRL_POLICY_TEXT_BYTES_MAX);
    else if (!mrl_yaml__is_clean(node))
        mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                               "%s: a text with a control character", what);
    else
        return true;
    return false;
}

int mrl_policy_reader__take_line(struct mrl_policy_reader *reader,
                                 const yaml_node_t *node,
                                 const char *what,
                                 struct mrl_policy_line *line)
{
    if (!is_text(reader, node, what))
        return 0;
    *line = (struct mrl_policy_line){ .line = node->start_mark.line + 1,
                                      .column = node->start_mark.column + 1 };
    line->text = strdup(mrl_yaml__is_null(node) ? "" : (const char *)node->data.scalar.value);
    return line->text ? 0 : -ENOMEM;
}

int mrl_policy_reader__take_lines(struct mrl_policy_reader *reader,
                                  yaml_node_t *node,
                                  const char *what,
                                  struct mrl_policy_lines *lines)
{
    int err = 0;

    if (mrl_yaml__is_null(node))
        return 0;
    if (node->type != YAML_SEQUENCE_NODE)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                                      "%s: a list is wanted: begin each entry with '- '", what);
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         !err && item < node->data.sequence.items.top; item++) {
        const yaml_node_t *entry = mrl_yaml__node(&reader->yaml, *item);

        if (lines->count == MRL_POLICY_ITEMS_MAX)
            return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, entry->start_mark,
                                          "%s: more than %d entries", what, MRL_POLICY_ITEMS_MAX);
        if (is_text(reader, entry, what))
            err = mrl_policy_lines__add(
                lines, mrl_yaml__is_null(entry) ? "" : (const char *)entry->data.scalar.value,
                entry->start_mark.line + 1, entry->start_mark.column + 1);
    }
    return err;
}

/* -- mappings --------------------------------------------------------------------------------- */

static void warn_unknown(struct mrl_policy_reader *reader,
                         const yaml_node_t *node,
                         const struct mrl_policy_level *level)
{
    const char *names[MRL_POLICY_KEYS_MAX];
    struct mrl_error text;

    if (!mrl_policy_set__hears(reader->set))
        return;
    for (unsigned int i = 0; i < level->count; i++)
        names[i] = level->keys[i].name;
    mrl_error__unknown(&text, "key", (const char *)node->data.scalar.value, names, level->count);
    mrl_policy_reader__say(reader, MRL_POLICY_WARNING, node->start_mark,
                           "%s; it is ignored, as Tracee ignores it", text.text);
}

/* Gives the values of a mapping to the keys of its level. */
int mrl_policy_reader__mapping(struct mrl_policy_reader *reader,
                               const yaml_node_t *node,
                               const struct mrl_policy_level *level)
{
    size_t seen_at[MRL_POLICY_KEYS_MAX] = { 0 };
    int err = 0;

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         !err && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = mrl_yaml__node(&reader->yaml, pair->key);
        unsigned int i = 0;

        if (key->type != YAML_SCALAR_NODE || !mrl_yaml__is_clean(key)) {
            mrl_policy_reader__say(reader, MRL_POLICY_FAULT, key->start_mark,
                                   "a key must be a word");
            continue;
        }
        while (i < level->count &&
               strcmp(level->keys[i].name, (const char *)key->data.scalar.value) != 0)
            i++;
        if (i == level->count) {
            warn_unknown(reader, key, level);
            continue;
        }
        if (seen_at[i])
            mrl_policy_reader__say(reader, MRL_POLICY_FAULT, key->start_mark,
                                   "%s stands in line %zu already", level->keys[i].name,
                                   seen_at[i]);
        else if (level->keys[i].take)
            err = level->keys[i].take(reader, mrl_yaml__node(&reader->yaml, pair->value));
        seen_at[i] = key->start_mark.line + 1;
    }
    return err;
}

int mrl_policy_reader__keys(struct mrl_policy_reader *reader,
                            const yaml_node_t *node,
                            const char *what,
                            const struct mrl_policy_level *level)
{
    if (mrl_yaml__is_null(node))
        return 0;
    if (node->type != YAML_MAPPING_NODE)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                                      "%s: keys are wanted here", what);
    return mrl_policy_reader__mapping(reader, node, level);
}
