// SPDX-License-Identifier: Apache-2.0
#include "falco/config.h"

#include <errno.h>
#include <mrelease/extra.h>
#include <mrelease/option.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All but "time", which probes signals, and "seq" and "id", which are for files and stores. */
#define EXTRAS "target,bytes,outcome,mlock,exe"

/* -- the rows --------------------------------------------------------------------------------- */

static int check_names(void *member, const char *text, struct mrl_error *error)
{
    const char *name = strrchr(text, '/');

    (void)member;
    if (strlen(text) >= MRL_NAMES_PATH_BYTES)
        return mrl_error__set(error, -EINVAL, "'%.64s...': a socket's path has 107 bytes at most",
                              text);
    if (*text == '/' && !strcmp(name, "/names"))
        return 0;
    return mrl_error__set(error, -EINVAL,
                          "'%.128s': it is the path of a socket that is called names, as "
                          "/run/mrelease-side/names",
                          text);
}

static const struct mrl_option own_rows[] = {
    {
        .name = "extra",
        .type = MRL_OPTION_SET,
        .offset = offsetof(struct mrl_falco_config, options.extras),
        .word = mrl_extra__name,
        .preset = EXTRAS,
        .doc = "What the probes look for beside the arguments.",
    },
    {
        .name = "names",
        .type = MRL_OPTION_PATH,
        .offset = offsetof(struct mrl_falco_config, names),
        .parse = check_names,
        .value = "PATH",
        .doc = "Where the service of names listens, /run/mrelease-side/names: containers and pods "
               "have names.",
    },
    {
        .name = "names-socket",
        .type = MRL_OPTION_OWN,
        .offset = offsetof(struct mrl_falco_config, names_sockets),
        .many = MRL_NAMES_SOCKETS_MAX,
        .parse = mrl_names_options__add,
        .value = "RUNTIME=PATH",
        .doc = "Where a runtime listens, for that service: then none other is asked.",
    },
    {
        .name = "names-wait",
        .type = MRL_OPTION_DURATION,
        .offset = offsetof(struct mrl_falco_config, options.names_wait_ns),
        .max = 10000000000,
        .preset = "50ms",
        .doc = "How long an event may wait for the names of its container; 0s: not at all.",
    },
};

enum { ROWS_MAX = 32, OWN_ROWS = sizeof(own_rows) / sizeof(own_rows[0]) };

_Static_assert(!offsetof(struct mrl_falco_config, options), "the library's rows begin there");

