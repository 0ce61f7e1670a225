// SPDX-License-Identifier: Apache-2.0
/* Events that wait for the names of their container: who waits, for how long, in which order, and
 * which numbers they get. */
#include <errno.h>
#include <mrelease/encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/named.h"
#include "read/intake.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { CPUS = 2, WAIT_MS = 50, HOST = 1, NEW = 2, OTHER = 3, CLAIM = 4 };

#define WAIT_NS (WAIT_MS * UINT64_C(1000000))

struct bench {
    struct test_decoder decoder;
    struct mrl_filter *filter;
    struct mrl_intake intake;
    unsigned int asked;
    int answer; /* of who is asked */
    struct mrl_names_place places[CLAIM + 1];
};

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    struct bench *bench = context;

    (void)id;
    (void)hint;
    bench->asked++;
    return bench->answer;
}

/* Cgroup 1 is the host's; the others are containers by their number. */
static struct mrl_membership container_of(void *context, uint64_t cgroup)
{
    struct bench *bench = context;
    static char id[16];

    if (cgroup == HOST)
        return (struct mrl_membership){ .id = { "", 0 } };
    snprintf(id, sizeof(id), "c%u", (unsigned int)cgroup);
    return (struct mrl_membership){ .id = { id, strlen(id) },
                                    .lookup = MRL_LOOKUP_KNOWN,
                                    .place = &bench->places[cgroup],
                                    .is_claim = cgroup == CLAIM };
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

static void begin(struct bench *bench)
{
    mrl_batch__unref(bench->decoder.batch);
    bench->decoder.batch = mrl_pool__get(bench->decoder.pool);
    assert_true(mrl_intake__begin(&bench->intake, bench->decoder.batch, MRL_BATCH_EVENTS));
}

static void set_up_with(struct bench *bench, const char *events, uint64_t wait_ns)
{
    const struct mrl_filter_texts texts = { .events = &events, .event_count = 1 };
    const struct mrl_kernel_counters counters = { .read = read_counters, .cpus = CPUS };
    const struct mrl_names_asking asking = { ask, bench };
    struct mrl_error error;

    *bench = (struct bench){ .asked = 0 };
    test_decoder__init(&bench->decoder);
    bench->decoder.host.container = container_of;
    bench->decoder.host.containers = bench;
    assert_int_equal(mrl_filter__new(&texts, &error, &bench->filter), 0);
    assert_int_equal(mrl_intake__init(&bench->intake, &bench->decoder.host, bench->filter,
                                      &counters, 1U << MRL_EVENT_MLOCK),
                     0);
    assert_int_equal(mrl_intake__name(&bench->intake, &asking, wait_ns), 0);
    begin(bench);
}

static int set_up(void **state)
{
    static struct bench bench;

    *state = &bench;
    set_up_with(&bench, "mlock", WAIT_NS);
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

/* The first argument tells the events apart. */
static bool call(struct bench *bench, uint64_t cgroup, uint64_t seq, uint64_t mark)
{
    struct test_record record;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.cpu = 0;
    record.call.lane = MRL_LANE_BUSY;
    record.call.seq = seq;
    record.call.cgroup_id = cgroup;
    record.call.args[0] = mark;
    return mrl_intake__take(&bench->intake, &record, record.call.size);
}

static void tell(struct bench *bench, const char *id, enum mrl_names_result result)
{
    const struct mrl_container_names names = {
        .id = { id, strlen(id) },
        .result = result,
        .runtime = MRL_RUNTIME_CONTAINERD,
        .texts = { [MRL_NAME_CONTAINER] = { "web", 3 },
                   [MRL_NAME_IMAGE] = { "nginx:1", 7 },
                   [MRL_NAME_IMAGE_DIGEST] = { "sha256:1", 8 },
                   [MRL_NAME_POD] = { "web-0", 5 },
                   [MRL_NAME_POD_NAMESPACE] = { "shop", 4 },
                   [MRL_NAME_POD_UID] = { "u-1", 3 } },
    };

    assert_int_equal(mrl_intake__tell_names(&bench->intake, &names), bench->intake.held.count > 0);
}

static int64_t now(void)
{
    return mrl_clock__ns(CLOCK_MONOTONIC);
}

/* The marks of the batch's events, as "1 2 3"; and their numbers are 0, 1, 2, … from `seq` on. */
static void assert_marks(const struct bench *bench, uint64_t seq, const char *wanted)
{
    char marks[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < mrl_batch__count(bench->decoder.batch); i++) {
        const struct mrl_event *event = mrl_batch__at(bench->decoder.batch, i);

        used += (size_t)snprintf(marks + used, sizeof(marks) - used, "%s%u", i ? " " : "",
                                 (unsigned int)event->values[0].unsigned_number);
        assert_int_equal(event->seq, seq + i);
        assert_int_equal(((const struct mrl_record *)event->raw)->seq, seq + i);
    }
    assert_string_equal(marks, wanted);
}

static void only_the_events_of_that_container_wait(void **state)
{
    struct bench *bench = *state;

    tell(bench, "c3", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, NEW, 0, 10);
    call(bench, HOST, 1, 11);
    call(bench, OTHER, 2, 12);
    call(bench, NEW, 3, 13);
    call(bench, HOST, 4, 14);
    assert_marks(bench, 0, "11 12 14");
    assert_int_equal(bench->asked, 1);
    assert_int_equal(bench->intake.held.count, 2);
}

static void they_go_on_with_the_answer_in_their_order_and_with_numbers_of_their_place(void **state)
{
    struct bench *bench = *state;

    call(bench, NEW, 0, 10);
    call(bench, HOST, 1, 11);
    call(bench, NEW, 2, 12);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, HOST, 3, 13);
    call(bench, NEW, 4, 14);
    assert_marks(bench, 0, "11 10 12 13 14");
    for (size_t i = 0; i < 5; i++) {
        const struct mrl_event *event = mrl_batch__at(bench->decoder.batch, i);
        bool is_named = event->cgroup_id == NEW;

        assert_string_equal(event->container_lookup.bytes, is_named ? "known" : "host");
        assert_int_equal(event->pod_name.size, is_named ? 5 : 0);
        assert_int_equal(event->container_name.size, is_named ? 3 : 0);
    }
    assert_int_equal(bench->intake.held.count, 0);
}

static void names_are_in_the_line(void **state)
{
    struct bench *bench = *state;
    struct mrl_encoder *encoder;
    static char line[MRL_EVENT_TEXT_MAX];
    struct mrl_error error;
    ssize_t size;

    call(bench, NEW, 0, 10);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    assert_int_equal(mrl_encoder__new("json", NULL, &error, &encoder), 0);
    size = mrl_encoder__put(encoder, mrl_batch__at(bench->decoder.batch, 0), line, sizeof(line));
    assert_in_range(size, 1, sizeof(line) - 1);
    line[size] = '\0';
    assert_non_null(strstr(
        line, "\"containerId\":\"c2\",\"container\":{\"id\":\"c2\",\"name\":\"web\",\"image\":"
              "\"nginx:1\",\"imageDigest\":\"sha256:1\"},\"kubernetes\":{\"podName\":\"web-0\","
              "\"podNamespace\":\"shop\",\"podUID\":\"u-1\"},\"eventId\""));
    mrl_encoder__free(encoder);
}

static void the_wait_ends(void **state)
{
    struct bench *bench = *state;
    int64_t start = now();

    call(bench, NEW, 0, 10);
    assert_in_range(mrl_held__due_ms(&bench->intake.held), 1, WAIT_MS);
    mrl_intake__let_go(&bench->intake, start);
    assert_marks(bench, 0, "");
    mrl_intake__let_go(&bench->intake, now() + (int64_t)WAIT_NS);
    assert_marks(bench, 0, "10");
    assert_string_equal(mrl_batch__at(bench->decoder.batch, 0)->container_lookup.bytes, "pending");
    assert_int_equal(mrl_held__due_ms(&bench->intake.held), -1);
}

static void an_answer_without_names_ends_it_too(void **state)
{
    struct bench *bench = *state;

    call(bench, NEW, 0, 10);
    tell(bench, "c2", MRL_NAMES_RUNTIME_DOWN);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, NEW, 1, 11);
    assert_marks(bench, 0, "10 11");
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(mrl_batch__at(bench->decoder.batch, i)->container_lookup.bytes,
                            "runtime_down");
}

