// SPDX-License-Identifier: Apache-2.0
/*
 * The thread of an output whose sink may block: it takes lines out of the queue and writes them.
 * What cannot be written is tried again after growing pauses, while the queue drops what it must.
 */
#include "deliver/output_thread.h"

#include <errno.h>

#include "base/clock.h"
#include "deliver/output_write.h"

enum { PAUSE_MIN_MS = 10, PAUSE_MAX_MS = 1000, LAST_TRIES = 3 };

/* In steps, so that the end, or SIGHUP, is noticed. Returns false when the end is wanted. */
static bool pause_for(struct mrl_output *output, unsigned int pause_ms)
{
    for (unsigned int slept = 0; slept < pause_ms; slept += MRL_STEP_MS) {
        if (atomic_load(&output->ending) || atomic_load(&output->reopen))
            break;
        mrl_clock__pause_ms(MRL_STEP_MS);
    }
    return !atomic_load(&output->ending);
}

/* Tries until all that is held is written, or the end is near: then without pauses, and not for
 * long. What comes last is the proof that the stream is whole: one write that fails must not cost
 * it. */
static void write_held(struct mrl_output *output)
{
    unsigned int pause_ms = PAUSE_MIN_MS;
    size_t before = output->first;
    unsigned int last_tries = 0;
    int err;

    while ((err = mrl_output__try(output)) != 0) {
        if (err == -EPIPE || err == -ECANCELED) {
            mrl_output__die(output);
            return;
        }
        if (output->first > before)
            pause_ms = PAUSE_MIN_MS; /* it fails now and then, but it gets on */
        if (!pause_for(output, pause_ms) && ++last_tries == LAST_TRIES) {
            mrl_output__drop(output);
            return;
        }
        pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
        mrl_output__reopen_sink(output);
        before = output->first;
    }
}

void *mrl_output__write_queue(void *context)
{
    struct mrl_output *output = context;
    struct mrl_held *held = output->held;
    struct mrl_gap gap;
    bool ended = false;
    size_t count;

    while (!ended) {
        /* Takes all that is there, up to the buffer, and waits for no more: writes are large in a
         * flood, and a single event goes out at once. */
        count = mrl_queue__pop(&output->queue, -1, held->bytes, held->room, held->lines,
                               MRL_WRITE_LINES, &gap, &ended);
        mrl_output__hold(output, held->bytes, held->lines, count);
        /* Whoever joins this thread measures its patience by this number (output.c). */
        atomic_fetch_add(&output->progress, 1);
        mrl_gap__merge(&output->untold, &gap); /* what it is of was counted when it was dropped */
        /* A dead output goes on until the end, to count what is still pushed as dropped. */
        if (!atomic_load(&output->alive))
            continue;
        mrl_output__reopen_sink(output);
        write_held(output);
    }
    mrl_output__leave(output);
    return NULL;
}
