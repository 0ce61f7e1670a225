// SPDX-License-Identifier: Apache-2.0
/* What an output tells by itself: events that are encoded where they are written. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sys/param.h>

#include "base/clock.h"
#include "deliver/output_write.h"
#include "event/state.h"

/* How many events with a number were written. */
static uint64_t so_far(const struct mrl_output *output)
{
    uint64_t events = 0;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if (mrl_event_def__at(i)->is & MRL_OF_RECORD)
            events += output->counts[i][MRL_DELIVERED];
    return events;
}

int mrl_output__write_event(struct mrl_output *output, struct mrl_event *event)
{
    struct mrl_chunk chunk = { output->text, 0, 1, NULL, NULL, NULL };
    uint32_t size;
    size_t done;
    int err;

    event->run = output->run;
    event->output = output->index;
    event->seq = output->told;
    size = (uint32_t)mrl_encoder__put(output->encoder, event, output->text, sizeof(output->text));
    chunk.size = size;
    chunk.sizes = &size;
    err = mrl_output__write(output, &chunk, &done);
    output->told += !err;
    return err;
}

/*
 * Behind the run, which output of it this is, unless it is the first: the numbers of lines are each
 * output's own. A state that is replayed names the output that recorded it, which is nothing here.
 */
static struct mrl_text name_output(const struct mrl_output *output,
                                   struct mrl_text detail,
                                   char text[MRL_STATE_DETAIL_MAX])
{
    static const char key[] = "; output=";
    const char *end = detail.bytes + detail.size, *more = memchr(detail.bytes, ';', detail.size);
    const size_t run_bytes = (size_t)((more ? more : end) - detail.bytes);
    char number[sizeof(key) + 10] = "";
    int size;

    more = detail.bytes + run_bytes;
    if ((size_t)(end - more) >= sizeof(key) - 1 && !memcmp(more, key, sizeof(key) - 1)) {
        more = memchr(more + 1, ';', (size_t)(end - more) - 1);
        more = more ? more : end;
    }
    if (output->index)
        snprintf(number, sizeof(number), "%s%u", key, output->index);
    size = snprintf(text, MRL_STATE_DETAIL_MAX, "%.*s%s%.*s", (int)run_bytes, detail.bytes, number,
                    (int)(end - more), more);
    return (struct mrl_text){ text, (size_t)MIN(size, MRL_STATE_DETAIL_MAX - 1) };
}

int mrl_output__write_state(struct mrl_output *output, const struct mrl_state *state)
{
    struct mrl_value values[MRL_SENSOR_STATE_FIELDS];
    struct mrl_state told = *state;
    char detail[MRL_STATE_DETAIL_MAX];
    struct mrl_event event;

    told.detail = name_output(output, state->detail, detail);
    told.events_so_far = so_far(output);
    mrl_state__event(&told, values, &event);
    return mrl_output__write_event(output, &event);
}

int mrl_output__state(struct mrl_output *output,
                      enum mrl_what what,
                      const char *detail,
                      uint64_t from_ns,
                      uint64_t to_ns)
{
    char text[MRL_STATE_DETAIL_MAX];
    struct mrl_state state = {
        .what = what,
        .detail = { text, mrl_state__put_detail(output->run, detail, text) },
        .by_uid = -1,
        .by_pid = -1,
        .from_ns = from_ns,
        .to_ns = to_ns,
        .time_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME),
    };
    int err;

    if (!output->options.states || !*output->run)
        return 0;
    err = mrl_output__write_state(output, &state);
    if (!err)
        mrl_output__count(output, MRL_EVENT_SENSOR_STATE, MRL_DELIVERED, 1);
    return err;
}
