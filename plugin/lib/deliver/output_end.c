// SPDX-License-Identifier: Apache-2.0
/* The end of an output: its thread is waited for, or given up; its sink is closed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "deliver/output.h"

enum { FREE_MS = 200, INTERRUPT_MS = 2000 };

/* In steps, because an output that still writes may take as long as it likes: `timeout_ms` is the
 * time without progress, by no clock that anybody sets. */
static bool joined_within(struct mrl_output *output, int timeout_ms)
{
    unsigned long long progress = atomic_load(&output->progress);

    for (int waited_ms = 0; pthread_tryjoin_np(output->thread, NULL) != 0; waited_ms++) {
        if (atomic_load(&output->progress) != progress) {
            progress = atomic_load(&output->progress);
            waited_ms = 0;
        }
        if (waited_ms >= timeout_ms)
            return false;
        mrl_clock__pause_ms(1);
    }
    return true;
}

static void on_interrupt(int signal)
{
    (void)signal;
}

/*
 * Ends a thread that hangs in write(). It is not cancelled, because it has to count what it holds:
 * a signal whose handler does nothing makes the system call fail with EINTR, and the sink then sees
 * that it shall stop. The signal is sent again and again, since one that comes just before the
 * system call changes nothing. A thread that does not obey is left behind, with the memory that it
 * uses.
 */
static void give_up(struct mrl_output *output)
{
    const struct sigaction interrupt = { .sa_handler = on_interrupt }; /* without SA_RESTART */
    struct sigaction old;

    mrl_output__say(output, MRL_LOG_WARNING, "%s: takes nothing any more, given up",
                    output->options.name);
    /* Relaxed is enough: the sink needs to see the flag at some time only, it reads nothing that
     * was written before it, and the signal comes again until it did. */
    __atomic_store_n(&output->stop, 1, __ATOMIC_RELAXED);
    sigaction(MRL_INTERRUPT, &interrupt, &old);
    output->stuck = true;
    for (int waited = 0; output->stuck && waited < INTERRUPT_MS; waited += MRL_STEP_MS) {
        pthread_kill(output->thread, MRL_INTERRUPT);
        output->stuck = !joined_within(output, MRL_STEP_MS);
    }
    sigaction(MRL_INTERRUPT, &old, NULL);
    if (output->stuck)
        pthread_detach(output->thread);
}

static int close_sink(struct mrl_output *output)
{
    struct mrl_sink *sink = output->sink;

    struct mrl_sent last;

    mrl_output__sent(output, &last); /* and it is remembered */
    pthread_mutex_lock(&output->sink_lock);
    output->sink = NULL;
    pthread_mutex_unlock(&output->sink_lock);
    if (!sink)
        return 0;
    if (!output->started && output->options.sink->abandon)
        return output->options.sink->abandon(sink);
    return output->options.sink->close(sink);
}

int mrl_output__join(struct mrl_output *output, int timeout_ms)
{
    int err = 0, close_err;

    if (!output->started || output->joined)
        return 0;
    if (output->has_thread && !joined_within(output, timeout_ms)) {
        give_up(output);
        err = -ETIMEDOUT;
    }
    output->joined = true;
    if (output->stuck)
        return err;
    close_err = close_sink(output);
    err = err ? err : output->last_err;
    return err ? err : close_err;
}

/* What its thread uses, when it was left behind, stays; and so do all counts. */
void mrl_output__shrink(struct mrl_output *output)
{
    if (output->stuck)
        return;
    mrl_queue__done(&output->queue);
    free(output->held);
    output->held = NULL;
    output->has_thread = false;
}

void mrl_output__free(struct mrl_output *output)
{
    if (!output)
        return;
    mrl_output__end(output);
    mrl_output__join(output, FREE_MS);
    if (output->stuck)
        return; /* the thread that was left behind would use what is freed here */
    close_sink(output);
    mrl_encoder__free(output->encoder);
    mrl_queue__done(&output->queue);
    free(output->held);
    for (unsigned int i = 0; i < sizeof(output->texts) / sizeof(output->texts[0]); i++)
        free(output->texts[i]);
    pthread_mutex_destroy(&output->sink_lock);
    pthread_mutex_destroy(&output->blame_lock);
    free(output);
}