static void at_the_end_nothing_waits(void **state)
{
    struct bench *bench = *state;
    struct mrl_event_counts counts = { 0 };

    for (uint64_t i = 0; i < 5; i++)
        call(bench, NEW, i, i);
    mrl_intake__let_go(&bench->intake, INT64_MAX);
    assert_marks(bench, 0, "0 1 2 3 4");
    mrl_intake__add_counts(&bench->intake, MRL_EVENT_MLOCK, &counts);
    assert_int_equal(counts.decoded, 5);
    assert_int_equal(counts.unnamed, 5);
}

static void without_a_wait_they_go_on_at_once(void **state)
{
    struct bench *bench = *state;

    tear_down(state);
    set_up_with(bench, "mlock", 0);
    call(bench, NEW, 0, 10);
    assert_marks(bench, 0, "10");
    assert_int_equal(bench->asked, 1);
}

/* Whoever makes a cgroup says in its name what he likes. */
static void who_only_claims_an_id_does_not_wait(void **state)
{
    struct bench *bench = *state;

    call(bench, CLAIM, 0, 10);
    assert_marks(bench, 0, "10");
    assert_int_equal(bench->asked, 0);
}

/* What waits in a full batch goes on in the next, before anything newer of its container. */
static void a_batch_that_is_full_keeps_their_order(void **state)
{
    struct bench *bench = *state;
    uint64_t seq = 0;

    for (; seq < 10; seq++)
        call(bench, NEW, seq, seq);
    for (; mrl_batch__count(bench->decoder.batch) < MRL_HELD_BATCH_SHARE - 3; seq++)
        call(bench, HOST, seq, 1000);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    assert_true(mrl_intake__let_go(&bench->intake, now()));
    assert_int_equal(mrl_batch__count(bench->decoder.batch), MRL_HELD_BATCH_SHARE);
    assert_int_equal(bench->intake.held.count, 7);
    begin(bench);
    call(bench, NEW, seq++, 10);
    assert_false(mrl_intake__let_go(&bench->intake, now()));
    assert_marks(bench, MRL_HELD_BATCH_SHARE, "3 4 5 6 7 8 9 10");
}

