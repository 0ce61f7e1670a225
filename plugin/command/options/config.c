// SPDX-License-Identifier: Apache-2.0
/* The configuration file, as a tree of libyaml. What could make that tree large or deep is refused
 * before it is built. */
#include "command/options/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "command/options/scalar.h"

/* A file of options needs two levels. */
enum { DEPTH_MAX = 8 };

struct reader {
    const char *name;
    const char *bytes;
    const struct mrl_rows *rows;
    struct mrl_settings *settings;
    struct mrl_error *error;
    yaml_parser_t parser;
    yaml_document_t document;
    size_t seen_at[MRL_ROWS_MAX]; /* line of a key; 0: not seen */
};

__attribute__((format(printf, 3, 4))) static int fail_at(struct reader *reader,
                                                         yaml_mark_t mark,
                                                         const char *format,
                                                         ...)
{
    va_list arguments;
    char text[384];

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return mrl_error__set(reader->error, -EINVAL, "%.200s:%zu:%zu: %s", reader->name, mark.line + 1,
                          mark.column + 1, text);
}

static int out_of_memory(struct reader *reader)
{
    return mrl_error__set(reader->error, -ENOMEM, "out of memory");
}

/* -- libyaml ---------------------------------------------------------------------------------- */

/* What cannot be read at all has an offset, and no line yet. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = { .index = offset };

    for (size_t i = 0; i < offset; i++) {
        mark.column = reader->bytes[i] == '\n' ? 0 : mark.column + 1;
        mark.line += reader->bytes[i] == '\n';
    }
    return mark;
}

static int report_yaml(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;

    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_memory(reader);
    if (parser->error == YAML_READER_ERROR)
        return fail_at(reader, mark_of_offset(reader, parser->problem_offset), "no YAML text: %s",
                       parser->problem);
    return fail_at(reader, parser->problem_mark, "no YAML: %s%s%s",
                   parser->context ? parser->context : "", parser->context ? ", " : "",
                   parser->problem ? parser->problem : "it cannot be read");
}

/* What one file of settings needs none of, and what makes it deeper. */
static const struct {
    const char *refused;
    int deeper;
} tokens[] = {
    [YAML_ANCHOR_TOKEN] = { "anchors and aliases are not taken", 0 },
    [YAML_ALIAS_TOKEN] = { "anchors and aliases are not taken", 0 },
    [YAML_TAG_TOKEN] = { "tags are not taken", 0 },
    [YAML_BLOCK_SEQUENCE_START_TOKEN] = { NULL, 1 },
    [YAML_BLOCK_MAPPING_START_TOKEN] = { NULL, 1 },
    [YAML_BLOCK_END_TOKEN] = { NULL, -1 },
    [YAML_FLOW_SEQUENCE_START_TOKEN] = { NULL, 1 },
    [YAML_FLOW_SEQUENCE_END_TOKEN] = { NULL, -1 },
    [YAML_FLOW_MAPPING_START_TOKEN] = { NULL, 1 },
    [YAML_FLOW_MAPPING_END_TOKEN] = { NULL, -1 },
    [YAML_SCALAR_TOKEN] = { NULL, 0 },
};

/* Looks at all tokens: the tree would not show what was an alias, nor stop at a depth. */
static int check_tokens(struct reader *reader)
{
    yaml_token_type_t type = YAML_NO_TOKEN;
    int depth = 0, err = 0;

    while (!err && type != YAML_STREAM_END_TOKEN) {
        yaml_token_t token;

        if (!yaml_parser_scan(&reader->parser, &token))
            return report_yaml(reader);
        type = token.type;
        depth += tokens[type].deeper;
        if (tokens[type].refused)
            err = fail_at(reader, token.start_mark, "%s", tokens[type].refused);
        else if (depth > DEPTH_MAX)
            err = fail_at(reader, token.start_mark, "nested deeper than %d levels", DEPTH_MAX);
        yaml_token_delete(&token);
    }
    return err;
}

static yaml_node_t *node_at(struct reader *reader, int index)
{
    return yaml_document_get_node(&reader->document, index);
}

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
    return names[scalar];
}

static bool is_clean(const yaml_node_t *node)
{
    for (size_t i = 0; i < node->data.scalar.length; i++)
        if (node->data.scalar.value[i] < 0x20 || node->data.scalar.value[i] == 0x7f)
            return false;
    return true;
}

