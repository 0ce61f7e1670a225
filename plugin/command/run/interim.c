// SPDX-License-Identifier: Apache-2.0
/*
 * A thread of its own answers SIGUSR1. The reader cannot: when people ask, it may be waiting for an
 * output that nobody reads, and what it waits for is what they want to know.
 */
#include "command/run/interim.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "command/command.h"
#include "command/options/say.h"
#include "command/run/totals.h"

static struct {
    struct mrl_run_sides *run;
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;
    sem_t asked;
} interim;

/* On any thread, those of libraries too: a mask would have to be set before they start theirs. */
static void on_signal(int signal)
{
    (void)signal;
    sem_post(&interim.asked);
}

void mrl_interim__catch(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sem_init(&interim.asked, 0, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
}

static void *answer(void *context)
{
    (void)context;
    while (!sem_wait(&interim.asked) && !atomic_load(&interim.stop)) {
        mrl_say__hold();
        mrl_say("the totals so far:");
        pthread_mutex_lock(&interim.run->lock);
        mrl_totals__say(interim.run->plugin, interim.run->pipeline);
        pthread_mutex_unlock(&interim.run->lock);
        mrl_say__let_go(&interim.stop);
    }
    return NULL;
}

void mrl_interim__start(struct mrl_run_sides *run)
{
    interim.run = run;
    atomic_store(&interim.stop, false);
    interim.has_thread = !mrl_thread__start(&interim.thread, 0, answer, NULL);
    if (!interim.has_thread)
        mrl_say_at(MRL_LOG_WARNING, "no thread for SIGUSR1, which is not answered");
}

void mrl_interim__stop(void)
{
    if (!interim.has_thread)
        return;
    atomic_store(&interim.stop, true);
    sem_post(&interim.asked);
    pthread_join(interim.thread, NULL);
    interim.has_thread = false;
}
