// SPDX-License-Identifier: Apache-2.0
/* What a configuration file says, from its tree. */
#include "command/options/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/options/tracee_words.h"
#include "command/options/yaml.h"

/* A file of options needs two levels. */
enum { DEPTH_MAX = 8 };

struct reader {
    struct mrl_yaml yaml;
    const struct mrl_rows *rows;
    struct mrl_settings *settings;
    size_t seen_at[MRL_ROWS_MAX]; /* line of a key; 0: not seen */
};

/* -- values ----------------------------------------------------------------------------------- */

bool mrl_config__is_number(const struct mrl_option *row)
{
    return row->type == MRL_OPTION_BYTES || row->type == MRL_OPTION_COUNT;
}

bool mrl_config__is_list(const struct mrl_option *row)
{
    return row->many || row->type == MRL_OPTION_SET;
}

/* NULL where the value is fine as text, else what it is. */
static const char *misfit(const struct mrl_option *row, enum mrl_scalar scalar)
{
    static const char *const names[] = {
        [MRL_SCALAR_TRUE] = "true or false",
        [MRL_SCALAR_FALSE] = "true or false",
        [MRL_SCALAR_NUMBER] = "a number",
        [MRL_SCALAR_OTHER_NUMBER] = "a number of another notation than plain decimal, or a date",
    };

    if (scalar == MRL_SCALAR_TEXT || (scalar == MRL_SCALAR_NUMBER && mrl_config__is_number(row)))
        return NULL;
    /* Quotes would not help: who parses it says that the unit is missing. */
    if (scalar == MRL_SCALAR_NUMBER && row->type == MRL_OPTION_DURATION)
        return NULL;
    return names[scalar];
}

/* Whether a scalar may be the value of a row; then `*ret_scalar` says what it is. */
static int check_value(struct reader *reader,
                       unsigned int row,
                       const yaml_node_t *node,
                       enum mrl_scalar *ret_scalar)
{
    const struct mrl_option *option = reader->rows->at[row];
    const char *text = (const char *)node->data.scalar.value;
    bool is_switch = option->type == MRL_OPTION_SWITCH;
    const char *wrong;

    if (node->data.scalar.length > MRL_CONFIG_VALUE_BYTES_MAX)
        return mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                 "%s: a value of more than %d bytes", option->name,
                                 MRL_CONFIG_VALUE_BYTES_MAX);
    if (!mrl_yaml__is_clean(node))
        return mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                 "%s: a value with a control character", option->name);
    *ret_scalar = mrl_yaml__scalar(node);
    if (*ret_scalar == MRL_SCALAR_ERROR)
        return mrl_yaml__out_of_memory(&reader->yaml);
    if (*ret_scalar == MRL_SCALAR_NULL)
        return mrl_yaml__fail_at(&reader->yaml, node->start_mark, "%s has no value", option->name);
    if (is_switch)
        return *ret_scalar == MRL_SCALAR_TRUE || *ret_scalar == MRL_SCALAR_FALSE
                   ? 0
                   : mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                       "%s: '%.64s' is not true or false", option->name, text);
    wrong = misfit(option, *ret_scalar);
    return wrong ? mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                     "%s: '%.64s' is %s here: put it in quotes if text is meant",
                                     option->name, text, wrong)
                 : 0;
}

/* The list of this row, which another file began; NULL: there is none. */
static struct mrl_setting *list_before(const struct reader *reader, unsigned int row)
{
    const struct mrl_settings *settings = reader->settings;

    for (unsigned int i = settings->count; i-- && reader->rows->at[row]->type == MRL_OPTION_SET;)
        if (settings->list[i].row == row && settings->list[i].layer == MRL_LAYER_FILE)
            return &settings->list[i];
    return NULL;
}

/* Appends the text of the scalar to the list that is there. */
static int continue_list(struct reader *reader, struct mrl_setting *list, const yaml_node_t *node)
{
    char *joined;

    if (strlen(list->owned) + 1 + node->data.scalar.length > MRL_CONFIG_VALUE_BYTES_MAX)
        return mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                 "%s: a list of more than %d bytes",
                                 reader->rows->at[list->row]->name, MRL_CONFIG_VALUE_BYTES_MAX);
    if (asprintf(&joined, "%s,%s", list->owned, node->data.scalar.value) < 0)
        return mrl_yaml__out_of_memory(&reader->yaml);
    free(list->owned);
    list->value = list->owned = joined;
    return 0;
}

/* Adds the scalar as a value, or to the list that is there. */
static int add_value(struct reader *reader, unsigned int row, const yaml_node_t *node)
{
    struct mrl_setting setting = {
        .layer = MRL_LAYER_FILE,
        .row = row,
        .file = reader->yaml.name,
        .line = node->start_mark.line + 1,
        .column = node->start_mark.column + 1,
    };
    enum mrl_scalar scalar = MRL_SCALAR_TEXT;
    int err = check_value(reader, row, node, &scalar);
    struct mrl_setting *list = list_before(reader, row);

    if (err)
        return err;
    if (scalar == MRL_SCALAR_FALSE) {
        mrl_settings__take_off(reader->settings, MRL_LAYER_FILE, row);
        return 0;
    }
    if (list)
        return continue_list(reader, list, node);
    if (reader->settings->count == MRL_CONFIG_VALUES_MAX)
        return mrl_yaml__fail_at(&reader->yaml, node->start_mark, "more than %d values",
                                 MRL_CONFIG_VALUES_MAX);
    if (scalar != MRL_SCALAR_TRUE) {
        setting.owned = strdup((const char *)node->data.scalar.value);
        setting.value = setting.owned;
        if (!setting.owned)
            return mrl_yaml__out_of_memory(&reader->yaml);
    }
    return mrl_settings__add(reader->settings, &setting) ? mrl_yaml__out_of_memory(&reader->yaml)
                                                         : 0;
}