/* The library's rows and our own. */
static unsigned int all_rows(struct mrl_option rows[ROWS_MAX])
{
    unsigned int count;
    const struct mrl_option *library = mrl_plugin_options__rows(&count);

    if (count + OWN_ROWS > ROWS_MAX)
        abort();
    memcpy(rows, library, count * sizeof(*rows));
    memcpy(rows + count, own_rows, sizeof(own_rows));
    return count + OWN_ROWS;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* A number becomes the text that a user would write. Returns NULL: it is neither. */
static json_t *text_of(const json_t *value)
{
    char number[64];
    size_t size;

    if (json_is_string(value))
        return json_stringn_nocheck(json_string_value(value), json_string_length(value));
    size = json_is_number(value) ? json_dumpb(value, number, sizeof(number), JSON_ENCODE_ANY) : 0;
    return size && size <= sizeof(number) ? json_stringn(number, size) : NULL;
}

/* Keeps the text of a value, because an option borrows it, and sets the option. */
static int set_one(struct mrl_falco_config *config,
                   const struct mrl_option *row,
                   const json_t *value,
                   struct mrl_error *error)
{
    json_t *text = text_of(value);
    struct mrl_error reason = { "" };

    if (!text)
        return mrl_error__set(error, -EINVAL, "%s: neither a text nor a number", row->name);
    if (json_array_append_new(config->texts, text))
        return mrl_error__set(error, -ENOMEM, "out of memory");
    if (strlen(json_string_value(text)) != json_string_length(text))
        return mrl_error__set(error, -EINVAL, "%s: a text with a NUL in it", row->name);
    if (mrl_option__set(row, config, json_string_value(text), &reason))
        return mrl_error__set(error, -EINVAL, "%s: %s", row->name, reason.text);
    return 0;
}

/* The texts of a list: of a set, the union; where one value is wanted, an error. */
static int set_list(struct mrl_falco_config *config,
                    const struct mrl_option *row,
                    const json_t *list,
                    struct mrl_error *error)
{
    uint32_t *set =
        row->type == MRL_OPTION_SET ? (uint32_t *)(void *)((char *)config + row->offset) : NULL;
    uint32_t all = 0;
    int err = 0;

    if (!json_array_size(list))
        return mrl_error__set(error, -EINVAL, "%s: the list is empty", row->name);
    if (!row->many && !set && json_array_size(list) > 1)
        return mrl_error__set(error, -EINVAL, "%s: a list where one value is wanted", row->name);
    for (size_t i = 0; !err && i < json_array_size(list); i++) {
        err = set_one(config, row, json_array_get(list, i), error);
        all |= set ? *set : 0;
    }
    if (all)
        *set = all;
    return err;
}

static int set_member(struct mrl_falco_config *config,
                      const char *key,
                      const json_t *value,
                      struct mrl_error *error)
{
    struct mrl_option rows[ROWS_MAX];
    unsigned int count = all_rows(rows);
    const struct mrl_option *row = mrl_option__find(rows, count, "key", key, error);
    struct mrl_error warning;

    if (!row)
        return -EINVAL;
    /* On standard error: this version of the API has no log. Standard output is the host's. */
    if (mrl_option__is_former(row, key, &warning))
        fprintf(stderr, "mrelease: warning: %s\n", warning.text);
    return (json_is_array(value) ? set_list : set_one)(config, row, value, error);
}

static int set_all(struct mrl_falco_config *config, json_t *object, struct mrl_error *error)
{
    const char *key;
    json_t *value;
    int err = 0;

    json_object_foreach(object, key, value)
    {
        err = set_member(config, key, value, error);
        if (err)
            break;
    }
    return err;
}

/* `*ret_json` is a new object, null, or NULL: all but the first say nothing. */
static int parse(const char *text, json_t **ret_json, struct mrl_error *error)
{
    const size_t size = text ? strnlen(text, MRL_FALCO_CONFIG_BYTES + 1) : 0;
    json_error_t where;
    json_t *json;

    *ret_json = NULL;
    if (!size || strspn(text, " \t\r\n") == size)
        return 0;
    if (size > MRL_FALCO_CONFIG_BYTES)
        return mrl_error__set(error, -EINVAL, "a configuration of more than %d bytes",
                              MRL_FALCO_CONFIG_BYTES);
    json =
        json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
    if (!json)
        return mrl_error__set(error, -EINVAL, "no valid JSON object: line %d, column %d: %s",
                              where.line, where.column, where.text);
    if (!json_is_object(json) && !json_is_null(json)) {
        json_decref(json);
        return mrl_error__set(error, -EINVAL, "no valid JSON object");
    }
    *ret_json = json;
    return 0;
}

int mrl_falco_config__read(struct mrl_falco_config *config,
                           const char *text,
                           struct mrl_error *error)
{
    json_t *object = NULL;
    int err;

    *config = (struct mrl_falco_config){ .options = MRL_PLUGIN_OPTIONS, .texts = json_array() };
    err = config->texts ? parse(text, &object, error)
                        : mrl_error__set(error, -ENOMEM, "out of memory");
    mrl_options__preset(own_rows, OWN_ROWS, config);
    if (!err)
        err = set_all(config, object, error);
    if (!err && !config->names && config->names_sockets.sockets[0].runtime != MRL_RUNTIME_UNKNOWN)
        err = mrl_error__set(error, -EINVAL, "names-socket: nobody is asked without names");
    json_decref(object);
    config->options.caller_exe = true;
    if (err)
        mrl_falco_config__done(config);
    return err;
}

void mrl_falco_config__done(struct mrl_falco_config *config)
{
    json_decref(config->texts);
    *config = (struct mrl_falco_config){ .texts = NULL };
}

/* -- the schema ------------------------------------------------------------------------------- */

static char schema[8 * 1024];
static pthread_once_t schema_once = PTHREAD_ONCE_INIT;

static json_t *describe(const struct mrl_option *row)
{
    json_t *json = json_pack("{s:[s,s,s], s:{s:[s,s]}, s:s}", "type", "string", "number", "array",
                             "items", "type", "string", "number", "description", row->doc);

    if (row->preset)
        json_object_set_new(json, "default", json_string(row->preset));
    return json;
}

static void make_schema(void)
{
    struct mrl_option rows[ROWS_MAX];
    const unsigned int count = all_rows(rows);
    json_t *properties = json_object(), *all;
    size_t size;

    for (unsigned int i = 0; i < count; i++) {
        json_object_set_new(properties, rows[i].name, describe(&rows[i]));
        if (rows[i].was)
            json_object_set_new(properties, rows[i].was, describe(&rows[i]));
    }
    all =
        json_pack("{s:s, s:[s,s], s:b, s:o}", "$schema", "http://json-schema.org/draft-07/schema#",
                  "type", "object", "null", "additionalProperties", 0, "properties", properties);
    size = json_dumpb(all, schema, sizeof(schema) - 1, JSON_COMPACT);
    if (size >= sizeof(schema))
        *schema = '\0';
    json_decref(all);
}

const char *mrl_falco_config__schema(void)
{
    pthread_once(&schema_once, make_schema);
    return *schema ? schema : NULL;
}
