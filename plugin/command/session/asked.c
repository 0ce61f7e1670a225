// SPDX-License-Identifier: Apache-2.0
#include "command/session/asked.h"

#include <errno.h>
#include <stdio.h>

#include "command/options/say.h"

static int tell_status(void *context, char *text, size_t size)
{
    const struct mrl_asked *asked = context;

    return mrl_status__write(&asked->status, text, size);
}

static int fulfil(void *context, const struct mrl_wish *wish, struct mrl_error *error)
{
    struct mrl_asked *asked = context;

    return mrl_run_sides__fulfil(asked->sides, wish, error);
}

static void wished(void *context, const struct mrl_wish *wish, int err, const char *why)
{
    struct mrl_asked *asked = context;

    mrl_run_sides__wished(asked->sides, wish, err, why);
}

static unsigned int ask_reload(void *context, int64_t by_uid, int64_t by_pid)
{
    struct mrl_asked *asked = context;

    return mrl_reload__ask(asked->reload, by_uid, by_pid);
}

static bool is_reloaded(void *context, unsigned int number, int *ret_err, char *text, size_t size)
{
    struct mrl_asked *asked = context;
    char outcome[MRL_RELOAD_TEXT];
    bool has_failed;

    if (!mrl_reload__outcome(asked->reload, number, &has_failed, outcome))
        return false;
    *ret_err = has_failed ? -EINVAL : 0;
    snprintf(text, size, "%s", outcome);
    return true;
}

static void say_of_client(void *unused, enum mrl_log_level level, const char *text)
{
    (void)unused;
    mrl_say_at(level, "%s", text);
}

/* Without it the run goes on: it is no more than it would be with --control off. */
void mrl_asked__listen(struct mrl_asked *asked, struct mrl_ctl *control)
{
    const struct mrl_ctl_host host = { tell_status, fulfil,        wished, ask_reload,
                                       is_reloaded, say_of_client, asked };

    if (mrl_ctl__start(control, &host))
        mrl_say_at(MRL_LOG_WARNING, "no thread for --control, where nobody is answered");
}
