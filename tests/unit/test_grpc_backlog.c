// SPDX-License-Identifier: Apache-2.0
/* The backlog of the gRPC server: what each place gets and misses, to the event. */
#include <grpc/grpc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "encode/grpc.h"
#include "side/grpc/server/backlog.h"
#include "unit.h"

enum { CHUNK_BYTES = 128 * 1024, TAKE = 32, LAPS = 3, READERS = 4, STORM = 300 * 1000 };

static _Thread_local int allocations_left = -1; /* -1: no end */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (!allocations_left)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return __real_malloc(size);
}

/* -- frames ----------------------------------------------------------------------------------- */

struct chunk {
    char bytes[CHUNK_BYTES];
    struct mrl_chunk chunk;
};

/* A message is its number, and then filled up. */
static void add(struct chunk *chunk, struct mrl_grpc_frame frame, uint64_t number)
{
    char *at = chunk->bytes + chunk->chunk.size;

    assert_true(chunk->chunk.size + sizeof(frame) + frame.size <= CHUNK_BYTES);
    memcpy(at, &frame, sizeof(frame));
    memset(at + sizeof(frame), 'x', frame.size);
    memcpy(at + sizeof(frame), &number, sizeof(number));
    chunk->chunk.bytes = chunk->bytes;
    chunk->chunk.size += sizeof(frame) + frame.size;
    chunk->chunk.events++;
}

static uint32_t event_of(uint64_t number)
{
    return (uint32_t)(number % 3);
}

static struct mrl_grpc_frame frame_of(uint64_t number, uint32_t size)
{
    return (
        struct mrl_grpc_frame){ .size = size, .event = event_of(number), .time_ns = 1000 + number };
}

/* Numbers from `first` on. */
static void put(struct mrl_backlog *backlog, uint64_t first, unsigned int count, uint32_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));

    assert_non_null(chunk);
    for (unsigned int i = 0; i < count; i++) {
        if (chunk->chunk.size + sizeof(struct mrl_grpc_frame) + size > CHUNK_BYTES) {
            mrl_backlog__put(backlog, &chunk->chunk);
            chunk->chunk = (struct mrl_chunk){ 0 };
        }
        add(chunk, frame_of(first + i, size), first + i);
    }
    mrl_backlog__put(backlog, &chunk->chunk);
    free(chunk);
}

/* -- a client --------------------------------------------------------------------------------- */

struct client {
    struct mrl_place place;
    struct mrl_gap missing;
    uint64_t next; /* the number that should come, where nothing is missing */
    uint64_t taken, told;
    uint64_t events[MRL_EVENT_COUNT]; /* taken and told */
};

static void count_missing(struct client *client)
{
    const struct mrl_missing *missing = client->missing.of[MRL_CAUSE_QUEUE_FULL];

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        assert_true(missing[i].from_ns <= missing[i].to_ns);
        client->told += missing[i].count;
        client->events[i] += missing[i].count;
        client->next += missing[i].count;
        client->missing.total -= missing[i].count;
    }
    assert_int_equal(client->missing.total, 0); /* there is no other cause here */
    client->missing = (struct mrl_gap){ 0 };
}

/* Takes once; what is missing stands before the first. Returns whether there is more. */
static bool take(struct mrl_backlog *backlog, struct client *client)
{
    grpc_slice slices[TAKE];
    bool more;
    unsigned int count =
        mrl_backlog__take(backlog, &client->place, slices, TAKE, &client->missing, &more);

    count_missing(client);
    for (unsigned int i = 0; i < count; i++) {
        uint64_t number;

        memcpy(&number, GRPC_SLICE_START_PTR(slices[i]), sizeof(number));
        assert_int_equal(number, client->next);
        client->next++;
        client->taken++;
        client->events[event_of(number)]++;
        grpc_slice_unref(slices[i]);
    }
    return more;
}

static void take_all(struct mrl_backlog *backlog, struct client *client)
{
    while (take(backlog, client))
        ;
}

static struct mrl_backlog *new_backlog(void)
{
    struct mrl_backlog *backlog;

    assert_int_equal(mrl_backlog__new(&backlog), 0);
    return backlog;
}

/* -- tests ------------------------------------------------------------------------------------ */

static void a_client_gets_what_comes_after_it(void **state)
{
    struct mrl_backlog *backlog = new_backlog();
    struct client early = { .next = 0 }, late = { .next = 100 };

    (void)state;
    mrl_backlog__join(backlog, &early.place);
    assert_false(take(backlog, &early));
    put(backlog, 0, 100, 24);
    mrl_backlog__join(backlog, &late.place);
    put(backlog, 100, 1, 24);
    assert_true(take(backlog, &early));
    take_all(backlog, &early);
    take_all(backlog, &late);
    assert_int_equal(early.taken, 101);
    assert_int_equal(late.taken, 1);
    assert_int_equal(early.told + late.told, 0);
    mrl_backlog__free(backlog);
}

