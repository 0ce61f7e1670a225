// SPDX-License-Identifier: Apache-2.0
/*
 * A thread of its own answers SIGUSR1. The reader cannot: when people ask, it may be waiting for an
 * output that nobody reads, and what it waits for is what they want to know.
 */
#include "command/run/interim.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "command/command.h"
#include "command/run/totals.h"

static struct {
    struct mrl_plugin *plugin;
    const struct mrl_pipeline *pipeline;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;
} interim;

static sigset_t asking(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return set;
}

void mrl_interim__block(void)
{
    const sigset_t set = asking();

    /* Threads inherit it, so that only the one below takes the signal. */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *answer(void *context)
{
    const sigset_t set = asking();
    int number;

    (void)context;
    while (!sigwait(&set, &number) && !atomic_load(&interim.stop)) {
        mrl_say("the totals so far:");
        mrl_totals__say(interim.plugin, interim.pipeline);
    }
    return NULL;
}

void mrl_interim__start(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline)
{
    sigset_t all, old;

    interim.plugin = plugin;
    interim.pipeline = pipeline;
    atomic_store(&interim.stop, false);
    /* The other signals are for the reader, whom they wake. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    interim.has_thread = !pthread_create(&interim.thread, NULL, answer, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!interim.has_thread)
        mrl_say("warning: no thread for SIGUSR1, which is not answered");
}

void mrl_interim__stop(void)
{
    if (!interim.has_thread)
        return;
    atomic_store(&interim.stop, true);
    pthread_kill(interim.thread, SIGUSR1);
    pthread_join(interim.thread, NULL);
    interim.has_thread = false;
}
