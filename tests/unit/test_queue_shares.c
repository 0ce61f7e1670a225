// SPDX-License-Identifier: Apache-2.0
/* What a queue keeps when it has to drop: whose calls, and which releases. And whom it blames. */
#include <string.h>

#include "deliver/queue.h"
#include "traffic.h"
#include "unit/unit.h"

enum {
    LARGE = 8 << 20,
    LINE = 40,
    FLOOD_UID = 1000,
    QUIET_UID = 2000,
    QUIET = 6,
    LINES_MAX = 1024,
    ENTRIES = LARGE / 16 / sizeof(struct mrl_line) - 63, /* for everybody: short lines, and gaps */
    FLOOD_LINES = 24000,
    AT_ONCE = 100
};

static const enum mrl_policy policies[] = { MRL_POLICY_DROP_OLDEST, MRL_POLICY_DROP_NEWEST,
                                            MRL_POLICY_BLOCK };

struct source {
    unsigned int event;
    struct mrl_share share;
    uint64_t pushed, delivered;
};

/* By chance's own seed two owners may have the same tokens: test_shares says how often. */
enum { SEED = 1 };

static void begin(struct mrl_queue *queue, size_t size, enum mrl_policy policy)
{
    assert_int_equal(mrl_queue__init(queue, size, policy), 0);
    queue->shares.seed = SEED;
    mrl_queue__set_broken(queue, true); /* what blocks drops the oldest then */
}

/* Many at once, so that a flood is over before it has new tokens. */
static bool push(struct mrl_queue *queue, struct source *source, unsigned int times)
{
    static const char bytes[AT_ONCE * LINE] = "";
    struct mrl_line lines[AT_ONCE];
    bool dropped = false;

    for (unsigned int i = 0; i < AT_ONCE; i++)
        lines[i] = (struct mrl_line){
            .size = LINE, .event = (uint16_t)source->event, .time_ns = 1, .share = source->share
        };
    source->pushed += times;
    for (unsigned int size; times; times -= size) {
        size = times < AT_ONCE ? times : AT_ONCE;
        dropped |= mrl_queue__push(queue, bytes, lines, size);
    }
    return dropped;
}

static bool is_of(const struct mrl_line *line, const struct source *source)
{
    return line->event == source->event && line->share.owner_uid == source->share.owner_uid &&
           line->share.release == source->share.release;
}

/* Empties the queue: each line is of one of the sources, and what is missing is told. */
static struct mrl_gap finish(struct mrl_queue *queue, struct source *sources, size_t count)
{
    static struct mrl_line lines[LINES_MAX];
    static char bytes[LINES_MAX * LINE];
    uint64_t pushed = 0, delivered = 0;
    struct mrl_gap all = { 0 }, gap;
    bool ended = false;

    mrl_queue__end(queue);
    while (!ended) {
        size_t taken =
            mrl_queue__pop(queue, 0, bytes, sizeof(bytes), lines, LINES_MAX, &gap, &ended);

        mrl_gap__merge(&all, &gap);
        for (size_t i = 0; i < taken; i++)
            for (size_t j = 0; j < count; j++)
                sources[j].delivered += is_of(&lines[i], &sources[j]);
        delivered += taken;
    }
    for (size_t i = 0; i < count; i++)
        pushed += sources[i].pushed;
    assert_int_equal(all.total, pushed - delivered);
    mrl_queue__done(queue);
    return all;
}

/* Releases of targets that are each the first of its kind, some lines of a flood between them. */
static void assert_first_releases_stay(enum mrl_policy policy, struct source flood, uint32_t uid)
{
    struct source sources[QUIET + 1];
    struct mrl_queue queue;

    begin(&queue, SIZE, policy);
    sources[QUIET] = flood;
    push(&queue, &sources[QUIET], 200);
    for (unsigned int i = 0; i < QUIET; i++) {
        sources[i] =
            (struct source){ .event = i % 2 ? MRL_EVENT_DO_MRELEASE : MRL_EVENT_PROCESS_MRELEASE,
                             .share = { uid, 100 + i / 2 } };
        push(&queue, &sources[i], 1);
        push(&queue, &sources[QUIET], 150);
    }
    push(&queue, &sources[QUIET], 1000);
    finish(&queue, sources, QUIET + 1);
    for (unsigned int i = 0; i < QUIET; i++)
        assert_int_equal(sources[i].delivered, 1);
    assert_in_range(sources[QUIET].delivered, SIZE / LINE - QUIET - 1,
                    (SIZE + SIZE / 8) / LINE - QUIET);
}