/* However many go on at a time: as long as any do, a quarter of each batch is theirs. */
static void the_host_does_not_wait_for_all_that_waited(void **state)
{
    struct bench *bench = *state;
    unsigned int batches = 0;
    uint64_t seq = 0;
    bool more = true;

    for (; seq < 500; seq++)
        call(bench, NEW, seq, seq);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    for (; more; batches++) {
        begin(bench);
        more = mrl_intake__let_go(&bench->intake, now());
        assert_in_range(mrl_batch__count(bench->decoder.batch), 1, MRL_HELD_BATCH_SHARE);
        assert_true(call(bench, HOST, seq++, 1000));
    }
    assert_int_equal(batches, 500 / MRL_HELD_BATCH_SHARE + 1);
    assert_int_equal(bench->intake.held.count, 0);
}

/* Who is told of one container finds those of it alone; and those that are due, once they are. */
static void who_waits_is_found_after_many_looks(void **state)
{
    struct bench *bench = *state;
    int64_t start = now();

    call(bench, NEW, 0, 10);
    call(bench, OTHER, 1, 11);
    call(bench, NEW, 2, 12);
    for (unsigned int i = 0; i < 3; i++)
        mrl_intake__let_go(&bench->intake, start);
    assert_marks(bench, 0, "");
    tell(bench, "c3", MRL_NAMES_KNOWN);
    for (unsigned int i = 0; i < 3; i++)
        mrl_intake__let_go(&bench->intake, start);
    assert_marks(bench, 0, "11");
    mrl_intake__let_go(&bench->intake, now() + (int64_t)WAIT_NS);
    assert_marks(bench, 0, "11 10 12");
}

static void so_many_wait_and_no_more(void **state)
{
    const unsigned int overdue = MRL_HELD_MAX / MRL_HELD_OVERDUE_SHARE + 1;
    struct bench *bench = *state;
    uint64_t seq = 0;

    while (call(bench, NEW, seq, seq))
        assert_in_range(++seq, 1, MRL_HELD_MAX);
    assert_int_equal(bench->intake.held.count, MRL_HELD_MAX);
    assert_int_equal(bench->intake.held.overdue, overdue);
    mrl_intake__let_go(&bench->intake, now());
    assert_int_equal(mrl_batch__count(bench->decoder.batch), overdue);
    assert_int_equal(mrl_batch__at(bench->decoder.batch, 0)->values[0].unsigned_number, 0);
    begin(bench);
    mrl_intake__let_go(&bench->intake, now());
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 0);
    assert_int_equal(bench->intake.held.count, MRL_HELD_MAX - overdue);
}

static void a_filter_refuses_after_the_wait_and_leaves_no_gap(void **state)
{
    struct bench *bench = *state;
    struct mrl_event_counts counts = { 0 };

    tear_down(state);
    set_up_with(bench, "mlock.data.addr=0x1,0x3", WAIT_NS);
    for (uint64_t i = 0; i < 4; i++)
        call(bench, NEW, i, i);
    call(bench, HOST, 4, 1);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, HOST, 5, 3);
    assert_marks(bench, 0, "1 1 3 3");
    mrl_intake__add_counts(&bench->intake, MRL_EVENT_MLOCK, &counts);
    assert_int_equal(counts.decoded, 4);
    assert_int_equal(counts.filtered_late, 2);
}

static bool is_in(const struct mrl_batch *batch, const void *place)
{
    return (const char *)place >= batch->bytes &&
           (const char *)place < batch->bytes + batch->arena.used;
}

