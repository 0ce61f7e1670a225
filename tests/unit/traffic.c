// SPDX-License-Identifier: Apache-2.0
/* Traffic through a queue, and the model that it is held to. */
#include "traffic.h"

#include <string.h>

#include "unit/unit.h"

enum { POPPED = 64 };

/* Which event a line is of follows from its number, in an order without short periods. */
static uint32_t kind_of(uint32_t number)
{
    return (number * 2654435761U >> 16) % KINDS;
}

static uint64_t time_of(uint32_t number)
{
    return 1000 + number;
}

void traffic__begin(struct traffic *traffic, enum mrl_policy policy)
{
    *traffic = (struct traffic){ .first_event = MRL_EVENT_MLOCK };
    assert_int_equal(mrl_queue__init(&traffic->queue, SIZE, policy), 0);
}

/* A line of `size` bytes, which all depend on its number. */
static void make_line(uint32_t number, size_t size, char *bytes)
{
    memset(bytes, (int)('a' + number % 26), size);
    bytes[size - 1] = '\n';
}

void traffic__push(struct traffic *traffic, size_t size)
{
    uint32_t number = traffic->next_in++;
    const struct mrl_line line = {
        .size = (uint32_t)size,
        .event = (uint16_t)(traffic->first_event + kind_of(number)),
        .time_ns = time_of(number),
        .share = traffic->share,
    };
    char bytes[LONGEST];

    make_line(number, size, bytes);
    mrl_queue__push(&traffic->queue, bytes, &line, 1);
    traffic->pushed[kind_of(number)]++;
}

void traffic__push_times(struct traffic *traffic, size_t size, unsigned int times)
{
    while (times--)
        traffic__push(traffic, size);
}

/* The kernel lost one. */
void traffic__push_lost(struct traffic *traffic)
{
    uint32_t number = traffic->next_in++;
    const struct mrl_line gap = {
        .event = (uint16_t)(traffic->first_event + kind_of(number)),
        .cause = MRL_CAUSE_RING_FULL,
        .time_ns = time_of(number),
        .lost = 1,
        .last_ns = time_of(number),
    };

    mrl_queue__push(&traffic->queue, NULL, &gap, 1);
    traffic->pushed[kind_of(number)]++;
}

/* The numbers that are skipped here must be what the gap says, event by event. */
static void take_gap(struct traffic *traffic, const struct mrl_gap *gap)
{
    uint64_t wanted[KINDS] = { 0 }, found[KINDS] = { 0 };
    uint32_t first = traffic->next_out;

    for (uint64_t i = 0; i < gap->total; i++)
        wanted[kind_of(traffic->next_out++)]++;
    for (unsigned int cause = 0; cause < MRL_CAUSE_GAPS; cause++) {
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
            const struct mrl_missing *missing = &gap->of[cause][event];
            unsigned int kind = event - traffic->first_event;

            if (!missing->count)
                continue;
            assert_in_range(kind, 0, KINDS - 1);
            assert_in_range(missing->from_ns, time_of(first), missing->to_ns);
            assert_in_range(missing->to_ns, missing->from_ns, time_of(traffic->next_out) - 1);
            found[kind] += missing->count;
            traffic->missing[cause][kind] += missing->count;
        }
    }
    assert_memory_equal(found, wanted, sizeof(found));
}

/* Takes what fits `size` bytes; returns the number of lines. */
size_t traffic__pop(struct traffic *traffic, size_t size)
{
    struct mrl_line lines[POPPED];
    char buffer[SIZE], wanted[LONGEST], *at = buffer;
    struct mrl_gap gap;
    size_t count =
        mrl_queue__pop(&traffic->queue, 0, buffer, size, lines, POPPED, &gap, &traffic->ended);

    take_gap(traffic, &gap);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = traffic->next_out++;

        assert_int_equal(lines[i].lost, 0);
        assert_int_equal(lines[i].event, traffic->first_event + kind_of(number));
        assert_int_equal(lines[i].time_ns, time_of(number));
        make_line(number, lines[i].size, wanted);
        assert_memory_equal(at, wanted, lines[i].size);
        at += lines[i].size;
        traffic->delivered[kind_of(number)]++;
    }
    assert_true(at <= buffer + size);
    return count;
}

uint64_t traffic__missing(const struct traffic *traffic, enum mrl_cause cause)
{
    uint64_t sum = 0;

    for (unsigned int kind = 0; kind < KINDS; kind++)
        sum += traffic->missing[cause][kind];
    return sum;
}

/* Empties it; nothing may have disappeared. */
void traffic__finish(struct traffic *traffic)
{
    mrl_queue__end(&traffic->queue);
    while (!traffic->ended)
        traffic__pop(traffic, SIZE);
    assert_int_equal(traffic->next_out, traffic->next_in);
    for (unsigned int kind = 0; kind < KINDS; kind++) {
        uint64_t sum = traffic->delivered[kind];

        for (unsigned int cause = 0; cause < MRL_CAUSE_GAPS; cause++)
            sum += traffic->missing[cause][kind];
        assert_int_equal(sum, traffic->pushed[kind]);
    }
    mrl_queue__done(&traffic->queue);
}