static void who_is_overtaken_is_told_how_many_of_which(void **state)
{
    const unsigned int count = LAPS * MRL_BACKLOG_BYTES / 256;
    struct mrl_backlog *backlog = new_backlog();
    struct client slow = { .next = 0 };

    (void)state;
    mrl_backlog__join(backlog, &slow.place);
    put(backlog, 0, 10, 200);
    take(backlog, &slow);
    assert_false(mrl_backlog__has_overtaken(backlog, &slow.place));
    put(backlog, 10, count, 200);
    assert_true(mrl_backlog__has_overtaken(backlog, &slow.place));
    take_all(backlog, &slow);
    assert_int_equal(slow.taken + slow.told, count + 10);
    assert_true(slow.told > count / 2);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(slow.events[i], (count + 10 + 2 - i) / 3);
    mrl_backlog__free(backlog);
}

/* Takes all that is there; nothing is missing, and what more there was came. */
static unsigned int count_taken(struct mrl_backlog *backlog, struct mrl_place *place)
{
    struct mrl_gap missing = { 0 };
    grpc_slice slices[TAKE];
    bool more;
    unsigned int count = mrl_backlog__take(backlog, place, slices, TAKE, &missing, &more);

    assert_false(more);
    for (unsigned int i = 0; i < count; i++)
        grpc_slice_unref(slices[i]);
    return count;
}

/* Who did not ask for what the sensor says of itself sees nothing of it, not even a gap. */
static void each_client_gets_what_it_wants(void **state)
{
    const struct mrl_grpc_frame told = { .size = 24, .event = MRL_EVENT_SENSOR_STATE },
                                call = { .size = 24, .event = 1 };
    struct mrl_backlog *backlog = new_backlog();
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    struct mrl_place events, states, both;

    (void)state;
    mrl_backlog__join(backlog, &events);
    mrl_backlog__join(backlog, &states);
    mrl_backlog__join(backlog, &both);
    states.wants = MRL_WANTS_STATES;
    both.wants = MRL_WANTS_STATES | MRL_WANTS_EVENTS;
    for (int i = 0; i < 3; i++) {
        add(chunk, told, 1);
        add(chunk, call, 1);
    }
    add(chunk, told, 1);
    mrl_backlog__put(backlog, &chunk->chunk);
    assert_int_equal(mrl_backlog__behind(backlog, &events), 3);
    assert_int_equal(mrl_backlog__behind(backlog, &states), 4);
    assert_int_equal(mrl_backlog__behind(backlog, &both), 7);
    assert_int_equal(count_taken(backlog, &events), 3);
    assert_int_equal(count_taken(backlog, &states), 4);
    assert_int_equal(count_taken(backlog, &both), 7);
    assert_int_equal(mrl_backlog__behind(backlog, &events), 0);
    free(chunk);
    mrl_backlog__free(backlog);
}

/* A state that was evicted is no gap to who never wanted it. */
static void a_missed_state_is_missed_by_who_wants_it(void **state)
{
    const struct mrl_grpc_frame told = { .size = 24, .event = MRL_EVENT_SENSOR_STATE };
    struct mrl_gap missing[2] = { 0 };
    struct mrl_backlog *backlog = new_backlog();
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    struct mrl_place places[2];
    grpc_slice slice;
    bool more;

    (void)state;
    mrl_backlog__join(backlog, &places[0]);
    mrl_backlog__join(backlog, &places[1]);
    places[1].wants |= MRL_WANTS_STATES;
    add(chunk, told, 1);
    mrl_backlog__put(backlog, &chunk->chunk);
    put(backlog, 0, 2 * MRL_BACKLOG_BYTES / 256, 200);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mrl_backlog__take(backlog, &places[i], &slice, 1, &missing[i], &more), 1);
        grpc_slice_unref(slice);
        assert_int_equal(missing[i].of[MRL_CAUSE_QUEUE_FULL][MRL_EVENT_SENSOR_STATE].count, i);
        assert_true(missing[i].of[MRL_CAUSE_QUEUE_FULL][1].count > 0);
    }
    free(chunk);
    mrl_backlog__free(backlog);
}

/* A gap that is missed counts as what it stands for, and keeps its cause. */
static void a_missed_gap_stays_one(void **state)
{
    struct mrl_grpc_frame gap = {
        .size = 24,
        .event = 7,
        .time_ns = 900,
        .lost = 5000,
        .from_ns = 400,
        .lost_event = 1,
        .lost_cause = MRL_CAUSE_RING_FULL,
    };
    struct mrl_backlog *backlog = new_backlog();
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    struct mrl_gap missing = { 0 };
    const struct mrl_missing *slow = missing.of[MRL_CAUSE_QUEUE_FULL];
    const struct mrl_missing *lost = &missing.of[MRL_CAUSE_RING_FULL][1];
    struct mrl_place place;
    grpc_slice slice;
    bool more;

    (void)state;
    mrl_backlog__join(backlog, &place);
    place.time_ns = 500; /* of the last message, when the gap had begun */
    add(chunk, gap, 0);
    mrl_backlog__put(backlog, &chunk->chunk);
    put(backlog, 0, 2 * MRL_BACKLOG_BYTES / 256, 200);
    assert_int_equal(mrl_backlog__take(backlog, &place, &slice, 1, &missing, &more), 1);
    grpc_slice_unref(slice);
    assert_int_equal(lost->count, 5000);
    assert_true(lost->from_ns <= 400 && lost->to_ns >= 900);
    assert_true(slow[0].count > 100 && slow[0].count - slow[1].count <= 1);
    assert_int_equal(slow[0].from_ns, 500);
    assert_int_equal(missing.total, 5000 + slow[0].count + slow[1].count + slow[2].count);
    free(chunk);
    mrl_backlog__free(backlog);
}