static void assert_named(const struct bench *bench, size_t index)
{
    const struct mrl_event *event = mrl_batch__at(bench->decoder.batch, index);

    assert_int_equal(event->names_result, MRL_NAMES_KNOWN);
    assert_string_equal(event->container_lookup.bytes, "known");
    assert_int_equal(event->named->result, MRL_NAMES_KNOWN);
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        assert_true(is_in(bench->decoder.batch, event->named->texts[i].bytes));
    assert_memory_equal(event->container_name.bytes, "web", 3);
    assert_memory_equal(event->container_image.bytes, "nginx:1", 7);
    assert_memory_equal(event->pod_uid.bytes, "u-1", 3);
}

static const struct mrl_named *named_at(const struct bench *bench, size_t index)
{
    return mrl_batch__at(bench->decoder.batch, index)->named;
}

static void the_events_of_a_container_share_its_names_in_each_batch(void **state)
{
    struct bench *bench = *state;

    tell(bench, "c2", MRL_NAMES_KNOWN);
    tell(bench, "c3", MRL_NAMES_KNOWN);
    for (uint64_t batch = 0; batch < 2; batch++) {
        begin(bench);
        mrl_intake__let_go(&bench->intake, now());
        call(bench, NEW, 4 * batch, 10);
        call(bench, OTHER, 4 * batch + 1, 11);
        call(bench, NEW, 4 * batch + 2, 12);
        call(bench, HOST, 4 * batch + 3, 13);
        for (size_t i = 0; i < 3; i++)
            assert_named(bench, i);
        assert_true(is_in(bench->decoder.batch, named_at(bench, 0)));
        assert_ptr_equal(named_at(bench, 0), named_at(bench, 2));
        assert_ptr_not_equal(named_at(bench, 0), named_at(bench, 1));
        assert_null(named_at(bench, 3));
    }
    assert_int_equal(bench->asked, 0);
}

/* What a refused event held is written over by those behind it. */
static void nobody_shares_the_names_of_an_event_that_was_refused(void **state)
{
    struct bench *bench = *state;
    uint64_t seq = 0;

    tear_down(state);
    set_up_with(bench, "mlock.data.addr=0x1", WAIT_NS);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    for (unsigned int round = 0; round < 8; round++) {
        call(bench, HOST, seq++, 1);
        call(bench, NEW, seq++, 2);
        call(bench, HOST, seq++, 1);
        call(bench, NEW, seq++, 1);
        call(bench, NEW, seq++, 2);
    }
    assert_int_equal(mrl_batch__count(bench->decoder.batch), 24);
    for (size_t i = 2; i < 24; i += 3) {
        assert_named(bench, i);
        assert_ptr_equal(named_at(bench, i), named_at(bench, 2));
    }
}

static void what_changes_within_a_batch_is_seen_by_those_behind(void **state)
{
    struct bench *bench = *state;
    static const char *const words[] = { "queue_full", "pending", "not_found", "known" };

    bench->answer = -EAGAIN;
    call(bench, NEW, 0, 0);
    bench->answer = 0;
    usleep(120 * 1000); /* then somebody is asked again */
    call(bench, NEW, 1, 1);
    mrl_intake__let_go(&bench->intake, now() + (int64_t)WAIT_NS);
    tell(bench, "c2", MRL_NAMES_NOT_FOUND);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, NEW, 2, 2);
    tell(bench, "c2", MRL_NAMES_KNOWN);
    mrl_intake__let_go(&bench->intake, now());
    call(bench, NEW, 3, 3);
    assert_marks(bench, 0, "0 1 2 3");
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_string_equal(mrl_batch__at(bench->decoder.batch, i)->container_lookup.bytes,
                            words[i]);
    assert_named(bench, 3);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(only_the_events_of_that_container_wait),
        test(they_go_on_with_the_answer_in_their_order_and_with_numbers_of_their_place),
        test(names_are_in_the_line),
        test(the_wait_ends),
        test(an_answer_without_names_ends_it_too),
        test(at_the_end_nothing_waits),
        test(without_a_wait_they_go_on_at_once),
        test(who_only_claims_an_id_does_not_wait),
        test(a_batch_that_is_full_keeps_their_order),
        test(so_many_wait_and_no_more),
        test(the_host_does_not_wait_for_all_that_waited),
        test(who_waits_is_found_after_many_looks),
        test(a_filter_refuses_after_the_wait_and_leaves_no_gap),
        test(the_events_of_a_container_share_its_names_in_each_batch),
        test(nobody_shares_the_names_of_an_event_that_was_refused),
        test(what_changes_within_a_batch_is_seen_by_those_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
