// SPDX-License-Identifier: Apache-2.0
/* The list of records that wait: how many bytes it holds, and what is counted of those that left.
 */
#include "read/held.h"
#include "unit/unit.h"

struct bench {
    struct mrl_held held;
    struct mrl_known_name *owner;
};

static int ask(void *context, const char *id, enum mrl_runtime hint)
{
    (void)context;
    (void)id;
    (void)hint;
    return 0;
}

static int set_up(void **state)
{
    static struct bench bench;
    const struct mrl_names_asking asking = { ask, NULL };
    const struct mrl_membership container = { .id = { "c1", 2 }, .lookup = MRL_LOOKUP_KNOWN };

    bench = (struct bench){ .held = { .wait_ns = 50000000 } };
    assert_int_equal(mrl_known_names__new(&asking, &bench.held.names), 0);
    bench.owner = mrl_held__owner(&bench.held, &container);
    assert_non_null(bench.owner);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    mrl_held__done(&bench->held);
    mrl_known_names__free(bench->held.names);
    return 0;
}

static void so_many_bytes_wait_and_no_more(void **state)
{
    static const char record[MRL_RECORD_BYTES_MAX];
    struct bench *bench = *state;
    struct mrl_held *held = &bench->held;

    while (mrl_held__put(held, bench->owner, record, sizeof(record)) == 1)
        assert_in_range(held->count, 1, MRL_HELD_MAX - 1);
    assert_in_range(held->bytes, MRL_HELD_BYTES - 2 * sizeof(record), MRL_HELD_BYTES);
    assert_int_equal(held->overdue, held->count / MRL_HELD_OVERDUE_SHARE + 1);
    while (held->list)
        mrl_held__remove(held, held->list, held->list->since_ns);
    assert_int_equal(held->bytes, 0);
}

/* The shortest and the longest of each. */
static void waits_are_counted_by_their_length(void **state)
{
    static const int64_t bounds_ms[] = { 0, 1, 2, 5, 10, 20, 50, 1000 };
    struct bench *bench = *state;
    struct mrl_held *held = &bench->held;
    unsigned long long sum = 0;

    for (unsigned int i = 1; i < COUNT_OF(bounds_ms); i++) {
        const int64_t waits_ns[] = { bounds_ms[i - 1] * 1000000 + 1, bounds_ms[i] * 1000000 };

        for (size_t j = 0; j < COUNT_OF(waits_ns); j++) {
            assert_int_equal(mrl_held__put(held, bench->owner, "x", 1), 1);
            mrl_held__remove(held, held->list, held->list->since_ns + waits_ns[j]);
            sum += (unsigned long long)waits_ns[j];
        }
        assert_int_equal(held->waits[i - 1], 2);
    }
    assert_int_equal(held->waited_ns, sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(so_many_bytes_wait_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_are_counted_by_their_length, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("held_list", tests, NULL, NULL);
}
