// SPDX-License-Identifier: Apache-2.0
#include "side/common/names/bridge.h"

#include <errno.h>
#include <string.h>

/* -- asking, on threads of the library -------------------------------------------------------- */

/* While there is no side program, nobody would answer. */
static int tell_down(struct mrl_names_bridge *bridge, const char *id)
{
    int err;

    struct mrl_container_names none = { .id = { id, strlen(id) },
                                        .result = MRL_NAMES_RUNTIME_DOWN };

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        none.texts[i] = (struct mrl_text){ "", 0 };
    pthread_mutex_lock(&bridge->lock);
    err = bridge->plugin ? mrl_plugin__tell_names(bridge->plugin, &none) : -EAGAIN;
    pthread_mutex_unlock(&bridge->lock);
    return err;
}

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    struct mrl_names_bridge *bridge = context;
    const struct mrl_names_question question = { 1, hint, id };
    const int err = bridge->sink ? mrl_sides__ask_names(bridge->sink, &question, 1) : -ENOLINK;

    return err == -ENOLINK ? tell_down(bridge, id) : err;
}

void mrl_names_bridge__ask(struct mrl_names_bridge *bridge, struct mrl_plugin_options *options)
{
    options->names = true;
    options->ask_names = ask;
    options->names_context = bridge;
}

/* -- hearing, on the keeper's ----------------------------------------------------------------- */

/* What the plugin has no room for it asks for again. */
void mrl_names_bridge__tell(struct mrl_names_bridge *bridge,
                            const struct mrl_container_names *container)
{
    pthread_mutex_lock(&bridge->lock);
    if (bridge->plugin)
        mrl_plugin__tell_names(bridge->plugin, container);
    pthread_mutex_unlock(&bridge->lock);
}

void mrl_names_bridge__set_plugin(struct mrl_names_bridge *bridge, struct mrl_plugin *plugin)
{
    pthread_mutex_lock(&bridge->lock);
    bridge->plugin = plugin;
    pthread_mutex_unlock(&bridge->lock);
}

/* -- life ------------------------------------------------------------------------------------- */

void mrl_names_bridge__init(struct mrl_names_bridge *bridge)
{
    *bridge = (struct mrl_names_bridge){ .sink = NULL };
    pthread_mutex_init(&bridge->lock, NULL);
}

int mrl_names_bridge__open(struct mrl_names_bridge *bridge,
                           const struct mrl_names_options *options,
                           struct mrl_sides *sides,
                           struct mrl_error *error)
{
    const struct mrl_sink_target target = {
        .ops = mrl_sides__sink(sides, mrl_sides__names()),
        .destination = "",
        .format = "names",
        .options = options,
        .sides = sides,
    };

    bridge->ops = target.ops;
    return target.ops->open(&target, error, &bridge->sink);
}

void mrl_names_bridge__done(struct mrl_names_bridge *bridge)
{
    if (bridge->sink)
        bridge->ops->close(bridge->sink);
    bridge->sink = NULL;
    pthread_mutex_destroy(&bridge->lock);
}
