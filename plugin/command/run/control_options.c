// SPDX-License-Identifier: Apache-2.0
#include "command/run/control_options.h"

#include <errno.h>
#include <mrelease/option.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME           "control"
#define USUAL_PATH     "/run/mrelease/" NAME
#define AT(member)     offsetof(struct mrl_control_options, member)
#define SIZEOF(member) sizeof(((struct mrl_control_options *)0)->member)

static const struct mrl_option rows[] = {
    { .name = "mode", .type = MRL_OPTION_MODE, .offset = AT(mode), .doc = "Of the socket." },
    { .name = "group",
      .type = MRL_OPTION_COPY,
      .offset = AT(group),
      .size = SIZEOF(group),
      .doc = "Whose members may ask for the status." },
};

/* Bytes of the settings before the colon. */
static size_t settings_size(const char *text)
{
    const size_t size = strcspn(text, ":");

    return text[size] && memchr(text, '=', size) && !memchr(text, '/', size) ? size : 0;
}

int mrl_control_options__parse(struct mrl_control_options *options,
                               const char *text,
                               struct mrl_error *error)
{
    struct mrl_control_options parsed = { .is_off = !strcmp(text, "off") };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &parsed };
    const size_t size = settings_size(text);
    const char *path = size ? text + size + 1 : text;
    int err = size ? mrl_options__read(&group, 1, "setting of --control", text, size, error) : 0;

    if (err)
        return err;
    if (!parsed.is_off && (!strchr(path, '/') || strlen(path) >= MRL_CONTROL_PATH))
        return mrl_error__set(error, -EINVAL,
                              "'%.64s': it is 'off', or a path with a slash, of up to %d bytes",
                              path, MRL_CONTROL_PATH - 1);
    if (!parsed.is_off)
        snprintf(parsed.path, sizeof(parsed.path), "%s", path);
    *options = parsed;
    return 0;
}

/* The first of the directories that a service manager made. */
static bool put_in_runtime_directory(char path[MRL_CONTROL_PATH])
{
    const char *directory = getenv("RUNTIME_DIRECTORY");
    const size_t size = directory ? strcspn(directory, ":") : 0;

    if (!size || size + sizeof("/" NAME) > MRL_CONTROL_PATH)
        return false;
    snprintf(path, MRL_CONTROL_PATH, "%.*s/" NAME, (int)size, directory);
    return true;
}

const char *mrl_control_options__path(const struct mrl_control_options *options,
                                      char path[MRL_CONTROL_PATH])
{
    *path = '\0';
    if (*options->path)
        snprintf(path, MRL_CONTROL_PATH, "%s", options->path);
    else if (!options->is_off)
        put_in_runtime_directory(path);
    return path;
}

const char *mrl_control_options__default(char path[MRL_CONTROL_PATH])
{
    if (!put_in_runtime_directory(path))
        snprintf(path, MRL_CONTROL_PATH, USUAL_PATH);
    return path;
}