static enum mrl_scalar scalar_of(const yaml_node_t *node)
{
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
               ? mrl_scalar__of((const char *)node->data.scalar.value)
               : MRL_SCALAR_TEXT;
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
        return fail_at(reader, node->start_mark, "%s: a value of more than %d bytes", option->name,
                       MRL_CONFIG_VALUE_BYTES_MAX);
    if (!is_clean(node))
        return fail_at(reader, node->start_mark, "%s: a value with a control character",
                       option->name);
    *ret_scalar = scalar_of(node);
    if (*ret_scalar == MRL_SCALAR_ERROR)
        return out_of_memory(reader);
    if (*ret_scalar == MRL_SCALAR_NULL)
        return fail_at(reader, node->start_mark, "%s has no value", option->name);
    if (is_switch)
        return *ret_scalar == MRL_SCALAR_TRUE || *ret_scalar == MRL_SCALAR_FALSE
                   ? 0
                   : fail_at(reader, node->start_mark, "%s: '%.64s' is not true or false",
                             option->name, text);
    wrong = misfit(option, *ret_scalar);
    return wrong ? fail_at(reader, node->start_mark,
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
        return fail_at(reader, node->start_mark, "%s: a list of more than %d bytes",
                       reader->rows->at[list->row]->name, MRL_CONFIG_VALUE_BYTES_MAX);
    if (asprintf(&joined, "%s,%s", list->owned, node->data.scalar.value) < 0)
        return out_of_memory(reader);
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
        .file = reader->name,
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
        return fail_at(reader, node->start_mark, "more than %d values", MRL_CONFIG_VALUES_MAX);
    if (scalar != MRL_SCALAR_TRUE) {
        setting.owned = strdup((const char *)node->data.scalar.value);
        setting.value = setting.owned;
        if (!setting.owned)
            return out_of_memory(reader);
    }
    return mrl_settings__add(reader->settings, &setting) ? out_of_memory(reader) : 0;
}

static int read_sequence(struct reader *reader, unsigned int row, const yaml_node_t *list)
{
    const struct mrl_option *option = reader->rows->at[row];
    const yaml_node_item_t *first = list->data.sequence.items.start;
    int err = 0;

    if (first == list->data.sequence.items.top)
        return fail_at(reader, list->start_mark, "%s: the list is empty", option->name);
    for (const yaml_node_item_t *item = first; !err && item < list->data.sequence.items.top;
         item++) {
        const yaml_node_t *node = node_at(reader, *item);

        err = node->type == YAML_SCALAR_NODE
                  ? add_value(reader, row, node)
                  : fail_at(reader, node->start_mark, "%s: a list within the list", option->name);
        err = err ? mrl_settings__fault(reader->settings, err, reader->error->text) : 0;
    }
    return err;
}

static int read_value(struct reader *reader, unsigned int row, const yaml_node_t *node)
{
    const struct mrl_option *option = reader->rows->at[row];

    if (node->type == YAML_SCALAR_NODE)
        return add_value(reader, row, node);
    if (node->type != YAML_SEQUENCE_NODE)
        return fail_at(reader, node->start_mark, "%s: keys where a value is wanted", option->name);
    return mrl_config__is_list(option)
               ? read_sequence(reader, row, node)
               : fail_at(reader, node->start_mark, "%s: a list where one value is wanted",
                         option->name);
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
            mrl_say("%.200s:%zu:%zu: warning: %s", reader->name, node->start_mark.line + 1,
                    node->start_mark.column + 1, text.text);
        *ret_row = i;
        if (is_former || !strcmp(rows->at[i]->name, key))
            return 0;
        names[count++] = rows->at[i]->name;
    }
    mrl_error__unknown(&text, "key", key, names, count);
    return fail_at(reader, node->start_mark, "%s", text.text);
}

static int read_pair(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
    unsigned int row = 0;
    int err;

    if (key->type != YAML_SCALAR_NODE || !is_clean(key))
        return fail_at(reader, key->start_mark, "a key must be the name of an option");
    err = find_row(reader, key, &row);
    if (err)
        return err;
    if (reader->seen_at[row])
        return fail_at(reader, key->start_mark, "%s stands in line %zu already",
                       reader->rows->at[row]->name, reader->seen_at[row]);
    reader->seen_at[row] = key->start_mark.line + 1;
    return read_value(reader, row, value);
}

/* -- the file --------------------------------------------------------------------------------- */

/* A document without anything but comments is one without settings. */
static int read_root(struct reader *reader, const yaml_node_t *root)
{
    int err = 0;

    if (root->type == YAML_SCALAR_NODE && scalar_of(root) == MRL_SCALAR_NULL)
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return fail_at(reader, root->start_mark, "lines like 'KEY: VALUE' are wanted");
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         !err && pair < root->data.mapping.pairs.top; pair++) {
        err = read_pair(reader, node_at(reader, pair->key), node_at(reader, pair->value));
        err = err ? mrl_settings__fault(reader->settings, err, reader->error->text) : 0;
    }
    return err;
}

/* Also that of a second document, which there must not be. */
static int read_documents(struct reader *reader)
{
    const yaml_node_t *root = NULL;
    int err = 0;

    for (unsigned int count = 0; !err && (!count || root); count++) {
        if (!yaml_parser_load(&reader->parser, &reader->document))
            return report_yaml(reader);
        root = yaml_document_get_root_node(&reader->document);
        if (root && count)
            err = fail_at(reader, reader->document.start_mark,
                          "a second document: there must be one");
        else if (root)
            err = read_root(reader, root);
        yaml_document_delete(&reader->document);
    }
    return err;
}

/* Each step reads the bytes from their start. */
static int run(struct reader *reader, size_t size, int (*step)(struct reader *reader))
{
    int err;

    if (!yaml_parser_initialize(&reader->parser))
        return out_of_memory(reader);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->bytes, size);
    err = step(reader);
    yaml_parser_delete(&reader->parser);
    return err;
}

int mrl_config__parse(const char *name,
                      const char *bytes,
                      size_t size,
                      const struct mrl_rows *rows,
                      struct mrl_settings *settings,
                      struct mrl_error *error)
{
    struct reader reader = {
        .name = name, .bytes = bytes, .rows = rows, .settings = settings, .error = error
    };
    int err;

    if (size > MRL_CONFIG_BYTES_MAX)
        return mrl_error__set(error, -EINVAL, "%.200s:1:1: more than %d KiB", name,
                              MRL_CONFIG_BYTES_MAX / 1024);
    err = run(&reader, size, check_tokens);
    return err ? err : run(&reader, size, read_documents);
}