static void first_releases_stay_in_a_queue_that_a_flood_fills(void **state)
{
    static const struct source floods[] = {
        { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { FLOOD_UID, MRL_RELEASE_NONE } },
        { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { FLOOD_UID, 77 } },
        { .event = MRL_EVENT_DO_MRELEASE, .share = { FLOOD_UID, 77 } },
        { .event = MRL_EVENT_MLOCK, .share = { FLOOD_UID, MRL_RELEASE_NONE } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(floods); i++)
        for (size_t policy = 0; policy < COUNT_OF(policies); policy++) {
            assert_first_releases_stay(policies[policy], floods[i], QUIET_UID);
            assert_first_releases_stay(policies[policy], floods[i], FLOOD_UID);
        }
}

/* Calls that release nothing have the tokens of their owner. */
static void quiet_owners_have_tokens_that_a_flood_cannot_take(void **state)
{
    (void)state;
    for (size_t policy = 0; policy < COUNT_OF(policies); policy++) {
        struct source sources[] = {
            { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { FLOOD_UID, MRL_RELEASE_NONE } },
            { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { QUIET_UID, MRL_RELEASE_NONE } },
        };
        struct mrl_queue queue;

        begin(&queue, LARGE, policies[policy]);
        push(&queue, &sources[0], FLOOD_LINES);
        push(&queue, &sources[1], 10);
        push(&queue, &sources[0], FLOOD_LINES);
        finish(&queue, sources, COUNT_OF(sources));
        assert_int_equal(sources[1].delivered, 10);
    }
}

/* A thousand a second, and 64 at once: not the whole of the reserve. */
static void a_flood_has_no_more_than_its_tokens(void **state)
{
    struct source flood = { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { FLOOD_UID, 0 } };
    struct mrl_queue queue;

    (void)state;
    begin(&queue, LARGE, MRL_POLICY_DROP_NEWEST);
    push(&queue, &flood, FLOOD_LINES);
    assert_in_range(queue.ring.lines_used, ENTRIES + MRL_TOKENS, ENTRIES + MRL_TOKENS + 700);
    finish(&queue, &flood, 1);
}

static void the_mlock_family_has_no_share_and_a_state_always(void **state)
{
    struct source sources[] = {
        { .event = MRL_EVENT_MLOCK, .share = { FLOOD_UID, 0 } },
        { .event = MRL_EVENT_MLOCK2, .share = { QUIET_UID, 0 } },
        { .event = MRL_EVENT_SENSOR_STATE },
    };
    struct mrl_queue queue;

    (void)state;
    begin(&queue, SIZE, MRL_POLICY_DROP_NEWEST);
    push(&queue, &sources[0], SIZE / LINE);
    push(&queue, &sources[1], 1);
    push(&queue, &sources[2], 1);
    finish(&queue, sources, COUNT_OF(sources));
    assert_int_equal(sources[0].delivered, SIZE / LINE);
    assert_int_equal(sources[1].delivered, 0);
    assert_int_equal(sources[2].delivered, 1);
}

/* First releases without end: of what was kept, the oldest goes. */
static void what_is_kept_makes_room_for_newer_releases(void **state)
{
    struct source release = { .event = MRL_EVENT_DO_MRELEASE,
                              .share = { QUIET_UID, MRL_RELEASE_UNSEEN } };
    struct mrl_queue queue;

    (void)state;
    begin(&queue, SIZE, MRL_POLICY_DROP_OLDEST);
    push(&queue, &release, 2 * SIZE / LINE);
    assert_in_range(queue.kept.used, SIZE / 8 - LINE, SIZE / 8);
    finish(&queue, &release, 1);
    assert_in_range(release.delivered, (SIZE + SIZE / 8) / LINE - 2, (SIZE + SIZE / 8) / LINE);
}

/* -- whom it blames --------------------------------------------------------------------------- */

static void note_caller(struct mrl_callers *callers, uint32_t uid, const char *comm)
{
    struct mrl_record record = { .uid = 5, .cgroup_id = uid + 1, .flags = MRL_RECORD_SHARE };
    struct mrl_event event = { .raw = &record };
    struct mrl_share share;

    record.share.owner_uid = uid;
    strncpy(record.comm, comm, sizeof(record.comm) - 1);
    share = mrl_share__of(&event);
    assert_int_equal(share.owner_uid, uid);
    mrl_callers__note(callers, &share, &event);
}

static void assert_blames(const struct mrl_gap *gap, unsigned int event, uint32_t uid)
{
    assert_true(gap->by[event].is_known);
    assert_int_equal(gap->by[event].uid, uid);
    assert_int_equal(gap->by[event].latest.cgroup_id, uid + 1);
}

static void the_gap_says_who_lost_most_of_each_event(void **state)
{
    (void)state;
    for (size_t policy = 0; policy < COUNT_OF(policies); policy++) {
        struct source sources[] = {
            { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { QUIET_UID, 0 } },
            { .event = MRL_EVENT_PROCESS_MRELEASE, .share = { FLOOD_UID, 0 } },
            { .event = MRL_EVENT_MLOCK, .share = { QUIET_UID, 0 } },
        };
        static struct mrl_callers callers;
        struct mrl_queue queue;
        struct mrl_gap gap;
        bool dropped = false;

        begin(&queue, SIZE, policies[policy]);
        queue.shares.callers = &callers;
        note_caller(&callers, FLOOD_UID, "flood");
        note_caller(&callers, QUIET_UID, "quiet");
        for (int i = 0; i < 1000; i++) {
            dropped |= push(&queue, &sources[1], 3);
            push(&queue, &sources[0], 1);
            push(&queue, &sources[2], 1);
        }
        assert_true(dropped);
        gap = finish(&queue, sources, COUNT_OF(sources));
        assert_blames(&gap, MRL_EVENT_PROCESS_MRELEASE, FLOOD_UID);
        assert_string_equal(gap.by[MRL_EVENT_PROCESS_MRELEASE].latest.comm, "flood");
        assert_blames(&gap, MRL_EVENT_MLOCK, QUIET_UID);
        assert_false(gap.by[MRL_EVENT_DO_MRELEASE].is_known);
    }
}

/* One flood ends, and another begins later: the first is to blame no more. */
static void who_flooded_long_ago_is_not_blamed(void **state)
{
    struct source sources[] = {
        { .event = MRL_EVENT_MLOCK, .share = { FLOOD_UID, 0 } },
        { .event = MRL_EVENT_MLOCK, .share = { QUIET_UID, 0 } },
    };
    struct mrl_callers callers = { 0 };
    struct mrl_queue queue;
    struct mrl_gap gap;

    (void)state;
    begin(&queue, SIZE, MRL_POLICY_DROP_NEWEST);
    queue.shares.callers = &callers;
    note_caller(&callers, FLOOD_UID, "flood");
    note_caller(&callers, QUIET_UID, "quiet");
    push(&queue, &sources[0], 1000);
    assert_int_equal(queue.by[MRL_EVENT_MLOCK].uid, FLOOD_UID);
    queue.shares.window_ns -= INT64_C(2000000000);
    push(&queue, &sources[1], 1);
    assert_int_equal(queue.by[MRL_EVENT_MLOCK].uid, QUIET_UID);
    gap = finish(&queue, sources, COUNT_OF(sources));
    assert_blames(&gap, MRL_EVENT_MLOCK, QUIET_UID);
}

/* Without the probes' word for it, a record's own uid is the owner. */
static void a_record_without_a_share_is_of_its_uid(void **state)
{
    struct mrl_record record = { .uid = 5, .args = { 1, 2, 3, 4, 5, 6 } };
    struct mrl_event event = { .raw = &record }, state_event = { 0 };

    (void)state;
    assert_int_equal(mrl_share__of(&event).owner_uid, 5);
    assert_int_equal(mrl_share__of(&event).release, MRL_RELEASE_NONE);
    assert_int_equal(mrl_share__of(&state_event).owner_uid, 0);
}

/* -- at random -------------------------------------------------------------------------------- */

static uint32_t random_below(uint64_t *seed, uint32_t bound)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % bound;
}

