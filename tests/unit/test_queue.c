// SPDX-License-Identifier: Apache-2.0
/*
 * The queue of an output. Lines of these tests are numbered in the order of their push, so that
 * order, and the exact place of a gap, can be read off the lines that come out.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deliver/queue.h"
#include "unit/unit.h"

enum { SIZE = 4096, LONGEST = 300, POPPED = 64, KINDS = 3 };

/* What went in and came out. */
struct traffic {
    struct mrl_queue queue;
    uint32_t next_in;          /* number of the next line */
    uint32_t next_out;         /* of the next line or gap */
    uint64_t pushed[KINDS];    /* by event */
    uint64_t delivered[KINDS]; /* by event */
    uint64_t missing[MRL_CAUSE_COUNT][KINDS];
    bool ended;
};

/* Which event a line is of follows from its number, in an order without short periods. */
static uint32_t kind_of(uint32_t number)
{
    return (number * 2654435761U >> 16) % KINDS;
}

static uint64_t time_of(uint32_t number)
{
    return 1000 + number;
}

static void begin(struct traffic *traffic, enum mrl_policy policy)
{
    memset(traffic, 0, sizeof(*traffic));
    assert_int_equal(mrl_queue__init(&traffic->queue, SIZE, policy), 0);
}

/* A line of `size` bytes, which all depend on its number. */
static void make_line(uint32_t number, size_t size, char *bytes)
{
    memset(bytes, (int)('a' + number % 26), size);
    bytes[size - 1] = '\n';
}

static void push(struct traffic *traffic, size_t size)
{
    uint32_t number = traffic->next_in++;
    const struct mrl_line line = {
        .size = (uint32_t)size,
        .event = (uint16_t)kind_of(number),
        .time_ns = time_of(number),
    };
    char bytes[LONGEST];

    make_line(number, size, bytes);
    mrl_queue__push(&traffic->queue, bytes, &line, 1);
    traffic->pushed[line.event]++;
}

static void push_times(struct traffic *traffic, size_t size, unsigned int times)
{
    while (times--)
        push(traffic, size);
}

/* The kernel lost one. */
static void push_lost(struct traffic *traffic)
{
    uint32_t number = traffic->next_in++;
    const struct mrl_line gap = {
        .event = (uint16_t)kind_of(number),
        .cause = MRL_CAUSE_RING_FULL,
        .time_ns = time_of(number),
        .lost = 1,
        .last_ns = time_of(number),
    };

    mrl_queue__push(&traffic->queue, NULL, &gap, 1);
    traffic->pushed[gap.event]++;
}

/* The numbers that are skipped here must be what the gap says, event by event. */
static void take_gap(struct traffic *traffic, const struct mrl_gap *gap)
{
    uint64_t wanted[KINDS] = { 0 }, found[KINDS] = { 0 };
    uint32_t first = traffic->next_out;

    for (uint64_t i = 0; i < gap->total; i++)
        wanted[kind_of(traffic->next_out++)]++;
    for (unsigned int cause = 0; cause < MRL_CAUSE_COUNT; cause++) {
        for (unsigned int kind = 0; kind < MRL_EVENT_COUNT; kind++) {
            const struct mrl_missing *missing = &gap->of[cause][kind];

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
static size_t pop(struct traffic *traffic, size_t size)
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
        assert_int_equal(lines[i].event, kind_of(number));
        assert_int_equal(lines[i].time_ns, time_of(number));
        make_line(number, lines[i].size, wanted);
        assert_memory_equal(at, wanted, lines[i].size);
        at += lines[i].size;
        traffic->delivered[lines[i].event]++;
    }
    assert_true(at <= buffer + size);
    return count;
}

static uint64_t missing(const struct traffic *traffic, enum mrl_cause cause)
{
    uint64_t sum = 0;

    for (unsigned int kind = 0; kind < KINDS; kind++)
        sum += traffic->missing[cause][kind];
    return sum;
}

/* Empties it; nothing may have disappeared. */
static void finish(struct traffic *traffic)
{
    mrl_queue__end(&traffic->queue);
    while (!traffic->ended)
        pop(traffic, SIZE);
    assert_int_equal(traffic->next_out, traffic->next_in);
    for (unsigned int kind = 0; kind < KINDS; kind++) {
        uint64_t sum = traffic->delivered[kind];

        for (unsigned int cause = 0; cause < MRL_CAUSE_COUNT; cause++)
            sum += traffic->missing[cause][kind];
        assert_int_equal(sum, traffic->pushed[kind]);
    }
    mrl_queue__done(&traffic->queue);
}

/* -- one thread ------------------------------------------------------------------------------- */

static void queue_gives_lines_back_in_order(void **state)
{
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_DROP_OLDEST);
    push_times(&traffic, 100, 10);
    assert_int_equal(pop(&traffic, 350), 3); /* whole ones only */
    assert_int_equal(pop(&traffic, 99), 0);
    assert_int_equal(pop(&traffic, SIZE), 7);
    finish(&traffic);
}

