// SPDX-License-Identifier: Apache-2.0
/* The queue of an output: who waits for whom. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deliver/queue.h"
#include "traffic.h"
#include "unit/unit.h"

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

    traffic__push_times(producer->traffic, 256, producer->lines);
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
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 5000);
    while (!atomic_load(&producer.done))
        traffic__pop(&traffic, 1000);
    await(&producer, 1000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
}

static void queue_blocks_as_long_as_it_takes(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 2 * SIZE / 256);
    usleep(300 * 1000);
    assert_false(atomic_load(&producer.done));
    traffic__pop(&traffic, SIZE);
    await(&producer, 5000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 0);
}

static void queue_does_not_wait_for_a_broken_sink(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 1000);
    usleep(50 * 1000);
    assert_false(atomic_load(&producer.done));
    mrl_queue__set_broken(&traffic.queue, true);
    await(&producer, 2000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000 - SIZE / 256);
}

/* Two seconds in all, not for each line. */
static void queue_in_a_hurry_waits_once_for_a_stuck_consumer(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    mrl_queue__hurry(&traffic.queue);
    start(&producer, &traffic, 1000);
    usleep(1000 * 1000);
    assert_false(atomic_load(&producer.done));
    await(&producer, 3000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000 - SIZE / 256);
}

static void queue_lets_a_blocked_producer_go_when_abandoned(void **state)
{
    struct producer producer;
    struct traffic traffic;

    (void)state;
    traffic__begin(&traffic, MRL_POLICY_BLOCK);
    start(&producer, &traffic, 1000);
    usleep(50 * 1000);
    mrl_queue__abandon(&traffic.queue);
    await(&producer, 2000);
    traffic__finish(&traffic);
    assert_int_equal(traffic__missing(&traffic, MRL_CAUSE_QUEUE_FULL), 1000);
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
        cmocka_unit_test(queue_blocks_the_producer_and_loses_nothing),
        cmocka_unit_test(queue_blocks_as_long_as_it_takes),
        cmocka_unit_test(queue_does_not_wait_for_a_broken_sink),
        cmocka_unit_test(queue_in_a_hurry_waits_once_for_a_stuck_consumer),
        cmocka_unit_test(queue_lets_a_blocked_producer_go_when_abandoned),
        cmocka_unit_test(queue_dozes_while_lines_come_fast_and_no_longer),
    };

    return cmocka_run_group_tests_name("queue_threads", tests, NULL, NULL);
}
