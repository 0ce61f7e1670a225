// SPDX-License-Identifier: Apache-2.0
/*
 * Names from several threads, as in a run: a side program's answers, cgroups that are made and
 * removed, questions about how it goes; and the reader, whose events wait meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "read/intake.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { CONTAINERS = 64, EVENTS = 4000, TELLERS = 2, ID_BYTES = 64, FIRST = 100 };

#define WAIT_NS (20 * UINT64_C(1000000))

static struct bench {
    struct test_decoder decoder;
    struct mrl_filter *filter;
    struct mrl_intake intake;
    struct mrl_names_place places[CONTAINERS];
    atomic_bool ends;
    atomic_uint asked, told;
} bench;

static void make_id(unsigned int number, char id[ID_BYTES + 1])
{
    snprintf(id, ID_BYTES + 1, "%064x", number);
}

/* -- who is asked ----------------------------------------------------------------------------- */

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    (void)context;
    (void)hint;
    assert_int_equal(strlen(id), ID_BYTES);
    atomic_fetch_add(&bench.asked, 1);
    return 0;
}

/* Answers, with names or without. */
static void *tell_all(void *of)
{
    char id[ID_BYTES + 1], name[32];

    for (unsigned int i = *(const unsigned int *)of; !bench.ends; i += 7) {
        struct mrl_container_names names = { .id = { id, ID_BYTES },
                                             .result =
                                                 i % 5 ? MRL_NAMES_KNOWN : MRL_NAMES_NOT_FOUND,
                                             .runtime = MRL_RUNTIME_DOCKER };

        make_id(i % CONTAINERS, id);
        names.texts[MRL_NAME_CONTAINER] =
            (struct mrl_text){ name,
                               (size_t)snprintf(name, sizeof(name), "web-%u", i % CONTAINERS) };
        if (mrl_intake__tell_names(&bench.intake, &names) >= 0)
            atomic_fetch_add(&bench.told, 1);
    }
    return NULL;
}

/* What the thread does that hears of cgroups (probe/changes.c). */
static void *hear_all(void *unused)
{
    struct mrl_cgroup_names change = { .size = sizeof(change),
                                       .event = MRL_RECORD_CGROUP,
                                       .count = 3 };

    for (unsigned int i = 0; !bench.ends; i++) {
        change.flags = MRL_CGROUP_WHOLE | (i % 2 ? MRL_CGROUP_REMOVED : MRL_CGROUP_MADE);
        snprintf(change.nodes[0], sizeof(change.nodes[0]), "docker-%064x.scope",
                 i / 2 % CONTAINERS);
        snprintf(change.nodes[1], sizeof(change.nodes[1]), "system.slice");
        mrl_known_names__see(bench.intake.held.names, &change, sizeof(change));
    }
    return unused;
}

static void *ask_how_it_goes(void *unused)
{
    struct mrl_names_status status;
    struct mrl_event_counts counts = { 0 };
    uint64_t decoded = 0;

    while (!bench.ends) {
        assert_true(mrl_intake__names(&bench.intake, &status));
        assert_in_range(status.waiting, 0, MRL_HELD_MAX);
        mrl_intake__add_counts(&bench.intake, MRL_EVENT_MLOCK, &counts);
        assert_true(counts.decoded >= decoded);
        decoded = counts.decoded;
    }
    return unused;
}

/* -- the reader ------------------------------------------------------------------------------- */

static struct mrl_membership container_of(void *context, uint64_t cgroup)
{
    static char id[ID_BYTES + 1];

    (void)context;
    make_id((unsigned int)(cgroup - FIRST), id);
    return (struct mrl_membership){ .id = { id, ID_BYTES },
                                    .lookup = MRL_LOOKUP_KNOWN,
                                    .place = &bench.places[cgroup - FIRST] };
}

static int read_counters(const void *context,
                         unsigned int event,
                         struct mrl_event_counters *ret_each,
                         unsigned int cpus)
{
    (void)context;
    (void)event;
    memset(ret_each, 0, cpus * sizeof(*ret_each));
    return 0;
}

static unsigned int named, handed_out;

