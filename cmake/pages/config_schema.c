// SPDX-License-Identifier: Apache-2.0
/* The JSON Schema of the configuration file, from the rows of the verb run. */
#include <jansson.h>
#include <stdio.h>

#include "command/options/arguments.h"
#include "command/options/config.h"
#include "pages.h"

/* Changes when a file that was right becomes wrong. */
#define SCHEMA_ID "urn:mrelease:schema:config:1"

/* "^(a|b)$", or of a list, "^(a|b)(,(a|b))*$". */
static json_t *closed_text(const struct mrl_option *row, bool list)
{
    json_t *schema = json_pack("{s:s}", "type", "string"), *words;
    const char *word;
    char joined[512] = "", pattern[1100];
    size_t used = 0;

    if (!list) {
        words = json_array();
        for (unsigned int i = 0; (word = mrl_option__word(row, i)); i++)
            json_array_append_new(words, json_string(word));
        json_object_set_new(schema, "enum", words);
        return schema;
    }
    for (unsigned int i = 0; (word = mrl_option__word(row, i)) && used < sizeof(joined); i++)
        used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? "|" : "", word);
    snprintf(pattern, sizeof(pattern), "^(%s)(,(%s))*$", joined, joined);
    json_object_set_new(schema, "pattern", json_string(pattern));
    return schema;
}

/* All right texts match it, and maybe some wrong ones. */
static const char *const patterns[] = {
    [MRL_OPTION_BYTES] = "^[0-9]+[KMG]?$",
    [MRL_OPTION_DURATION] = "^[0-9]+(ns|us|ms|s|m|h)$",
    [MRL_OPTION_COUNT] = "^[0-9]+$",
    [MRL_OPTION_OWN] = NULL,
};

static json_t *text(const struct mrl_option *row)
{
    json_t *schema = json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength",
                               MRL_CONFIG_VALUE_BYTES_MAX);

    if (patterns[row->type])
        json_object_set_new(schema, "pattern", json_string(patterns[row->type]));
    return schema;
}

/* One value of a row. */
static json_t *value_schema(const struct mrl_option *row)
{
    if (row->type == MRL_OPTION_SWITCH)
        return json_pack("{s:s}", "type", "boolean");
    if (row->type == MRL_OPTION_WORD || row->type == MRL_OPTION_CHOICE ||
        row->type == MRL_OPTION_SET)
        return closed_text(row, row->type == MRL_OPTION_SET);
    if (mrl_config__is_number(row))
        return json_pack("{s:[{s:s, s:i}, o]}", "anyOf", "type", "integer", "minimum", 1,
                         text(row));
    return text(row);
}

static json_t *key_schema(const struct mrl_option *row)
{
    json_t *schema = value_schema(row), *both;

    if (mrl_config__is_list(row)) {
        both = json_pack("[O, {s:s, s:i, s:O}]", schema, "type", "array", "minItems", 1, "items",
                         schema);
        json_decref(schema);
        schema = json_pack("{s:o}", "anyOf", both);
    }
    json_object_set_new(schema, "description", json_string(row->doc));
    if (row->preset)
        json_object_set_new(schema, "default", json_string(row->preset));
    return schema;
}

/* A former name is right for as long as it is taken. */
static void add_key(json_t *keys, const struct mrl_option *row)
{
    char text[64];

    json_object_set_new(keys, row->name, key_schema(row));
    if (!row->was)
        return;
    snprintf(text, sizeof(text), "The former name of %s.", row->name);
    json_object_set_new(keys, row->was, key_schema(row));
    json_object_set_new(json_object_get(keys, row->was), "description", json_string(text));
}

static void print(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    json_t *keys = json_object(), *schema;

    (void)verb;
    for (unsigned int i = 0; i < rows->count; i++)
        if (rows->is_key[i])
            add_key(keys, rows->at[i]);
    schema =
        json_pack("{s:s, s:s, s:s, s:s, s:[s,s], s:o, s:b}", "$schema",
                  "http://json-schema.org/draft-07/schema#", "$id", SCHEMA_ID, "title",
                  "Configuration file of mrelease", "description",
                  "Options of 'mrelease run', by their long names. A file without any is null.",
                  "type", "object", "null", "properties", keys, "additionalProperties", 0);
    json_dumpf(schema, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(schema);
}

void mrl_pages__config_schema(void)
{
    mrl_arguments__help(&mrl_verb_run, print);
}
