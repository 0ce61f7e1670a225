// SPDX-License-Identifier: Apache-2.0
/* The settings of a server. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/server/server.h"

/* How a setting is read, and into which member. */
struct row {
    const char *name;
    int (*set)(const struct row *row, void *member, const char *value, struct mrl_error *error);
    size_t offset, size;
    const char *words[2]; /* of a choice: false, true */
};

static int set_mode(const struct row *row, void *member, const char *value, struct mrl_error *error)
{
    char *end;
    unsigned long mode = strtoul(value, &end, 8);

    if (!*value || *end || mode & ~0666UL || !mode)
        return mrl_error__set(error, -EINVAL, "%s=%.32s: three octal digits of 0, 2, 4 and 6",
                              row->name, value);
    *(unsigned int *)member = (unsigned int)mode;
    return 0;
}

static int set_text(const struct row *row, void *member, const char *value, struct mrl_error *error)
{
    if (!*value)
        return mrl_error__set(error, -EINVAL, "%s= needs a value", row->name);
    if ((size_t)snprintf(member, row->size, "%s", value) >= row->size)
        return mrl_error__set(error, -EINVAL, "%s=%.32s…: at most %zu bytes", row->name, value,
                              row->size - 1);
    return 0;
}

static int choose(const struct row *row, void *member, const char *value, struct mrl_error *error)
{
    bool is_second = !strcmp(value, row->words[1]);
    char what[32];

    *(bool *)member = is_second;
    if (is_second || !strcmp(value, row->words[0]))
        return 0;
    snprintf(what, sizeof(what), "value of %s", row->name);
    return mrl_error__unknown(error, what, value, row->words, 2);
}

#define MEMBER(member) \
    offsetof(struct mrl_server_options, member), sizeof(((struct mrl_server_options *)0)->member)

static const struct row rows[] = {
    { "mode", set_mode, MEMBER(mode), { NULL } },
    { "group", set_text, MEMBER(group), { NULL } },
    { "on-full", choose, MEMBER(disconnect_slow), { "drop-oldest", "disconnect" } },
    { "read-only", choose, MEMBER(read_only), { "false", "true" } },
    { "insecure", choose, MEMBER(insecure), { "false", "true" } },
    { "cert", set_text, MEMBER(cert), { NULL } },
    { "key", set_text, MEMBER(key), { NULL } },
    { "client-ca", set_text, MEMBER(client_ca), { NULL } },
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
            return rows[i].set(&rows[i], (char *)options + rows[i].offset, value ? value : "",
                               error);
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
    if (*options->group && !options->mode)
        options->mode = 0660;
    if (!err && !*options->cert != !*options->key)
        err = mrl_error__set(error, -EINVAL, "cert= and key= come together");
    if (!err && *options->client_ca && !*options->cert)
        err = mrl_error__set(error, -EINVAL, "client-ca= wants cert= and key=");
    return err;
}
