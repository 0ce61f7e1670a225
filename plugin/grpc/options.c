// SPDX-License-Identifier: Apache-2.0
/* The settings of a server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/server.h"

static int set_mode(struct mrl_server_options *options, const char *value, struct mrl_error *error)
{
    char *end;
    unsigned long mode = strtoul(value, &end, 8);

    if (!*value || *end || mode & ~0666UL || !mode)
        return mrl_error__set(error, -EINVAL, "mode=%.32s: three octal digits of 0, 2, 4 and 6",
                              value);
    options->mode = (unsigned int)mode;
    return 0;
}

static int set_group(struct mrl_server_options *options, const char *value, struct mrl_error *error)
{
    if ((size_t)snprintf(options->group, sizeof(options->group), "%s", value) >=
        sizeof(options->group))
        return mrl_error__set(error, -EINVAL, "group=%.32s: too long", value);
    if (!options->mode)
        options->mode = 0660;
    return 0;
}

static int set_file(char target[MRL_FILE_MAX], const char *value, struct mrl_error *error)
{
    if (!*value)
        return mrl_error__set(error, -EINVAL, "cert=, key= and client-ca= each want a path");
    if ((size_t)snprintf(target, MRL_FILE_MAX, "%s", value) >= MRL_FILE_MAX)
        return mrl_error__set(error, -EINVAL, "'%.32s…': a path of at most %d bytes", value,
                              MRL_FILE_MAX - 1);
    return 0;
}

static int set_cert(struct mrl_server_options *options, const char *value, struct mrl_error *error)
{
    return set_file(options->cert, value, error);
}

static int set_key(struct mrl_server_options *options, const char *value, struct mrl_error *error)
{
    return set_file(options->key, value, error);
}

static int set_client_ca(struct mrl_server_options *options,
                         const char *value,
                         struct mrl_error *error)
{
    return set_file(options->client_ca, value, error);
}

/* `*ret_index`: which of the words it is. */
static int choose(const char *name,
                  const char *value,
                  const char *const words[2],
                  bool *ret_second,
                  struct mrl_error *error)
{
    *ret_second = !strcmp(value, words[1]);
    return *ret_second || !strcmp(value, words[0])
               ? 0
               : mrl_error__unknown(error, name, value, words, 2);
}

static int set_on_full(struct mrl_server_options *options,
                       const char *value,
                       struct mrl_error *error)
{
    static const char *const words[] = { "drop-oldest", "disconnect" };

    return choose("value of on-full", value, words, &options->disconnect_slow, error);
}

static int set_insecure(struct mrl_server_options *options,
                        const char *value,
                        struct mrl_error *error)
{
    static const char *const words[] = { "false", "true" };

    return choose("value of insecure", value, words, &options->insecure, error);
}

static int set_read_only(struct mrl_server_options *options,
                         const char *value,
                         struct mrl_error *error)
{
    static const char *const words[] = { "false", "true" };

    return choose("value of read-only", value, words, &options->read_only, error);
}

static const struct {
    const char *name;
    int (*set)(struct mrl_server_options *options, const char *value, struct mrl_error *error);
} rows[] = {
    { "mode", set_mode },         { "group", set_group },
    { "on-full", set_on_full },   { "read-only", set_read_only },
    { "insecure", set_insecure }, { "cert", set_cert },
    { "key", set_key },           { "client-ca", set_client_ca }, /* one row each */
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static int set(struct mrl_server_options *options, char *setting, struct mrl_error *error)
{
    const char *names[ROW_COUNT];
    char *value = strchr(setting, '=');

    if (value)
        *value++ = '\0';
    for (unsigned int i = 0; i < ROW_COUNT; i++) {
        names[i] = rows[i].name;
        if (!strcmp(names[i], setting))
            return rows[i].set(options, value ? value : "", error);
    }
    return mrl_error__unknown(error, "setting of a gRPC output", setting, names, ROW_COUNT);
}

int mrl_server_options__read(struct mrl_server_options *options,
                             const char *settings,
                             struct mrl_error *error)
{
    char *text = strdup(settings), *rest = text, *setting;
    int err = text ? 0 : mrl_error__set(error, -ENOMEM, "out of memory");

    while (!err && (setting = strsep(&rest, ",")))
        err = *setting ? set(options, setting, error) : 0;
    free(text);
    if (!err && !*options->cert != !*options->key)
        err = mrl_error__set(error, -EINVAL, "cert= and key= come together");
    if (!err && *options->client_ca && !*options->cert)
        err = mrl_error__set(error, -EINVAL, "client-ca= wants cert= and key=");
    return err;
}
