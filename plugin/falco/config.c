// SPDX-License-Identifier: Apache-2.0
/* What the plugin is configured by: the options of a run, as JSON. */
#include <errno.h>
#include <mrelease/extra.h>
#include <mrelease/option.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "falco/json.h"
#include "falco/state.h"

/* All but "time", which probes signals, and "seq", which is for files. */
#define EXTRAS "target,bytes,outcome,mlock,exe"

/* -- the rows --------------------------------------------------------------------------------- */

static int set_extra(void *target, const char *value, struct mrl_error *error)
{
    return mrl_extras__parse(value, target, error);
}

static const struct mrl_option extra_row = {
    "extra", '\0', "EXTRAS", EXTRAS, "What the probes look for beside the arguments.", set_extra,
};

static const struct mrl_option *find_row(const char *name, struct mrl_error *error)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);
    struct mrl_option all[32];
    const struct mrl_option *found;

    if (!strcmp(name, extra_row.name))
        return &extra_row;
    memcpy(all, rows, count * sizeof(*rows));
    all[count] = extra_row;
    found = mrl_option__find(all, count + 1, "key", name, error);
    return found ? &rows[found - all] : NULL;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* A copy of a string or number, which the configuration keeps; NULL: it is another value, or there
 * is no memory. */
static char *keep(struct mrl_falco_config *config, struct mrl_text value)
{
    char *text = config->text_count < MRL_FALCO_TEXTS_MAX ? malloc(value.size + 1) : NULL;
    ssize_t size;

    if (!text)
        return NULL;
    if (*value.bytes == '"') {
        size = mrl_json__unquote(value, text);
        if (size < 0 || strlen(text) != (size_t)size) {
            free(text);
            return NULL;
        }
    } else {
        memcpy(text, value.bytes, value.size);
        text[value.size] = '\0';
    }
    config->texts[config->text_count++] = text;
    return text;
}

static int set_one(struct mrl_falco_config *config,
                   const struct mrl_option *row,
                   struct mrl_json *json,
                   struct mrl_error *error)
{
    enum mrl_json_type type = mrl_json__peek(json);
    struct mrl_text value = mrl_json__skip(json);
    struct mrl_error reason = { "" };
    const char *text;
    void *target = row == &extra_row ? (void *)&config->extras : (void *)&config->options;

    if (!value.size || (type != MRL_JSON_STRING && type != MRL_JSON_NUMBER))
        return mrl_error__set(error, -EINVAL, "%s: neither a text nor a number", row->name);
    text = keep(config, value);
    if (!text)
        return mrl_error__set(error, -EINVAL, "%s: too many values, or no text", row->name);
    if (row->set(target, text, &reason))
        return mrl_error__set(error, -EINVAL, "%s: %s", row->name, reason.text);
    return 0;
}

static int set_member(struct mrl_falco_config *config,
                      const struct mrl_option *row,
                      struct mrl_json *json,
                      struct mrl_error *error)
{
    bool first = true, wrong = false;
    int err = 0;

    if (mrl_json__peek(json) != MRL_JSON_ARRAY)
        return set_one(config, row, json, error);
    while (!err && mrl_json__next(json, ']', &first, &wrong))
        err = set_one(config, row, json, error);
    return err || !wrong ? err : mrl_error__set(error, -EINVAL, "%s: no valid JSON", row->name);
}

static int read_members(struct mrl_falco_config *config,
                        struct mrl_json *json,
                        struct mrl_error *error)
{
    bool first = true, wrong = false;
    int err = 0;

    while (!err && mrl_json__next(json, '}', &first, &wrong)) {
        struct mrl_text key = mrl_json__key(json);
        const struct mrl_option *row;
        char name[64];

        if (!key.size || key.size > sizeof(name) || mrl_json__unquote(key, name) < 0)
            return mrl_error__set(error, -EINVAL, "a key that is none");
        row = find_row(name, error);
        err = row ? set_member(config, row, json, error) : -EINVAL;
    }
    if (!err && (wrong || mrl_json__peek(json) != MRL_JSON_WRONG || json->at != json->end))
        err = mrl_error__set(error, -EINVAL, "no valid JSON object");
    return err;
}

/* No text, blanks, or null, which Falco makes of an empty map. */
static bool is_nothing(struct mrl_json json)
{
    if (mrl_json__peek(&json) == MRL_JSON_NULL && !mrl_json__skip(&json).size)
        return false;
    return mrl_json__peek(&json) == MRL_JSON_WRONG && json.at == json.end;
}

int mrl_falco_config__read(struct mrl_falco_config *config,
                           const char *text,
                           struct mrl_error *error)
{
    struct mrl_json json = { text, text ? text + strlen(text) : text };
    int err;

    *config = (struct mrl_falco_config){ .options = MRL_PLUGIN_OPTIONS };
    err = mrl_extras__parse(EXTRAS, &config->extras, error);
    if (!err && text && !is_nothing(json))
        err = read_members(config, &json, error);
    config->options.extras = config->extras;
    config->options.caller_exe = true;
    if (err)
        mrl_falco_config__done(config);
    return err;
}

void mrl_falco_config__done(struct mrl_falco_config *config)
{
    for (unsigned int i = 0; i < config->text_count; i++)
        free(config->texts[i]);
    *config = (struct mrl_falco_config){ .text_count = 0 };
}

/* -- the schema ------------------------------------------------------------------------------- */

static char schema[8 * 1024];
static pthread_once_t schema_once = PTHREAD_ONCE_INIT;

static void print_row(FILE *out, const struct mrl_option *row)
{
    fprintf(
        out,
        "\"%s\":{\"type\":[\"string\",\"number\",\"array\"],\"items\":{\"type\":[\"string\",\"number\"]},"
        "\"description\":\"",
        row->name);
    for (const char *at = row->doc; *at; at++) {
        if (*at == '"' || *at == '\\')
            fputc('\\', out);
        fputc(*at, out);
    }
    fputc('"', out);
    if (row->preset)
        fprintf(out, ",\"default\":\"%s\"", row->preset);
    fputc('}', out);
}

static void make_schema(void)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);
    FILE *out = fmemopen(schema, sizeof(schema), "w");

    if (!out)
        return;
    fputs("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":[\"object\",\"null\"],"
          "\"additionalProperties\":false,\"properties\":{",
          out);
    for (unsigned int i = 0; i < count; i++) {
        print_row(out, &rows[i]);
        fputc(',', out);
    }
    print_row(out, &extra_row);
    fputs("}}", out);
    if (fclose(out))
        *schema = '\0';
}

const char *mrl_falco_config__schema(void)
{
    pthread_once(&schema_once, make_schema);
    return *schema ? schema : NULL;
}