static int read_sequence(struct reader *reader, unsigned int row, const yaml_node_t *list)
{
    const struct mrl_option *option = reader->rows->at[row];
    const yaml_node_item_t *first = list->data.sequence.items.start;
    int err = 0;

    if (first == list->data.sequence.items.top)
        return mrl_yaml__fail_at(&reader->yaml, list->start_mark, "%s: the list is empty",
                                 option->name);
    for (const yaml_node_item_t *item = first; !err && item < list->data.sequence.items.top;
         item++) {
        const yaml_node_t *node = mrl_yaml__node(&reader->yaml, *item);

        err = node->type == YAML_SCALAR_NODE
                  ? add_value(reader, row, node)
                  : mrl_yaml__fail_at(&reader->yaml, node->start_mark, "%s: a list within the list",
                                      option->name);
        err = err ? mrl_settings__fault(reader->settings, err, reader->yaml.error->text) : 0;
    }
    return err;
}

static int read_value(struct reader *reader, unsigned int row, const yaml_node_t *node)
{
    const struct mrl_option *option = reader->rows->at[row];

    if (node->type == YAML_SCALAR_NODE)
        return add_value(reader, row, node);
    if (node->type != YAML_SEQUENCE_NODE)
        return mrl_yaml__fail_at(
            &reader->yaml, node->start_mark, "%s: keys where a value is wanted%s", option->name,
            strcmp(option->name, "output") ? ""
                                           : ": Tracee's 'json: {files: [FILE]}' "
                                             "is '- json:FILE' here");
    return mrl_config__is_list(option)
               ? read_sequence(reader, row, node)
               : mrl_yaml__fail_at(&reader->yaml, node->start_mark,
                                   "%s: a list where one value is wanted", option->name);
}

/* -- keys ------------------------------------------------------------------------------------- */

/* The row that a key names. */
static int find_row(struct reader *reader, const yaml_node_t *node, unsigned int *ret_row)
{
    const char *key = (const char *)node->data.scalar.value;
    const struct mrl_rows *rows = reader->rows;
    const char *names[MRL_ROWS_MAX];
    struct mrl_error text;
    unsigned int count = 0;

    for (unsigned int i = 0; i < rows->count; i++) {
        bool is_former = rows->is_key[i] && mrl_option__is_former(rows->at[i], key, &text);

        if (!rows->is_key[i])
            continue;
        if (is_former)
            mrl_say("%.200s:%zu:%zu: warning: %s", reader->yaml.name, node->start_mark.line + 1,
                    node->start_mark.column + 1, text.text);
        *ret_row = i;
        if (is_former || !strcmp(rows->at[i]->name, key))
            return 0;
        names[count++] = rows->at[i]->name;
    }
    if (!mrl_tracee_word__answer(MRL_TRACEE_KEY, key, &text))
        mrl_error__unknown(&text, "key", key, names, count);
    return mrl_yaml__fail_at(&reader->yaml, node->start_mark, "%s", text.text);
}

static int read_pair(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
    unsigned int row = 0;
    int err;

    if (key->type != YAML_SCALAR_NODE || !mrl_yaml__is_clean(key))
        return mrl_yaml__fail_at(&reader->yaml, key->start_mark,
                                 "a key must be the name of an option");
    err = find_row(reader, key, &row);
    if (err)
        return err;
    if (reader->seen_at[row])
        return mrl_yaml__fail_at(&reader->yaml, key->start_mark, "%s stands in line %zu already",
                                 reader->rows->at[row]->name, reader->seen_at[row]);
    reader->seen_at[row] = key->start_mark.line + 1;
    return read_value(reader, row, value);
}

/* -- the file --------------------------------------------------------------------------------- */

/* A document without anything but comments is one without settings. */
static int read_root(struct reader *reader, const yaml_node_t *root)
{
    int err = 0;

    if (mrl_yaml__is_null(root))
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return mrl_yaml__fail_at(&reader->yaml, root->start_mark,
                                 "lines like 'KEY: VALUE' are wanted");
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         !err && pair < root->data.mapping.pairs.top; pair++) {
        err = read_pair(reader, mrl_yaml__node(&reader->yaml, pair->key),
                        mrl_yaml__node(&reader->yaml, pair->value));
        err = err ? mrl_settings__fault(reader->settings, err, reader->yaml.error->text) : 0;
    }
    return err;
}

static int read_document(void *context, yaml_node_t *root, unsigned int number)
{
    struct reader *reader = context;

    return number ? mrl_yaml__fail_at(&reader->yaml, reader->yaml.document.start_mark,
                                      "a second document: there must be one")
                  : read_root(reader, root);
}

int mrl_config__parse(const char *name,
                      const char *bytes,
                      size_t size,
                      const struct mrl_rows *rows,
                      struct mrl_settings *settings,
                      struct mrl_error *error)
{
    struct reader reader = {
        .yaml = { .name = name,
                  .bytes = bytes,
                  .size = size,
                  .depth_max = DEPTH_MAX,
                  .error = error },
        .rows = rows,
        .settings = settings,
    };

    if (size > MRL_CONFIG_BYTES_MAX)
        return mrl_error__set(error, -EINVAL, "%.200s:1:1: more than %d KiB", name,
                              MRL_CONFIG_BYTES_MAX / 1024);
    return mrl_yaml__each(&reader.yaml, read_document, &reader);
}