/* What is named has the names of its own container. */
static void look_at(const struct mrl_batch *batch)
{
    char name[32];

    for (size_t i = 0; i < mrl_batch__count(batch); i++, handed_out++) {
        const struct mrl_event *event = mrl_batch__at(batch, i);
        int size = snprintf(name, sizeof(name), "web-%u", (unsigned int)(event->cgroup_id - FIRST));

        if (event->names_result != MRL_NAMES_KNOWN)
            continue;
        assert_int_equal(event->container_name.size, size);
        assert_memory_equal(event->container_name.bytes, name, (size_t)size);
        named++;
    }
}

static void next_batch(int64_t now_ns)
{
    look_at(bench.decoder.batch);
    mrl_batch__unref(bench.decoder.batch);
    bench.decoder.batch = mrl_pool__get(bench.decoder.pool);
    assert_true(mrl_intake__begin(&bench.intake, bench.decoder.batch, MRL_BATCH_EVENTS));
    mrl_intake__let_go(&bench.intake, now_ns);
}

static void read_events(unsigned int first, unsigned int end)
{
    struct test_record record;

    for (unsigned int i = first; i < end; i++) {
        test_record__init(&record, MRL_EVENT_MLOCK);
        record.call.cpu = 0;
        record.call.lane = MRL_LANE_BUSY;
        record.call.seq = i;
        record.call.cgroup_id = FIRST + i * 13 % CONTAINERS;
        if (!mrl_intake__take(&bench.intake, &record, record.call.size) || i % 50 == 0)
            next_batch(mrl_clock__ns(CLOCK_MONOTONIC));
    }
}

static void open_all(void)
{
    static const char *const event = "mlock";
    const struct mrl_filter_texts texts = { .events = &event, .event_count = 1 };
    const struct mrl_kernel_counters counters = { .read = read_counters, .cpus = 1 };
    const struct mrl_names_asking asking = { ask, NULL };
    struct mrl_error error;

    test_decoder__init(&bench.decoder);
    bench.decoder.host.container = container_of;
    assert_int_equal(mrl_filter__new(&texts, &error, &bench.filter), 0);
    assert_int_equal(mrl_intake__init(&bench.intake, &bench.decoder.host, bench.filter, &counters,
                                      1U << MRL_EVENT_MLOCK),
                     0);
    assert_int_equal(mrl_intake__name(&bench.intake, &asking, WAIT_NS), 0);
    assert_true(mrl_intake__begin(&bench.intake, bench.decoder.batch, MRL_BATCH_EVENTS));
}

static void the_reader_goes_on_whoever_tells_it_what(void **state)
{
    pthread_t tellers[TELLERS], hearer, asker;
    unsigned int firsts[TELLERS];

    (void)state;
    open_all();
    read_events(0, 1); /* before anybody tells of its container: so somebody is asked */
    for (unsigned int i = 0; i < TELLERS; i++) {
        firsts[i] = i;
        pthread_create(&tellers[i], NULL, tell_all, &firsts[i]);
    }
    pthread_create(&hearer, NULL, hear_all, NULL);
    pthread_create(&asker, NULL, ask_how_it_goes, NULL);
    read_events(1, EVENTS);
    while (bench.told < 2 * CONTAINERS) /* by then all have an answer */
        usleep(1000);
    read_events(EVENTS, 2 * EVENTS);
    while (bench.intake.held.list)
        next_batch(INT64_MAX);
    bench.ends = true;
    for (unsigned int i = 0; i < TELLERS; i++)
        pthread_join(tellers[i], NULL);
    pthread_join(hearer, NULL);
    pthread_join(asker, NULL);
    next_batch(INT64_MAX);
    look_at(bench.decoder.batch);
    assert_int_equal(handed_out, 2 * EVENTS);
    assert_in_range(named, 1, 2 * EVENTS);
    assert_true(bench.asked);
    mrl_intake__done(&bench.intake);
    mrl_filter__free(bench.filter);
    test_decoder__done(&bench.decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_goes_on_whoever_tells_it_what),
    };

    return cmocka_run_group_tests_name("threads of names", tests, NULL, NULL);
}
