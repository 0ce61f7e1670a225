// SPDX-License-Identifier: Apache-2.0
/* The reader behind the ring buffers, fed by hand: which events come, how they are numbered, and
 * that each record is in one count. */
#include <errno.h>
#include <string.h>

#include "event/lost.h"
#include "read/intake.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { CPUS = 2, FILTERED_AT_ONCE_MAX = 100 * 1000 };

#define WATCHED (1U << MRL_EVENT_PROCESS_MRELEASE | 1U << MRL_EVENT_MLOCK)

struct bench {
    struct test_decoder decoder;
    struct mrl_filter *filter;
    struct mrl_intake intake;
    uint64_t refused; /* of process_mrelease, on the first CPU */
};

static int read_counters(const void *context,
                         unsigned int event,
                         struct mrl_event_counters *ret_each,
                         unsigned int cpus)
{
    const struct bench *bench = context;

    memset(ret_each, 0, cpus * sizeof(*ret_each));
    if (event == MRL_EVENT_PROCESS_MRELEASE)
        ret_each[0].refused = bench->refused;
    return 0;
}

/* Calls that succeed are wanted, and all of mlock. */
static int set_up(void **state)
{
    static const char *const events[] = { "process_mrelease.retval=0", "mlock" };
    const struct mrl_filter_texts texts = { .events = events, .event_count = COUNT_OF(events) };
    static struct bench bench;
    const struct mrl_kernel_counters counters = { .read = read_counters,
                                                  .context = &bench,
                                                  .cpus = CPUS };
    struct mrl_error error;

    bench = (struct bench){ .refused = 0 };
    test_decoder__init(&bench.decoder);
    *state = &bench;
    assert_int_equal(mrl_filter__new(&texts, &error, &bench.filter), 0);
    assert_int_equal(
        mrl_intake__init(&bench.intake, &bench.decoder.host, bench.filter, &counters, WATCHED), 0);
    assert_true(mrl_intake__begin(&bench.intake, bench.decoder.batch, MRL_BATCH_EVENTS));
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    mrl_intake__done(&bench->intake);
    mrl_filter__free(bench->filter);
    test_decoder__done(&bench->decoder);
    return 0;
}

static bool take(
    struct bench *bench, unsigned int event, unsigned int cpu, uint64_t seq, int64_t ret)
{
    struct test_record record;

    test_record__init(&record, event);
    record.call.cpu = (__u16)cpu;
    record.call.lane = (__u8)mrl_event_def__at(event)->lane;
    record.call.seq = seq;
    record.call.ret = ret;
    return mrl_intake__take(&bench->intake, &record, record.call.size);
}

static bool take_call(struct bench *bench, uint64_t seq, int64_t ret)
{
    return take(bench, MRL_EVENT_PROCESS_MRELEASE, 0, seq, ret);
}

static const struct mrl_event *event_at(const struct bench *bench, size_t index)
{
    assert_true(index < mrl_batch__count(bench->decoder.batch));
    return mrl_batch__at(bench->decoder.batch, index);
}

/* The number that lines show, and the one that a capture keeps. */
static void assert_number(const struct bench *bench, size_t index, uint64_t seq)
{
    const struct mrl_event *event = event_at(bench, index);

    assert_int_equal(event->seq, seq);
    assert_int_equal(((const struct mrl_record *)event->raw)->seq, seq);
}

static struct mrl_event_counts counts_of(const struct bench *bench, unsigned int event)
{
    struct mrl_event_counts counts = { 0 };

    mrl_intake__add_counts(&bench->intake, event, &counts);
    return counts;
}

static void what_is_filtered_leaves_no_gap_in_the_numbers(void **state)
{
    struct bench *bench = *state;

    take_call(bench, 0, -1);
    take_call(bench, 1, 0);
    take_call(bench, 2, -1);
    take_call(bench, 3, -1);
    take_call(bench, 4, 0);
    take_call(bench, 5, 0);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 3);
    for (size_t i = 0; i < 3; i++)
        assert_number(bench, i, i);
}

