// SPDX-License-Identifier: Apache-2.0
/* What a side program says of what it sent, and how much of that is believed. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "side/common/keeper.h"
#include "unit/unit.h"

static int read_sent(struct mrl_sent said, size_t size, struct mrl_sent *sent)
{
    const struct mrl_side_message message = { .head = { .size = (uint32_t)size },
                                              .bytes = (const char *)&said };

    return mrl_side_sent__read(&message, sent);
}

static void what_it_sent_is_told_with_each_pong(void **state)
{
    struct mrl_sent sent = { 0 };

    (void)state;
    assert_int_equal(read_sent((struct mrl_sent){ 0 }, 0, &sent), 0); /* it takes no items */
    assert_int_equal(read_sent((struct mrl_sent){ 2, 9, 1000 }, sizeof(sent), &sent), 0);
    assert_int_equal(sent.retries, 2);
    assert_int_equal(sent.resent, 9);
    assert_int_equal(sent.last_success_ns, 1000);
}

static void what_nobody_can_have_sent_is_refused(void **state)
{
    static const struct mrl_sent wrongs[] = {
        { 4, 20, 0 }, { 5, 19, 0 }, { 30, 29, 0 }, { 5, UINT64_MAX, 0 }
    };
    const struct mrl_sent before = { 5, 20, 77 };
    struct mrl_sent sent = before;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrongs); i++)
        assert_int_equal(read_sent(wrongs[i], sizeof(sent), &sent), -EPROTO);
    assert_int_equal(read_sent(before, sizeof(sent) - 1, &sent), -EPROTO);
    assert_memory_equal(&sent, &before, sizeof(sent));
}

/* It would hide for as long that nothing is taken. */
static void a_success_to_come_is_one_of_now(void **state)
{
    struct mrl_sent sent = { 0 };

    (void)state;
    assert_int_equal(read_sent((struct mrl_sent){ 0, 0, UINT64_MAX }, sizeof(sent), &sent), 0);
    assert_in_range(sent.last_success_ns, 1, mrl_clock__ns(CLOCK_REALTIME));
}

static void what_was_sent_counts_on_over_deaths(void **state)
{
    static struct mrl_sink sink;

    (void)state;
    sink.sent = (struct mrl_sent){ 2, 9, 1000 };
    mrl_keeper__keep_sent(&sink);
    sink.sent = (struct mrl_sent){ 1, 1, 0 };
    mrl_keeper__keep_sent(&sink);
    assert_int_equal(sink.sent_before.retries, 3);
    assert_int_equal(sink.sent_before.resent, 10);
    assert_int_equal(sink.sent_before.last_success_ns, 1000);
    assert_int_equal(sink.sent.resent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_sent_is_told_with_each_pong),
        cmocka_unit_test(what_nobody_can_have_sent_is_refused),
        cmocka_unit_test(a_success_to_come_is_one_of_now),
        cmocka_unit_test(what_was_sent_counts_on_over_deaths),
    };

    return cmocka_run_group_tests_name("what side programs sent", tests, NULL, NULL);
}
