// SPDX-License-Identifier: Apache-2.0
/* The configuration file, read by libyaml event by event: nothing is built that a file could blow
 * up. */
#include "command/options/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "command/options/scalar.h"

struct reader {
    const char *name;
    const char *bytes;
    const struct mrl_rows *rows;
    struct mrl_settings *settings;
    struct mrl_error *error;
    yaml_parser_t parser;
    yaml_event_t event;           /* the one that was read last; zeroed: none */
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

/* -- events of libyaml ------------------------------------------------------------------------ */

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

/* What one file of settings needs no anchors, aliases or tags for. */
static int check_decorations(struct reader *reader)
{
    const yaml_event_t *event = &reader->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (event->type == YAML_ALIAS_EVENT || anchor)
        return fail_at(reader, event->start_mark, "anchors and aliases are not taken");
    return tag ? fail_at(reader, event->start_mark, "tags are not taken") : 0;
}

static int next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event))
        return report_yaml(reader);
    return check_decorations(reader);
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

static bool is_clean(const yaml_event_t *event)
{
    for (size_t i = 0; i < event->data.scalar.length; i++)
        if (event->data.scalar.value[i] < 0x20 || event->data.scalar.value[i] == 0x7f)
            return false;
    return true;
}

/* Whether the scalar that was just read may be the value of a row; then `*ret_scalar` says what it
 * is. */
static int check_value(struct reader *reader, unsigned int row, enum mrl_scalar *ret_scalar)
{
    const yaml_event_t *event = &reader->event;
    const struct mrl_option *option = reader->rows->at[row];
    const char *text = (const char *)event->data.scalar.value;
    bool is_switch = option->type == MRL_OPTION_SWITCH;
    const char *wrong;

    if (event->data.scalar.length > MRL_CONFIG_VALUE_BYTES_MAX)
        return fail_at(reader, event->start_mark, "%s: a value of more than %d bytes", option->name,
                       MRL_CONFIG_VALUE_BYTES_MAX);
    if (!is_clean(event))
        return fail_at(reader, event->start_mark, "%s: a value with a control character",
                       option->name);
    *ret_scalar = event->data.scalar.plain_implicit ? mrl_scalar__of(text) : MRL_SCALAR_TEXT;
    if (*ret_scalar == MRL_SCALAR_ERROR)
        return out_of_memory(reader);
    if (*ret_scalar == MRL_SCALAR_NULL)
        return fail_at(reader, event->start_mark, "%s has no value", option->name);
    if (is_switch)
        return *ret_scalar == MRL_SCALAR_TRUE || *ret_scalar == MRL_SCALAR_FALSE
                   ? 0
                   : fail_at(reader, event->start_mark, "%s: '%.64s' is not true or false",
                             option->name, text);
    wrong = misfit(option, *ret_scalar);
    return wrong ? fail_at(reader, event->start_mark,
                           "%s: '%.64s' is %s here: put it in quotes if text is meant",
                           option->name, text, wrong)
                 : 0;
}

/* Appends the text of the scalar to the value before it, of which it continues the list. */
static int continue_list(struct reader *reader)
{
    struct mrl_setting *list = &reader->settings->list[reader->settings->count - 1];
    const yaml_event_t *event = &reader->event;
    char *joined;

    if (strlen(list->owned) + 1 + event->data.scalar.length > MRL_CONFIG_VALUE_BYTES_MAX)
        return fail_at(reader, event->start_mark, "%s: a list of more than %d bytes",
                       reader->rows->at[list->row]->name, MRL_CONFIG_VALUE_BYTES_MAX);
    if (asprintf(&joined, "%s,%s", list->owned, event->data.scalar.value) < 0)
        return out_of_memory(reader);
    free(list->owned);
    list->value = list->owned = joined;
    return 0;
}

/* Adds the scalar as a value, or to the list that the value before it began. */
static int add_value(struct reader *reader, unsigned int row, bool continues)
{
    struct mrl_setting setting = {
        .layer = MRL_LAYER_FILE,
        .row = row,
        .line = reader->event.start_mark.line + 1,
        .column = reader->event.start_mark.column + 1,
    };
    enum mrl_scalar scalar = MRL_SCALAR_TEXT;
    int err = check_value(reader, row, &scalar);

    if (err || scalar == MRL_SCALAR_FALSE)
        return err; /* a switch that is off */
    if (continues)
        return continue_list(reader);
    if (reader->settings->count == MRL_CONFIG_VALUES_MAX)
        return fail_at(reader, reader->event.start_mark, "more than %d values",
                       MRL_CONFIG_VALUES_MAX);
    if (scalar != MRL_SCALAR_TRUE) {
        setting.owned = strdup((const char *)reader->event.data.scalar.value);
        setting.value = setting.owned;
        if (!setting.owned)
            return out_of_memory(reader);
    }
    return mrl_settings__add(reader->settings, &setting) ? out_of_memory(reader) : 0;
}

