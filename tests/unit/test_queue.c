// SPDX-License-Identifier: Apache-2.0
/* The queue of an output, from one thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deliver/queue.h"
#include "traffic.h"
#include "unit/unit.h"

/* -- one thread ------------------------------------------------------------------------------- */

static void queue_gives_lines_back_in_order(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_OLDEST);
    traffic__push_times(&traffic, 100, 10);
    assert_int_equal(traffic__pop(&traffic, 350), 3); /* whole ones only */
    assert_int_equal(traffic__pop(&traffic, 99), 0);
    assert_int_equal(traffic__pop(&traffic, SIZE), 7);
    traffic__finish(&traffic);
}

/* Sizes that never divide the ring's, and more lines than it has entries. */
static void queue_wraps_both_rings(void **state)
{
    static const size_t sizes[] = { 1, 7, 61, 299 };
    struct traffic traffic;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        traffic__begin(&traffic, MRL_POLICY_DROP_NEWEST);
        traffic__push(&traffic, sizes[i]); /* it never gets empty, and so never begins anew */
        for (int round = 0; round < 500; round++) {
            traffic__push_times(&traffic, sizes[i], 11);
            traffic__pop(&traffic, 11 * sizes[i]);
        }
        assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
        traffic__finish(&traffic);
    }
}

static void queue_drops_the_oldest_and_tells_it_first(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_OLDEST);
    traffic__push_times(&traffic, 256, SIZE / 256 + 5);
    assert_int_equal(traffic__pop(&traffic, SIZE), SIZE / 256);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 5);
    assert_int_equal(traffic.next_out, SIZE / 256 + 5);
    traffic__finish(&traffic);
}

static void queue_drops_the_newest_and_tells_it_last(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_NEWEST);
    traffic__push_times(&traffic, 256, SIZE / 256 + 5);
    assert_int_equal(traffic__pop(&traffic, SIZE), SIZE / 256);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
    assert_int_equal(traffic__pop(&traffic, SIZE), 0);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 5);
    traffic__finish(&traffic);
}

/* Full, some taken, more pushed: the gap lies between. */
static void queue_keeps_a_gap_between_lines_in_its_place(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_NEWEST);
    traffic__push_times(&traffic, 256, SIZE / 256 + 3);
    assert_int_equal(traffic__pop(&traffic, 512), 2);
    traffic__push_times(&traffic, 256, 4); /* two find room */
    assert_int_equal(traffic__pop(&traffic, SIZE), SIZE / 256 - 2);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
    assert_int_equal(traffic__pop(&traffic, SIZE), 2);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 3);
    traffic__finish(&traffic);
}

static void queue_merges_what_is_missing_at_one_place(void **state)
{
    struct traffic traffic;
    size_t entries;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_NEWEST);
    traffic__push_times(&traffic, 256, SIZE / 256);
    entries = traffic.queue.ring.lines_used;
    traffic__push_times(&traffic, 256, 1000);
    for (int i = 0; i < 1000; i++)
        traffic__push_lost(&traffic);
    assert_int_equal(traffic.queue.ring.lines_used, entries + 2 * KINDS); /* by event and cause */
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_RING_FULL), 1000);
}

/* A gap of the kernel's that an output drops stays one of the kernel's. */
/* Losses of the kernel's, one after another, are one gap: as many as all, over the time of all. */
static void queue_adds_up_gaps_of_many_events(void **state)
{
    const struct mrl_line gaps[] = {
        { .event = 1, .cause = MRL_CAUSE_RING_FULL, .time_ns = 500, .lost = 5, .last_ns = 600 },
        { .event = 1, .cause = MRL_CAUSE_RING_FULL, .time_ns = 450, .lost = 7, .last_ns = 900 },
        { .event = 2, .cause = MRL_CAUSE_RING_FULL, .time_ns = 100, .lost = 3, .last_ns = 200 },
        { .event = 1, .cause = MRL_CAUSE_RING_FULL, .time_ns = 700, .lost = 2, .last_ns = 800 },
    };
    struct mrl_queue queue;
    struct mrl_line line;
    struct mrl_gap gap;
    bool ended;
    char byte;

    (void)state;
    assert_int_equal(mrl_queue__init(&queue, SIZE, MRL_POLICY_DROP_OLDEST), 0);
    mrl_queue__push(&queue, NULL, gaps, COUNT_OF(gaps));
    assert_int_equal(queue.ring.lines_used, 2);
    assert_int_equal(mrl_queue__pop(&queue, 0, &byte, 1, &line, 1, &gap, &ended), 0);
    assert_int_equal(gap.total, 17);
    assert_int_equal(gap.of[MRL_CAUSE_RING_FULL][1].count, 14);
    assert_int_equal(gap.of[MRL_CAUSE_RING_FULL][1].from_ns, 450);
    assert_int_equal(gap.of[MRL_CAUSE_RING_FULL][1].to_ns, 900);
    assert_int_equal(gap.of[MRL_CAUSE_RING_FULL][2].count, 3);
    mrl_queue__done(&queue);
}