static void each_cpu_and_lane_closes_its_own_ranks(void **state)
{
    struct bench *bench = *state;

    take_call(bench, 0, -1);
    take_call(bench, 1, 0);
    take(bench, MRL_EVENT_PROCESS_MRELEASE, 1, 0, 0);
    take(bench, MRL_EVENT_PROCESS_MRELEASE, 1, 1, -1);
    take(bench, MRL_EVENT_PROCESS_MRELEASE, 1, 2, 0);
    take(bench, MRL_EVENT_MLOCK, 0, 0, -1);
    take(bench, MRL_EVENT_MLOCK, 0, 1, 0);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 5);
    assert_number(bench, 0, 0);
    assert_number(bench, 1, 0);
    assert_number(bench, 2, 1);
    assert_number(bench, 3, 0);
    assert_number(bench, 4, 1);
}

static bool take_judged(struct bench *bench, uint64_t seq, int64_t ret, uint32_t generation)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_PROCESS_MRELEASE);
    record.call.cpu = 0;
    record.call.seq = seq;
    record.call.ret = ret;
    test_record__judge(&record, 1, generation);
    return mrl_intake__take(&bench->intake, &record, record.call.size);
}

static void each_record_is_asked_by_the_filter_of_its_configuration(void **state)
{
    static const char *const failures[] = { "process_mrelease.retval!=0" };
    const struct mrl_filter_texts texts = { .events = failures, .event_count = 1 };
    struct bench *bench = *state;
    struct mrl_filter *filter;
    struct mrl_error error;

    assert_int_equal(mrl_filter__new(&texts, &error, &filter), 0);
    assert_int_equal(mrl_filters__add(&bench->intake.filters, 2, filter, &error), 0);
    take_judged(bench, 0, 0, 1);
    take_judged(bench, 1, -1, 2);
    take_judged(bench, 2, -1, 1); /* another CPU's, in between */
    take_judged(bench, 3, 0, 2);
    take_judged(bench, 4, -1, 3);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_number(bench, i, i);
        assert_int_equal(event_at(bench, i)->generation, i + 1);
    }
    assert_int_equal(counts_of(bench, MRL_EVENT_PROCESS_MRELEASE).filtered_late, 2);
}

static void a_loss_among_the_filtered_is_still_a_missing_number(void **state)
{
    struct bench *bench = *state;
    const struct mrl_lost *lost;

    take_call(bench, 0, 0);
    take_call(bench, 1, -1);
    bench->refused = 2; /* 2 and 3 */
    take_call(bench, 4, -1);
    take_call(bench, 5, 0);
    take_call(bench, 6, 0);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 4);
    assert_number(bench, 0, 0);
    lost = event_at(bench, 1)->lost;
    assert_non_null(lost);
    assert_int_equal(lost->count, 2);
    assert_number(bench, 2, 3); /* 1 and 2 are missing, as told */
    assert_number(bench, 3, 4);
}

static void every_record_is_in_one_count(void **state)
{
    struct bench *bench = *state;
    struct test_record torn;
    struct mrl_event_counts counts;
    const struct mrl_lost *lost;

    take_call(bench, 0, 0);
    take_call(bench, 1, -1);
    take_call(bench, 2, -1);
    test_record__init(&torn, MRL_EVENT_PROCESS_MRELEASE);
    torn.call.seq = 3;
    torn.call.cpu = 0;
    torn.call.flags = MRL_RECORD_TARGET; /* and there is none */
    mrl_intake__take(&bench->intake, &torn, torn.call.size);
    counts = counts_of(bench, MRL_EVENT_PROCESS_MRELEASE);
    assert_int_equal(counts.decoded, 1);
    assert_int_equal(counts.filtered_late, 2);
    assert_int_equal(counts.malformed, 1);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 2);
    lost = event_at(bench, 1)->lost;
    assert_non_null(lost);
    assert_int_equal(lost->cause, MRL_CAUSE_MALFORMED);
    assert_int_equal(lost->count, 1);
    assert_int_equal(counts_of(bench, MRL_EVENT_MLOCK).decoded, 0);
}

static void bytes_that_name_no_event_are_passed_over(void **state)
{
    struct bench *bench = *state;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_COUNT);
    assert_true(mrl_intake__take(&bench->intake, &record, record.call.size));
    assert_true(mrl_intake__take(&bench->intake, &record, 8));
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 0);
}

