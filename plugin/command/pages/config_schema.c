// SPDX-License-Identifier: Apache-2.0
/* The JSON Schema of the configuration file, from the rows of the verb run. */
#include <jansson.h>
#include <stdio.h>

#include "command/options/arguments.h"
#include "command/options/config.h"
#include "command/options/value.h"
#include "command/pages/manual.h"

/* Changes when a file that was right becomes wrong. */
#define SCHEMA_ID "urn:mrelease:schema:config:1"

/* "^(a|b)$", or of a list, "^(a|b)(,(a|b))*$". */
static json_t *closed_text(const struct mrl_option *row, bool list)
{
    json_t *schema = json_pack("{s:s}", "type", "string"), *words;
    char word[MRL_WORD_BYTES], joined[512] = "", pattern[1100];
    size_t used = 0;

    if (!list) {
        words = json_array();
        for (unsigned int i = 0; mrl_value__word(row, i, word); i++)
            json_array_append_new(words, json_string(word));
        json_object_set_new(schema, "enum", words);
        return schema;
    }
    for (unsigned int i = 0; mrl_value__word(row, i, word) && used < sizeof(joined); i++)
        used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? "|" : "", word);
    snprintf(pattern, sizeof(pattern), "^(%s)(,(%s))*$", joined, joined);
    json_object_set_new(schema, "pattern", json_string(pattern));
    return schema;
}

static json_t *text(const struct mrl_value_kind *kind)
{
    json_t *schema = json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength",
                               MRL_CONFIG_VALUE_BYTES_MAX);

    if (kind->pattern)
        json_object_set_new(schema, "pattern", json_string(kind->pattern));
    return schema;
}

/* One value of a row. */
static json_t *value_schema(const struct mrl_option *row, const struct mrl_value_kind *kind)
{
    if (kind->type == MRL_VALUE_SWITCH)
        return json_pack("{s:s}", "type", "boolean");
    if (kind->closed)
        return closed_text(row, kind->form == MRL_VALUE_COMMAS);
    if (kind->type == MRL_VALUE_NUMBER)
        return json_pack("{s:[{s:s, s:i}, o]}", "anyOf", "type", "integer", "minimum", 1,
                         text(kind));
    return text(kind);
}

static json_t *key_schema(const struct mrl_option *row)
{
    const struct mrl_value_kind *kind = mrl_value__kind(row);
    json_t *schema = value_schema(row, kind), *both;

    if (kind->form != MRL_VALUE_ONE) {
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

static void print(const struct mrl_verb *verb, const struct mrl_rows *rows)
{
    json_t *keys = json_object(), *schema;

    (void)verb;
    for (unsigned int i = 0; i < rows->count; i++)
        if (rows->is_key[i])
            json_object_set_new(keys, rows->at[i]->name, key_schema(rows->at[i]));
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

void mrl_config_schema__print(const struct mrl_verbs *verbs)
{
    (void)verbs;
    mrl_arguments__help(&mrl_verb_run, print);
}
