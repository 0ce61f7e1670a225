// SPDX-License-Identifier: Apache-2.0
#include "falco/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* On standard error: this version of the API has no log. Standard output is the host's. */
static void say(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    if (level <= MRL_LOG_WARNING)
        fprintf(stderr, "mrelease: %s: %s\n", level == MRL_LOG_WARNING ? "warning" : "error", text);
}

static void named(void *context, uint32_t ask, const struct mrl_container_names *container)
{
    struct mrl_falco_names *names = context;

    (void)ask;
    mrl_names_bridge__tell(&names->bridge, container);
}

int mrl_falco_names__open(struct mrl_falco_names *names,
                          const struct mrl_falco_config *config,
                          struct mrl_plugin_options *options,
                          struct mrl_error *error)
{
    char directory[PATH_MAX];
    const struct mrl_sides_options sides = {
        .size = sizeof(sides),
        .log = say,
        .named = named,
        .context = names,
        .sockets = directory,
        .joins_only = true,
    };

    if (!config->names || options->replay)
        return 0;
    snprintf(directory, sizeof(directory), "%s", config->names);
    *strrchr(directory, '/') = '\0';
    mrl_names_bridge__ask(&names->bridge, options);
    if (mrl_sides__start(&sides, error, &names->sides))
        return -ENOMEM;
    return mrl_names_bridge__open(&names->bridge, &config->names_sockets, names->sides, error);
}

void mrl_falco_names__begin(struct mrl_falco_names *names, struct mrl_plugin *plugin)
{
    mrl_names_bridge__set_plugin(&names->bridge, plugin);
    if (names->sides)
        mrl_sides__ready(names->sides);
}

void mrl_falco_names__rest(struct mrl_falco_names *names)
{
    mrl_names_bridge__set_plugin(&names->bridge, NULL);
    if (names->sides)
        mrl_sides__hurry(names->sides); /* a service that hangs holds up nobody's end */
}

void mrl_falco_names__done(struct mrl_falco_names *names)
{
    mrl_names_bridge__done(&names->bridge);
    mrl_sides__free(names->sides);
    names->sides = NULL;
}