static int note_names(void *noted, const void *description, size_t size)
{
    const struct mrl_cgroup_names *names = description;

    assert_int_equal(size, sizeof(*names));
    *(uint64_t *)noted = names->cgroup_id;
    return 0;
}

static void names_of_cgroups_are_no_events(void **state)
{
    struct mrl_cgroup_names names = { .size = sizeof(names),
                                      .event = MRL_RECORD_CGROUP,
                                      .cgroup_id = 4711 };
    struct bench *bench = *state;
    uint64_t noted = 0;

    bench->decoder.host.describe = note_names;
    bench->decoder.host.containers = &noted;
    assert_true(mrl_intake__take(&bench->intake, &names, sizeof(names)));
    assert_int_equal(noted, 4711);
    assert_int_equal(bench->intake.records, 0);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 0);
    bench->decoder.host.containers = NULL;
}

static struct mrl_membership nobody_knows(void *context, uint64_t cgroup_id)
{
    (void)context;
    (void)cgroup_id;
    return (struct mrl_membership){ .id = { "", 0 }, .lookup = MRL_LOOKUP_UNREADABLE };
}

static void events_of_unknown_containers_are_counted(void **state)
{
    struct bench *bench = *state;

    bench->decoder.host.container = nobody_knows;
    take_call(bench, 0, 0);
    take_call(bench, 1, -22); /* filtered, and counted all the same */
    assert_int_equal(counts_of(bench, MRL_EVENT_PROCESS_MRELEASE).unidentified, 2);
}

static void a_full_batch_takes_no_more(void **state)
{
    struct bench *bench = *state;

    assert_true(mrl_intake__begin(&bench->intake, bench->decoder.batch, 2));
    assert_true(take_call(bench, 0, 0));
    assert_false(take_call(bench, 1, 0));
    assert_false(mrl_intake__begin(&bench->intake, bench->decoder.batch, 2));
    assert_true(mrl_intake__begin(&bench->intake, bench->decoder.batch, 3));
    assert_false(take_call(bench, 2, 0));
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 3);
}

static void a_flood_that_is_filtered_gives_others_a_word(void **state)
{
    struct bench *bench = *state;
    uint64_t seq = 0;

    assert_int_equal(bench->intake.records, 0);
    while (take_call(bench, seq, -1))
        assert_true(++seq < FILTERED_AT_ONCE_MAX);
    assert_true(seq > MRL_BATCH_EVENTS); /* not after each few */
    assert_int_equal(bench->intake.records, seq + 1);
    assert_int_equal(bench->decoder.batch->arena.used, 0);
    assert_true(mrl_intake__begin(&bench->intake, bench->decoder.batch, MRL_BATCH_EVENTS));
    assert_true(take_call(bench, ++seq, -1));
}

static void losses_that_no_number_shows_are_told_once_after_records_were_read(void **state)
{
    struct bench *bench = *state;
    const struct mrl_lost *lost;

    bench->refused = 3;
    mrl_intake__tell_losses(&bench->intake);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 0); /* nothing was read yet */
    take_call(bench, 0, 0);
    mrl_intake__tell_losses(&bench->intake);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 2);
    lost = event_at(bench, 1)->lost;
    assert_non_null(lost);
    assert_int_equal(lost->count, 3);
    mrl_intake__tell_losses(&bench->intake);
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 2);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(what_is_filtered_leaves_no_gap_in_the_numbers),
        test(each_record_is_asked_by_the_filter_of_its_configuration),
        test(each_cpu_and_lane_closes_its_own_ranks),
        test(a_loss_among_the_filtered_is_still_a_missing_number),
        test(every_record_is_in_one_count),
        test(bytes_that_name_no_event_are_passed_over),
        test(names_of_cgroups_are_no_events),
        test(events_of_unknown_containers_are_counted),
        test(a_full_batch_takes_no_more),
        test(a_flood_that_is_filtered_gives_others_a_word),
        test(losses_that_no_number_shows_are_told_once_after_records_were_read),
    };

    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