static void large_messages_have_a_block_of_their_own(void **state)
{
    struct mrl_backlog *backlog = new_backlog();
    struct client client = { .next = 0 };

    (void)state;
    mrl_backlog__join(backlog, &client.place);
    put(backlog, 0, 3, 100);
    put(backlog, 3, 3, 30 * 1024);
    put(backlog, 6, 3, 100);
    take_all(backlog, &client);
    assert_int_equal(client.taken, 9);
    mrl_backlog__free(backlog);
}

static void slices_outlive_their_block_and_the_backlog(void **state)
{
    struct mrl_backlog *backlog = new_backlog();
    struct mrl_gap missing = { 0 };
    struct mrl_place place;
    grpc_slice slice;
    uint64_t number;
    bool more;

    (void)state;
    mrl_backlog__join(backlog, &place);
    put(backlog, 42, 1, 200);
    assert_int_equal(mrl_backlog__take(backlog, &place, &slice, 1, &missing, &more), 1);
    put(backlog, 43, 2 * MRL_BACKLOG_BYTES / 256, 200);
    mrl_backlog__free(backlog);
    memcpy(&number, GRPC_SLICE_START_PTR(slice), sizeof(number));
    assert_int_equal(number, 42);
    grpc_slice_unref(slice);
}

static void what_has_no_memory_is_missed_by_all(void **state)
{
    struct mrl_backlog *backlog = new_backlog();
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    struct client client = { .next = 0 }, idle = { .next = 0 };

    (void)state;
    mrl_backlog__join(backlog, &client.place);
    mrl_backlog__join(backlog, &idle.place);
    for (uint64_t i = 0; i < 300; i++)
        add(chunk, frame_of(i, 200), i);
    allocations_left = 2; /* blocks */
    mrl_backlog__put(backlog, &chunk->chunk);
    allocations_left = -1;
    put(backlog, 300, 10, 200);
    take_all(backlog, &client);
    assert_int_equal(client.taken + client.told, 310);
    assert_int_equal(client.taken, 10);
    take_all(backlog, &idle);
    assert_int_equal(idle.taken + idle.told, 310);
    free(chunk);
    mrl_backlog__free(backlog);
}

/* -- many threads ----------------------------------------------------------------------------- */

struct storm {
    struct mrl_backlog *backlog;
    struct client clients[READERS];
    pthread_t threads[READERS];
    int done;
};

struct reader {
    struct storm *storm;
    struct client *client;
};

static void *read_on(void *context)
{
    struct reader *reader = context;
    bool was_done;

    do {
        was_done = __atomic_load_n(&reader->storm->done, __ATOMIC_ACQUIRE);
        take_all(reader->storm->backlog, reader->client);
    } while (!was_done);
    return NULL;
}

static void every_reader_accounts_for_every_event(void **state)
{
    struct storm *storm = calloc(1, sizeof(*storm));
    struct reader readers[READERS];
    uint64_t sent = 0;

    (void)state;
    assert_non_null(storm);
    storm->backlog = new_backlog();
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ storm, &storm->clients[i] };
        mrl_backlog__join(storm->backlog, &storm->clients[i].place);
        assert_int_equal(pthread_create(&storm->threads[i], NULL, read_on, &readers[i]), 0);
    }
    while (sent < STORM) {
        unsigned int count = 1 + (unsigned int)rand() % 700;

        put(storm->backlog, sent, count, 24 + (uint32_t)rand() % 400);
        sent += count;
    }
    __atomic_store_n(&storm->done, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < READERS; i++) {
        pthread_join(storm->threads[i], NULL);
        assert_int_equal(storm->clients[i].taken + storm->clients[i].told, sent);
    }
    mrl_backlog__free(storm->backlog);
    free(storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_gets_what_comes_after_it),
        cmocka_unit_test(who_is_overtaken_is_told_how_many_of_which),
        cmocka_unit_test(a_missed_gap_stays_one),
        cmocka_unit_test(each_client_gets_what_it_wants),
        cmocka_unit_test(a_missed_state_is_missed_by_who_wants_it),
        cmocka_unit_test(large_messages_have_a_block_of_their_own),
        cmocka_unit_test(slices_outlive_their_block_and_the_backlog),
        cmocka_unit_test(what_has_no_memory_is_missed_by_all),
        cmocka_unit_test(every_reader_accounts_for_every_event),
    };

    return cmocka_run_group_tests_name("grpc_backlog", tests, NULL, NULL);
}