/* Order, and the places of the gaps, are what they are without shares. */
static void shares_change_no_order_and_lose_nothing_untold(void **state)
{
    struct traffic traffic;

    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint64_t random = seed;

        traffic__begin(&traffic, policies[seed % COUNT_OF(policies)]);
        traffic.first_event = MRL_EVENT_PROCESS_MRELEASE;
        mrl_queue__set_broken(&traffic.queue, true);
        for (int i = 0; i < 400; i++) {
            traffic.share.owner_uid = random_below(&random, 5);
            traffic.share.release = random_below(&random, 4) ? 0 : random_below(&random, 1000);
            if (random_below(&random, 4))
                traffic__push_times(&traffic, 1 + random_below(&random, LONGEST), 3);
            else if (random_below(&random, 2))
                traffic__push_lost(&traffic);
            else
                traffic__pop(&traffic, random_below(&random, SIZE));
        }
        traffic__finish(&traffic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_releases_stay_in_a_queue_that_a_flood_fills),
        cmocka_unit_test(quiet_owners_have_tokens_that_a_flood_cannot_take),
        cmocka_unit_test(a_flood_has_no_more_than_its_tokens),
        cmocka_unit_test(the_mlock_family_has_no_share_and_a_state_always),
        cmocka_unit_test(what_is_kept_makes_room_for_newer_releases),
        cmocka_unit_test(the_gap_says_who_lost_most_of_each_event),
        cmocka_unit_test(who_flooded_long_ago_is_not_blamed),
        cmocka_unit_test(a_record_without_a_share_is_of_its_uid),
        cmocka_unit_test(shares_change_no_order_and_lose_nothing_untold),
    };

    return cmocka_run_group_tests_name("queue_shares", tests, NULL, NULL);
}
