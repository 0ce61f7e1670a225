// SPDX-License-Identifier: Apache-2.0
/* What every part of an output needs: counting, saying what was counted, how events are encoded. */
#include "deliver/output_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "event/lost.h"

void mrl_output__count(struct mrl_output *output,
                       unsigned int event,
                       enum mrl_fate fate,
                       uint64_t events)
{
    atomic_fetch_add_explicit(&output->counts[event][fate], events, memory_order_relaxed);
}

void mrl_output__say(const struct mrl_output *output,
                     enum mrl_log_level level,
                     const char *format,
                     ...)
{
    char line[512];
    va_list arguments;

    /* Whoever gave it up is at the end, and what the log needs may be gone. */
    if (!output->log.line || __atomic_load_n(&output->stop, __ATOMIC_RELAXED))
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    output->log.line(output->log.context, level, line);
}

void mrl_output__say_drops(struct mrl_output *output)
{
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    char text[MRL_LOST_WHO_BYTES];

    if (now_ns < output->silent_until_ns)
        return;
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
        const struct mrl_lost lost = { .cause = MRL_CAUSE_QUEUE_FULL,
                                       .by = output->queue.by[event] };

        if (!lost.by.is_known)
            continue;
        mrl_output__say(output, MRL_LOG_WARNING, "%s: %s", output->options.name,
                        mrl_lost__who(&lost, text));
        output->silent_until_ns = now_ns + MRL_LOST_LOG_MS * INT64_C(1000000);
        return;
    }
}

bool mrl_output__life(struct mrl_output *output, struct mrl_life *ret_life)
{
    const struct mrl_sink_ops *ops = output->options.sink;
    bool has = false;

    pthread_mutex_lock(&output->sink_lock);
    if (ops && ops->life && output->sink) {
        ops->life(output->sink, ret_life);
        has = true;
    }
    pthread_mutex_unlock(&output->sink_lock);
    return has;
}

bool mrl_output__kept(struct mrl_output *output, struct mrl_kept *ret_kept)
{
    const struct mrl_sink_ops *ops = output->options.sink;
    bool is_kept = false;

    if (!ops || !ops->kept)
        return false;
    pthread_mutex_lock(&output->sink_lock);
    if (output->sink)
        is_kept = ops->kept(output->sink, ret_kept);
    pthread_mutex_unlock(&output->sink_lock);
    return is_kept;
}

bool mrl_output__sent(struct mrl_output *output, struct mrl_sent *ret_sent)
{
    const struct mrl_sink_ops *ops = output->options.sink;

    if (!ops || !ops->sent)
        return false;
    pthread_mutex_lock(&output->sink_lock);
    if (output->sink)
        ops->sent(output->sink, &output->sent);
    *ret_sent = output->sent;
    pthread_mutex_unlock(&output->sink_lock);
    return true;
}

struct mrl_output_counts mrl_output__counts(const struct mrl_output *output, unsigned int event)
{
    return (struct mrl_output_counts){
        .delivered = output->counts[event][MRL_DELIVERED],
        .dropped_full = output->queue.dropped[event],
        .rejected = output->counts[event][MRL_REJECTED],
        /* What the queue of an output that is given up drops is lost for that. */
        .dropped_failed =
            output->counts[event][MRL_DROPPED_FAILED] + output->queue.dropped_late[event],
        .lost_before = output->counts[event][MRL_LOST_BEFORE],
    };
}

static unsigned int ask_columns(const void *context)
{
    const struct mrl_output *output = context;

    return output->options.sink->columns(output->sink);
}

struct mrl_encoder_options mrl_output__encoding(const struct mrl_output *output)
{
    const struct mrl_output_options *options = &output->options;

    return (struct mrl_encoder_options){
        .colour = output->columns && !options->plain,
        .width = output->columns,
        .columns = output->columns ? ask_columns : NULL,
        .columns_context = output->columns ? output : NULL,
        .ascii = output->columns && options->ascii,
        .wide = options->wide,
        .user_names = true,
        .extras = options->extras,
        .items = options->sink && options->sink->takes_items,
        .host = options->host,
    };
}
