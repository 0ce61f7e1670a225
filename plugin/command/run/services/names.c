// SPDX-License-Identifier: Apache-2.0
#include "command/run/services/names.h"

#include <errno.h>
#include <string.h>

bool mrl_run_names__are_wanted(const struct mrl_session_options *options)
{
    const bool are_named = options->names_sockets.sockets[0].runtime != MRL_RUNTIME_UNKNOWN;

    return !options->plugin.replay && (options->names == MRL_NAMES_ASKED ||
                                       (options->names == MRL_NAMES_AS_SOCKETS_SAY && are_named));
}

/* -- asking, on threads of the library -------------------------------------------------------- */

/* While there is no side program, nobody would answer. */
static int tell_down(struct mrl_run_names *names, const char *id)
{
    int err;

    struct mrl_container_names none = { .id = { id, strlen(id) },
                                        .result = MRL_NAMES_RUNTIME_DOWN };

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        none.texts[i] = (struct mrl_text){ "", 0 };
    pthread_mutex_lock(&names->lock);
    err = names->plugin ? mrl_plugin__tell_names(names->plugin, &none) : -EAGAIN;
    pthread_mutex_unlock(&names->lock);
    return err;
}

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    struct mrl_run_names *names = context;
    const struct mrl_names_question question = { 1, hint, id };
    const int err = names->sink ? mrl_sides__ask_names(names->sink, &question, 1) : -ENOLINK;

    return err == -ENOLINK ? tell_down(names, id) : err;
}

/* -- hearing, on the keeper's ----------------------------------------------------------------- */

/* What the plugin has no room for it asks for again. */
void mrl_run_names__tell(struct mrl_run_names *names, const struct mrl_container_names *container)
{
    pthread_mutex_lock(&names->lock);
    if (names->plugin)
        mrl_plugin__tell_names(names->plugin, container);
    pthread_mutex_unlock(&names->lock);
}

void mrl_run_names__set_plugin(struct mrl_run_names *names, struct mrl_plugin *plugin)
{
    pthread_mutex_lock(&names->lock);
    names->plugin = plugin;
    pthread_mutex_unlock(&names->lock);
}

/* -- life ------------------------------------------------------------------------------------- */

void mrl_run_names__init(struct mrl_run_names *names, struct mrl_session_options *options)
{
    *names = (struct mrl_run_names){ .sink = NULL };
    pthread_mutex_init(&names->lock, NULL);
    if (!mrl_run_names__are_wanted(options))
        return;
    options->plugin.names = true;
    options->plugin.ask_names = ask;
    options->plugin.names_context = names;
}

int mrl_run_names__open(struct mrl_run_names *names,
                        const struct mrl_session_options *options,
                        struct mrl_sides *sides,
                        struct mrl_error *error)
{
    struct mrl_sink_target target = {
        .destination = "", .format = "names", .options = &options->names_sockets, .sides = sides
    };

    if (!mrl_run_names__are_wanted(options))
        return 0;
    target.ops = mrl_sides__sink(sides, mrl_sides__names());
    return target.ops->open(&target, error, &names->sink);
}

void mrl_run_names__end(struct mrl_run_names *names, struct mrl_sides *sides)
{
    if (names->sink)
        mrl_sides__sink(sides, mrl_sides__names())->close(names->sink);
    names->sink = NULL;
    pthread_mutex_destroy(&names->lock);
}