/* Sizes that never divide the ring's, and more lines than it has entries. */
static void queue_wraps_both_rings(void **state)
{
    static const size_t sizes[] = { 1, 7, 61, 299 };
    struct traffic traffic;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        begin(&traffic, MRL_POLICY_DROP_NEWEST);
        push(&traffic, sizes[i]); /* it never gets empty, and so never begins anew */
        for (int round = 0; round < 500; round++) {
            push_times(&traffic, sizes[i], 11);
            pop(&traffic, 11 * sizes[i]);
        }
        assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
        finish(&traffic);
    }
}

static void queue_drops_the_oldest_and_tells_it_first(void **state)
{
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_DROP_OLDEST);
    push_times(&traffic, 256, SIZE / 256 + 5);
    assert_int_equal(pop(&traffic, SIZE), SIZE / 256);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 5);
    assert_int_equal(traffic.next_out, SIZE / 256 + 5);
    finish(&traffic);
}

static void queue_drops_the_newest_and_tells_it_last(void **state)
{
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_DROP_NEWEST);
    push_times(&traffic, 256, SIZE / 256 + 5);
    assert_int_equal(pop(&traffic, SIZE), SIZE / 256);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
    assert_int_equal(pop(&traffic, SIZE), 0);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 5);
    finish(&traffic);
}

/* Full, some taken, more pushed: the gap lies between. */
static void queue_keeps_a_gap_between_lines_in_its_place(void **state)
{
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_DROP_NEWEST);
    push_times(&traffic, 256, SIZE / 256 + 3);
    assert_int_equal(pop(&traffic, 512), 2);
    push_times(&traffic, 256, 4); /* two find room */
    assert_int_equal(pop(&traffic, SIZE), SIZE / 256 - 2);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
    assert_int_equal(pop(&traffic, SIZE), 2);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 3);
    finish(&traffic);
}

static void queue_merges_what_is_missing_at_one_place(void **state)
{
    struct traffic traffic;
    size_t entries;

    (void)state;
    begin(&traffic, MRL_POLICY_DROP_NEWEST);
    push_times(&traffic, 256, SIZE / 256);
    entries = traffic.queue.ring.lines_used;
    push_times(&traffic, 256, 1000);
    for (int i = 0; i < 1000; i++)
        push_lost(&traffic);
    assert_int_equal(traffic.queue.ring.lines_used, entries + 2 * KINDS); /* by event and cause */
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000);
    assert_int_equal(missing(&traffic, MRL_CAUSE_RING_FULL), 1000);
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
    begin(&traffic, MRL_POLICY_DROP_OLDEST);
    push(&traffic, 100);
    push_lost(&traffic);
    push_times(&traffic, 256, 100);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_RING_FULL), 1);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1 + 100 - SIZE / 256);
}

static void queue_drops_a_line_that_never_fits(void **state)
{
    static char huge[SIZE + 1];
    const struct mrl_line line = { .size = SIZE + 1, .event = 0, .time_ns = time_of(0) };
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
    begin(&traffic, MRL_POLICY_BLOCK);
    push_times(&traffic, 100, 10);
    mrl_queue__abandon(&traffic.queue);
    push_times(&traffic, 100, 10000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 10010);
}

static void queue_wakes_a_consumer_without_lines(void **state)
{
    struct mrl_line lines[1];
    struct traffic traffic;
    struct mrl_gap gap;
    char buffer[1];

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    mrl_queue__wake(&traffic.queue);
    assert_int_equal(mrl_queue__pop(&traffic.queue, -1, buffer, 1, lines, 1, &gap, &traffic.ended),
                     0);
    assert_false(traffic.ended);
    finish(&traffic);
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

/* -- two threads ------------------------------------------------------------------------------ */

struct producer {
    struct traffic *traffic;
    pthread_t thread;
    unsigned int lines;
    atomic_bool done;
};

static void *produce(void *context)
{
    struct producer *producer = context;

    push_times(producer->traffic, 256, producer->lines);
    atomic_store(&producer->done, true);
    return NULL;
}

static void start(struct producer *producer, struct traffic *traffic, unsigned int lines)
{
    producer->traffic = traffic;
    producer->lines = lines;
    atomic_store(&producer->done, false);
    assert_int_equal(pthread_create(&producer->thread, NULL, produce, producer), 0);
}

static void await(struct producer *producer, int timeout_ms)
{
    while (!atomic_load(&producer->done) && timeout_ms-- > 0)
        usleep(1000);
    assert_true(atomic_load(&producer->done));
    pthread_join(producer->thread, NULL);
}

static void queue_blocks_the_producer_and_loses_nothing(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 5000);
    while (!atomic_load(&producer.done))
        pop(&traffic, 1000);
    await(&producer, 1000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
}

static void queue_blocks_as_long_as_it_takes(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 2 * SIZE / 256);
    usleep(300 * 1000);
    assert_false(atomic_load(&producer.done));
    pop(&traffic, SIZE);
    await(&producer, 5000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
}

static void queue_does_not_wait_for_a_broken_sink(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 1000);
    usleep(50 * 1000);
    assert_false(atomic_load(&producer.done));
    mrl_queue__set_broken(&traffic.queue, true);
    await(&producer, 2000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000 - SIZE / 256);
}