static void queue_keeps_the_cause_of_a_gap_that_it_drops(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_DROP_OLDEST);
    traffic__push(&traffic, 100);
    traffic__push_lost(&traffic);
    traffic__push_times(&traffic, 256, 100);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_RING_FULL), 1);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1 + 100 - SIZE / 256);
}

static void queue_drops_a_line_that_never_fits(void **state)
{
    static char huge[SIZE + 1];
    const struct mrl_line line = { .size = SIZE + 1, .event = 0, .time_ns = 1000 };
    struct mrl_queue queue;
    struct mrl_line lines[1];
    struct mrl_gap gap;
    bool ended;

    (void)state;
    assert_int_equal(mrl_queue__init(&queue, SIZE, MRL_POLICY_BLOCK), 0);
    mrl_queue__push(&queue, huge, &line, 1);
    assert_int_equal(mrl_queue__pop(&queue, 0, huge, SIZE, lines, 1, &gap, &ended), 0);
    assert_int_equal(gap.of[MRL_CAUSE_QUEUE_FULL][0].count, 1);
    mrl_queue__done(&queue);
}

static void queue_drops_everything_once_abandoned(void **state)
{
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    traffic__push_times(&traffic, 100, 10);
    mrl_queue__abandon(&traffic.queue);
    traffic__push_times(&traffic, 100, 10000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 10010);
}

static void queue_wakes_a_consumer_without_lines(void **state)
{
    struct mrl_line lines[1];
    struct traffic traffic;
    struct mrl_gap gap;
    char buffer[1];

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    mrl_queue__wake(&traffic.queue);
    assert_int_equal(mrl_queue__pop(&traffic.queue, -1, buffer, 1, lines, 1, &gap, &traffic.ended),
                     0);
    assert_false(traffic.ended);
    traffic__finish(&traffic);
}

/* Its memory is what was asked for and a sixteenth, or the least that makes sense. */
static void queue_is_as_large_as_documented(void **state)
{
    struct mrl_queue queue;
    const size_t size = 2 * 1024 * 1024;

    (void)state;
    assert_int_equal(mrl_queue__init(&queue, size, MRL_POLICY_BLOCK), 0);
    assert_int_equal(queue.ring.size, size);
    assert_in_range(queue.ring.lines_size * sizeof(*queue.ring.lines), size / 32, size / 16);
    mrl_queue__done(&queue);
}

/* -- at random -------------------------------------------------------------------------------- */

static uint32_t random_below(uint64_t *seed, uint32_t bound)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % bound;
}

static void act_at_random(struct traffic *traffic, uint64_t *seed, uint32_t line_max)
{
    uint32_t dice = random_below(seed, 10);

    if (dice < 5)
        for (uint32_t i = random_below(seed, 40); i; i--)
            traffic__push(traffic, 1 + random_below(seed, line_max));
    else if (dice < 6)
        traffic__push_lost(traffic);
    else
        traffic__pop(traffic, random_below(seed, SIZE));
}

/* take_gap(), traffic__pop() and traffic__finish() hold the model: numbers without a hole that is
 * not told there. */
static void queue_loses_nothing_untold_whatever_happens(void **state)
{
    static const enum mrl_policy policies[] = { MRL_POLICY_DROP_OLDEST, MRL_POLICY_DROP_NEWEST,
                                                MRL_POLICY_BLOCK };
    struct traffic traffic;

    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t random = seed;
        uint32_t line_max = seed % 5 ? LONGEST : 3; /* short ones fill the entries first */

        traffic__begin(&traffic, policies[seed % COUNT_OF(policies)]);
        mrl_queue__set_broken(&traffic.queue, true);
        for (int i = 0; i < 400; i++)
            act_at_random(&traffic, &random, line_max);
        traffic__finish(&traffic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_gives_lines_back_in_order),
        cmocka_unit_test(queue_wraps_both_rings),
        cmocka_unit_test(queue_drops_the_oldest_and_tells_it_first),
        cmocka_unit_test(queue_drops_the_newest_and_tells_it_last),
        cmocka_unit_test(queue_keeps_a_gap_between_lines_in_its_place),
        cmocka_unit_test(queue_merges_what_is_missing_at_one_place),
        cmocka_unit_test(queue_adds_up_gaps_of_many_events),
        cmocka_unit_test(queue_keeps_the_cause_of_a_gap_that_it_drops),
        cmocka_unit_test(queue_drops_a_line_that_never_fits),
        cmocka_unit_test(queue_drops_everything_once_abandoned),
        cmocka_unit_test(queue_wakes_a_consumer_without_lines),
        cmocka_unit_test(queue_is_as_large_as_documented),
        cmocka_unit_test(queue_loses_nothing_untold_whatever_happens),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
