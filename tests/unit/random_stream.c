// SPDX-License-Identifier: Apache-2.0
#include "unit/random_stream.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

unsigned int random_stream__below(unsigned int limit)
{
    return (unsigned int)random() % limit;
}

static struct stream_line *append(struct random_stream *stream,
                                  enum stream_kind kind,
                                  uint64_t so_far)
{
    struct stream_line *line = &stream->lines[stream->count++];

    assert_in_range(stream->count, 1, RANDOM_LINES - 1);
    *line = (struct stream_line){
        .kind = kind, .run = stream->runs, .file = stream->files, .so_far = so_far
    };
    return line;
}

static void append_event(struct random_stream *stream,
                         uint64_t next[RANDOM_CPUS][RANDOM_LANES],
                         uint64_t so_far)
{
    unsigned int cpu = random_stream__below(RANDOM_CPUS), lane = random_stream__below(RANDOM_LANES);
    struct stream_line *line;

    if (stream->losses && !random_stream__below(10)) {
        line = append(stream, STREAM_LOST, 0);
        line->lane = lane;
        next[cpu][lane]++;
    }
    line = append(stream, STREAM_EVENT, so_far);
    line->cpu = cpu;
    line->lane = lane;
    line->seq = next[cpu][lane]++;
}

/* Each file begins and, unless the run is killed, ends with a line of the sensor about itself. */
static void append_run(struct random_stream *stream)
{
    uint64_t next[RANDOM_CPUS][RANDOM_LANES] = { 0 };
    unsigned int events = random_stream__below(60), turn = 3 + random_stream__below(20);

    append(stream, STREAM_STARTED, 0);
    for (unsigned int i = 0; i < events; i++) {
        append_event(stream, next, i);
        if (!random_stream__below(8))
            append(stream, STREAM_ALIVE, i + 1);
        if (random_stream__below(turn))
            continue;
        append(stream, STREAM_ALIVE, i + 1);
        stream->files++;
        append(stream, STREAM_ALIVE, i + 1);
    }
    stream->killed[stream->runs] = !random_stream__below(5);
    if (!stream->killed[stream->runs])
        append(stream, STREAM_STOPPED, events);
    stream->runs++;
}

void random_stream__make(struct random_stream *stream)
{
    unsigned int runs = 1 + random_stream__below(RANDOM_RUNS);

    memset(stream, 0, sizeof(*stream));
    stream->losses = !random_stream__below(10);
    while (runs--) {
        append_run(stream);
        if (runs && random_stream__below(2))
            stream->files++;
    }
    stream->files++;
}