/* Two seconds in all, not for each line. */
static void queue_in_a_hurry_waits_once_for_a_stuck_consumer(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    mrl_queue__hurry(&traffic.queue);
    start(&producer, &traffic, 1000);
    usleep(1000 * 1000);
    assert_false(atomic_load(&producer.done));
    await(&producer, 3000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000 - SIZE / 256);
}

static void queue_lets_a_blocked_producer_go_when_abandoned(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 1000);
    usleep(50 * 1000);
    mrl_queue__abandon(&traffic.queue);
    await(&producer, 2000);
    finish(&traffic);
    assert_int_equal(missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000);
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
            push(traffic, 1 + random_below(seed, line_max));
    else if (dice < 6)
        push_lost(traffic);
    else
        pop(traffic, random_below(seed, SIZE));
}

/* take_gap(), pop() and finish() hold the model: numbers without a hole that is not told there. */
static void queue_loses_nothing_untold_whatever_happens(void **state)
{
    static const enum mrl_policy policies[] = { MRL_POLICY_DROP_OLDEST, MRL_POLICY_DROP_NEWEST,
                                                MRL_POLICY_BLOCK };
    struct traffic traffic;

    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t random = seed;
        uint32_t line_max = seed % 5 ? LONGEST : 3; /* short ones fill the entries first */

        begin(&traffic, policies[seed % COUNT_OF(policies)]);
        mrl_queue__set_broken(&traffic.queue, true);
        for (int i = 0; i < 400; i++)
            act_at_random(&traffic, &random, line_max);
        finish(&traffic);
    }
}

/* -- dozing ----------------------------------------------------------------------------------- */

static void *take_all(void *queue)
{
    static struct mrl_line lines[10000];
    static char bytes[100000];
    struct mrl_gap gap;
    bool ended = false;

    while (!ended)
        mrl_queue__pop(queue, -1, bytes, sizeof(bytes), lines, COUNT_OF(lines), &gap, &ended);
    return NULL;
}

static void push_lines(struct mrl_queue *queue, size_t count)
{
    static char bytes[100000];
    static struct mrl_line lines[10000];

    for (size_t i = 0; i < count; i++)
        lines[i].size = 10;
    mrl_queue__push(queue, bytes, lines, count);
}

/* Pushes without a pause, as a flood does, until the consumer is seen to doze. */
static bool dozes_in_a_flood(struct mrl_queue *queue)
{
    bool found = false;

    for (int i = 0; i < 1000000 && !found; i++) {
        push_lines(queue, 500);
        pthread_mutex_lock(&queue->lock);
        found = queue->dozing;
        pthread_mutex_unlock(&queue->lock);
    }
    return found;
}

/* Pushes few lines with pauses, until the consumer is seen to sleep without a doze. */
static bool sleeps_in_a_trickle(struct mrl_queue *queue)
{
    bool found = false;

    for (int i = 0; i < 2000 && !found; i++) {
        push_lines(queue, 60);
        usleep(4000); /* longer than a doze */
        pthread_mutex_lock(&queue->lock);
        found = queue->waiting && !queue->ring.lines_used && !queue->dozing;
        pthread_mutex_unlock(&queue->lock);
    }
    return found;
}

/* A doze collects many lines at a middle rate too: that is no reason for the next one. */
static void queue_dozes_while_lines_come_fast_and_no_longer(void **state)
{
    struct mrl_queue queue;
    pthread_t consumer;

    (void)state;
    assert_int_equal(mrl_queue__init(&queue, 1 << 20, MRL_POLICY_BLOCK), 0);
    assert_int_equal(pthread_create(&consumer, NULL, take_all, &queue), 0);
    for (int i = 0; i < 10; i++) {
        assert_true(dozes_in_a_flood(&queue));
        assert_true(sleeps_in_a_trickle(&queue));
    }
    mrl_queue__end(&queue);
    pthread_join(consumer, NULL);
    mrl_queue__done(&queue);
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
        cmocka_unit_test(queue_blocks_the_producer_and_loses_nothing),
        cmocka_unit_test(queue_blocks_as_long_as_it_takes),
        cmocka_unit_test(queue_does_not_wait_for_a_broken_sink),
        cmocka_unit_test(queue_in_a_hurry_waits_once_for_a_stuck_consumer),
        cmocka_unit_test(queue_lets_a_blocked_producer_go_when_abandoned),
        cmocka_unit_test(queue_loses_nothing_untold_whatever_happens),
        cmocka_unit_test(queue_dozes_while_lines_come_fast_and_no_longer),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