/* The values of a sequence, up to its end. */
static int read_sequence(struct reader *reader, unsigned int row)
{
    const struct mrl_option *option = reader->rows->at[row];
    bool join = option->type == MRL_OPTION_SET;
    yaml_mark_t start = reader->event.start_mark;
    unsigned int count = 0;
    int err;

    for (err = next(reader); !err && reader->event.type != YAML_SEQUENCE_END_EVENT;
         err = next(reader)) {
        if (reader->event.type != YAML_SCALAR_EVENT)
            return fail_at(reader, reader->event.start_mark, "%s: a list within the list",
                           option->name);
        err = add_value(reader, row, join && count);
        if (err)
            return err;
        count++;
    }
    return err || count ? err : fail_at(reader, start, "%s: the list is empty", option->name);
}

static int read_value(struct reader *reader, unsigned int row)
{
    const struct mrl_option *option = reader->rows->at[row];
    int err = next(reader);

    if (err)
        return err;
    if (reader->event.type == YAML_SCALAR_EVENT)
        return add_value(reader, row, false);
    if (reader->event.type != YAML_SEQUENCE_START_EVENT)
        return fail_at(reader, reader->event.start_mark, "%s: keys where a value is wanted",
                       option->name);
    return !mrl_config__is_list(option)
               ? fail_at(reader, reader->event.start_mark, "%s: a list where one value is wanted",
                         option->name)
               : read_sequence(reader, row);
}

/* -- keys ------------------------------------------------------------------------------------- */

static void warn_at(const struct reader *reader, const char *text)
{
    mrl_say("%.200s:%zu:%zu: warning: %s", reader->name, reader->event.start_mark.line + 1,
            reader->event.start_mark.column + 1, text);
}

/* The row that a key names. */
static int find_row(struct reader *reader, unsigned int *ret_row)
{
    const char *key = (const char *)reader->event.data.scalar.value;
    const char *names[MRL_ROWS_MAX];
    struct mrl_error unknown, warning = { "" };
    unsigned int count = 0;

    for (unsigned int i = 0; i < reader->rows->count; i++) {
        if (!reader->rows->is_key[i])
            continue;
        if (!strcmp(reader->rows->at[i]->name, key) ||
            mrl_option__is_former(reader->rows->at[i], key, &warning)) {
            if (warning.text[0])
                warn_at(reader, warning.text);
            *ret_row = i;
            return 0;
        }
        names[count++] = reader->rows->at[i]->name;
    }
    mrl_error__unknown(&unknown, "key", key, names, count);
    return fail_at(reader, reader->event.start_mark, "%s", unknown.text);
}

static int read_key(struct reader *reader)
{
    yaml_mark_t mark = reader->event.start_mark;
    unsigned int row = 0;
    int err;

    if (reader->event.type != YAML_SCALAR_EVENT || !is_clean(&reader->event))
        return fail_at(reader, mark, "a key must be the name of an option");
    err = find_row(reader, &row);
    if (err)
        return err;
    if (reader->seen_at[row])
        return fail_at(reader, mark, "%s stands in line %zu already", reader->rows->at[row]->name,
                       reader->seen_at[row]);
    reader->seen_at[row] = mark.line + 1;
    return read_value(reader, row);
}

static int read_mapping(struct reader *reader)
{
    int err;

    for (err = next(reader); !err && reader->event.type != YAML_MAPPING_END_EVENT;
         err = next(reader)) {
        err = read_key(reader);
        if (err)
            break;
    }
    return err;
}

/* -- the file --------------------------------------------------------------------------------- */

/* A document without anything but comments is one without settings. */
static bool is_nothing(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit &&
           mrl_scalar__of((const char *)event->data.scalar.value) == MRL_SCALAR_NULL;
}

static int read_document(struct reader *reader)
{
    int err = next(reader);

    if (!err && reader->event.type == YAML_MAPPING_START_EVENT)
        err = read_mapping(reader);
    else if (!err && !is_nothing(&reader->event))
        err = fail_at(reader, reader->event.start_mark, "lines like 'KEY: VALUE' are wanted");
    if (!err)
        err = next(reader); /* its end */
    if (!err)
        err = next(reader);
    if (!err && reader->event.type != YAML_STREAM_END_EVENT)
        err = fail_at(reader, reader->event.start_mark, "a second document: there must be one");
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
    if (!yaml_parser_initialize(&reader.parser))
        return out_of_memory(&reader);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, size);
    err = next(&reader); /* the start of the stream */
    if (!err)
        err = next(&reader);
    if (!err && reader.event.type != YAML_STREAM_END_EVENT)
        err = read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return err;
}
