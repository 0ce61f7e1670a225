// SPDX-License-Identifier: Apache-2.0
#include "command/run/names.h"

#include <errno.h>
#include <string.h>

bool mrl_run_names__are_wanted(const struct mrl_session_options *options)
{
    const bool are_named = options->names_sockets.sockets[0].runtime != MRL_RUNTIME_UNKNOWN;

    return !options->plugin.replay && (options->names == MRL_NAMES_ASKED ||
                                       (options->names == MRL_NAMES_AS_SOCKETS_SAY && are_named));
}

/* -- asking, on the reader's thread ----------------------------------------------------------- */

/* While there is no side program, nobody would answer. */
static int tell_down(struct mrl_run_sides *run, const char *id)
{
    struct mrl_container_names names = { .id = { id, strlen(id) },
                                         .result = MRL_NAMES_RUNTIME_DOWN };

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        names.texts[i] = (struct mrl_text){ "", 0 };
    /* No lock: this thread alone sets the plugin, and takes it away. */
    return run->plugin ? mrl_plugin__tell_names(run->plugin, &names) : -EAGAIN;
}

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    struct mrl_run_sides *run = context;
    const struct mrl_names_question question = { 1, hint, id };
    const int err = run->names ? mrl_sides__ask_names(run->names, &question, 1) : -ENOLINK;

    return err == -ENOLINK ? tell_down(run, id) : err;
}

/* -- hearing, on the keeper's ----------------------------------------------------------------- */

/* What the plugin has no room for it asks for again. */
static void named(void *context, uint32_t number, const struct mrl_container_names *names)
{
    struct mrl_run_sides *run = context;

    (void)number;
    pthread_mutex_lock(&run->lock);
    if (run->plugin)
        mrl_plugin__tell_names(run->plugin, names);
    pthread_mutex_unlock(&run->lock);
}

/* -- life ------------------------------------------------------------------------------------- */

void mrl_run_names__join(struct mrl_run_sides *run,
                         struct mrl_session_options *options,
                         struct mrl_sides_options *sides)
{
    if (!mrl_run_names__are_wanted(options))
        return;
    options->plugin.names = true;
    options->plugin.ask_names = ask;
    options->plugin.names_context = run;
    sides->named = named;
}

int mrl_run_names__open(struct mrl_run_sides *run,
                        const struct mrl_session_options *options,
                        struct mrl_error *error)
{
    const struct mrl_sink_target target = {
        .destination = "",
        .format = "names",
        .options = &options->names_sockets,
        .sides = run->sides,
        .ops = mrl_sides__sink(run->sides, mrl_sides__names()),
    };

    return mrl_run_names__are_wanted(options) ? target.ops->open(&target, error, &run->names) : 0;
}

void mrl_run_names__close(struct mrl_run_sides *run)
{
    if (run->names)
        mrl_sides__sink(run->sides, mrl_sides__names())->close(run->names);
    run->names = NULL;
}
