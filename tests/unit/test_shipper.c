// SPDX-License-Identifier: Apache-2.0
/* The shipper before a sink that says what it is told to. */
#include <errno.h>
#include <mrelease/sink.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "side/ship/shipper.h"
#include "unit/unit.h"

enum { ITEMS = 10, TOO_LARGE = 3 };

/* What it does, and what it has seen. */
struct mrl_sink {
    size_t most;         /* items that it takes at once; 0: any number */
    const char *refused; /* a byte of an item that it refuses */
    const char *large;   /* of one that is too large alone */
    unsigned int down;   /* so many requests fail first */
    long slow_ms;        /* that each takes; and nobody pauses behind it */
    bool is_shut;        /* to what it is shown, until files are read so many times */
    unsigned int renewals;
    char asked[16];
    char taken[64];
    size_t count;
    unsigned int requests;
    char ahead[64]; /* of each request, what came next, and a blank */
};

static struct mrl_shipper shipper;

static void deliver(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    const struct timespec slow = { .tv_nsec = sink->slow_ms * 1000000 };

    nanosleep(&slow, NULL);
    if (sink->slow_ms)
        shipper.hurries = 1;
    for (size_t i = 0; i < items->ahead_count; i++)
        strncat(sink->ahead, items->ahead[i].bytes, 1);
    strcat(sink->ahead, " ");
    sink->requests++;
    assert_in_range(sink->requests, 1, 100);
    if (sink->down && sink->down--)
        return;
    if (sink->is_shut) {
        mrl_delivery__judge_all(delivery, 0, items->count, MRL_VERDICT_MISCONFIGURED, "shut");
        return;
    }
    if ((sink->most && items->count > sink->most) ||
        (sink->large && items->items[0].bytes[0] == *sink->large)) {
        delivery->halve = true;
        return;
    }
    for (size_t i = 0; i < items->count; i++) {
        char byte = items->items[i].bytes[0];

        if (sink->large && byte == *sink->large)
            return; /* and what is behind it is not known */
        if (sink->refused && strchr(sink->refused, byte)) {
            mrl_delivery__judge(delivery, i, MRL_VERDICT_REFUSED, "it is %c", byte);
            continue;
        }
        mrl_delivery__judge(delivery, i, MRL_VERDICT_TAKEN, NULL);
        sink->taken[sink->count++] = byte;
    }
}

static char reasons[1024];

static void note_refused(void *context, const struct mrl_item *item, const char *reason)
{
    (void)context;
    (void)item;
    strcat(strcat(reasons, reason), ";");
}

/* What is down is not there either. */
static int look(struct mrl_sink *sink, const int *stop, struct mrl_error *error)
{
    (void)stop;
    return sink->down ? mrl_error__set(error, -EHOSTUNREACH, "nobody") : 0;
}

static struct mrl_sink_ops ops = { .name = "scripted", .deliver = deliver, .look = look };

static uint64_t give_up_ns;
static struct mrl_item next = { .bytes = "x", .size = 1 };

/* Delivers "0123456789"; returns what was refused, as text. */
static const char *ship(struct mrl_sink *sink)
{
    static char text[ITEMS + 1];
    static const char bytes[] = "0123456789";
    struct mrl_item items[ITEMS];
    uint8_t dealt[ITEMS], refused[ITEMS];
    size_t used = 0;

    memset(&shipper, 0, sizeof(shipper));
    shipper.ops = &ops;
    shipper.sink = sink;
    shipper.refused = note_refused;
    shipper.give_up_ns = give_up_ns;
    shipper.ahead = &next;
    shipper.ahead_count = 1;
    *reasons = '\0';
    for (size_t i = 0; i < ITEMS; i++)
        items[i] = (struct mrl_item){ .bytes = bytes + i, .size = 1 };
    assert_int_equal(mrl_shipper__deliver(&shipper, items, ITEMS, dealt, refused), 0);
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(dealt[i], 1);
        if (refused[i])
            text[used++] = bytes[i];
    }
    text[used] = '\0';
    return text;
}

static void all_is_taken_at_once_and_in_order(void **state)
{
    struct mrl_sink sink = { .most = 0 };

    (void)state;
    assert_string_equal(ship(&sink), "");
    assert_string_equal(sink.taken, "0123456789");
    assert_int_equal(sink.requests, 1);
}

static void what_comes_next_is_known_unless_something_failed(void **state)
{
    struct mrl_sink well = { .most = 0 }, four = { .most = 0 };
    struct mrl_sink down = { .down = 1 }, small = { .most = TOO_LARGE };

    (void)state;
    ship(&well);
    assert_string_equal(well.ahead, "x ");
    ops.request_items = 4;
    ship(&four);
    ops.request_items = 0;
    assert_string_equal(four.ahead, "456789 89 x ");
    ship(&down);
    assert_string_equal(down.ahead, "x  ");
    ship(&small);
    assert_int_equal(strspn(small.ahead + strlen("x"), " "), small.requests);
}

static void what_is_refused_holds_nobody_up(void **state)
{
    struct mrl_sink sink = { .refused = "37" };

    (void)state;
    assert_string_equal(ship(&sink), "37");
    assert_string_equal(sink.taken, "01245689");
    assert_string_equal(reasons, "it is 3;it is 7;");
    assert_int_equal(sink.requests, 1);
}

static void what_is_too_large_is_halved(void **state)
{
    struct mrl_sink sink = { .most = TOO_LARGE };

    (void)state;
    assert_string_equal(ship(&sink), "");
    assert_string_equal(sink.taken, "0123456789");
}

static void one_that_is_too_large_alone_is_refused(void **state)
{
    struct mrl_sink sink = { .large = "0" };

    (void)state;
    assert_string_equal(ship(&sink), "0");
    assert_string_equal(sink.taken, "123456789");
}

static void a_destination_that_was_down_gets_all(void **state)
{
    struct mrl_sink sink = { .down = 2 };

    (void)state;
    assert_string_equal(ship(&sink), "");
    assert_string_equal(sink.taken, "0123456789");
    assert_int_equal(sink.requests, 3);
}

static void assert_sent(uint64_t retries, uint64_t resent)
{
    struct mrl_sent sent;

    mrl_shipper__sent(&shipper, &sent);
    assert_int_equal(sent.retries, retries);
    assert_int_equal(sent.resent, resent);
    assert_in_range(sent.last_success_ns, mrl_clock__ns(CLOCK_REALTIME) - 10000000000,
                    mrl_clock__ns(CLOCK_REALTIME));
}

static void what_is_sent_again_is_counted(void **state)
{
    struct mrl_sink down = { .down = 2 }, small = { .most = TOO_LARGE }, well = { .most = 0 };

    (void)state;
    ship(&well);
    assert_sent(0, 0);
    ship(&down);
    assert_sent(2, 2 * ITEMS);
    ship(&small); /* it grows after each that was taken: behind 10 come 5, 3, 6, 3, 4, 2, 2 */
    assert_sent(7, 5 + 3 + 6 + 3 + 4 + 2 + 2);
}

static void note_line(enum mrl_log_level level, const char *text)
{
    (void)level;
    strcat(strcat(reasons, text), ";");
}

/* Once: what fails in the same way later is known already. */
static void a_destination_that_is_not_there_is_told_at_once(void **state)
{
    struct mrl_sink sink = { .down = 2 };
    struct mrl_item item = { .bytes = "0", .size = 1 };
    uint8_t dealt, refused;

    (void)state;
    memset(&shipper, 0, sizeof(shipper));
    shipper.ops = &ops;
    shipper.sink = &sink;
    shipper.log = note_line;
    *reasons = '\0';
    mrl_shipper__look(&shipper);
    assert_string_equal(reasons, "scripted: nobody: nothing can be delivered there; tried again "
                                 "until it works;");
    assert_int_equal(mrl_shipper__deliver(&shipper, &item, 1, &dealt, &refused), 0);
    assert_non_null(strstr(reasons, "until it works;scripted: works again;"));
    *reasons = '\0';
    mrl_shipper__look(&shipper);
    assert_string_equal(reasons, "");
}

static void what_was_tried_for_long_is_given_up(void **state)
{
    struct mrl_sink sink = { .down = 40, .slow_ms = 300 };

    (void)state;
    give_up_ns = 1000000000;
    assert_string_equal(ship(&sink), "0123456789");
    give_up_ns = 0;
    assert_non_null(strstr(reasons, "given up after 1 s: no reason was given;"));
    assert_in_range(sink.requests, 2, 4);
}

/* It is told of the files before each request, and asks for new ones when it has to; where these
 * are right, nobody waits. */
static void renew(void *context, bool failing)
{
    struct mrl_sink *sink = context;

    strcat(sink->asked, failing ? "!" : ".");
    if (failing && !--sink->renewals)
        sink->is_shut = false;
}

static void files_are_read_again_before_it_waits(void **state)
{
    struct mrl_sink sink = { .is_shut = true, .renewals = 1 };
    struct mrl_item item = { .bytes = "0", .size = 1 };
    uint8_t dealt, refused;
    int64_t began_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)state;
    memset(&shipper, 0, sizeof(shipper));
    shipper.ops = &ops;
    shipper.sink = shipper.context = &sink;
    shipper.renew = renew;
    shipper.seed = 7;
    assert_int_equal(mrl_shipper__deliver(&shipper, &item, 1, &dealt, &refused), 0);
    assert_string_equal(sink.asked, ".!");
    assert_true(mrl_clock__ns(CLOCK_MONOTONIC) - began_ns < INT64_C(1000000000));
    assert_int_equal(mrl_shipper__deliver(&shipper, &item, 1, &dealt, &refused), 0);
    assert_string_equal(sink.asked, ".!.");
}

/* A second time it waits; what somebody sends meanwhile ends that. */
static void new_files_end_a_pause(void **state)
{
    struct mrl_sink sink = { .is_shut = true, .renewals = 2 };
    struct mrl_item item = { .bytes = "0", .size = 1 };
    uint8_t dealt, refused;
    int64_t began_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)state;
    memset(&shipper, 0, sizeof(shipper));
    shipper.ops = &ops;
    shipper.sink = shipper.context = &sink;
    shipper.renew = renew;
    shipper.seed = 7;
    shipper.hurries = 1;
    assert_int_equal(mrl_shipper__deliver(&shipper, &item, 1, &dealt, &refused), 0);
    assert_string_equal(sink.asked, ".!!");
    assert_true(mrl_clock__ns(CLOCK_MONOTONIC) - began_ns < INT64_C(1000000000));
}

static void pauses_grow_vary_and_are_bounded(void **state)
{
    uint64_t seed = 7, most = 0, least = UINT64_MAX;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t pause_ms = mrl_shipper__pause_ms(3, 0, &seed);

        most = pause_ms > most ? pause_ms : most;
        least = pause_ms < least ? pause_ms : least;
        assert_in_range(mrl_shipper__pause_ms(40, 0, &seed), 0, 60000);
    }
    assert_in_range(least, 0, 100);
    assert_in_range(most, 700, 800);
    assert_in_range(mrl_shipper__pause_ms(0, 5000, &seed), 5000, 5000);
    assert_in_range(mrl_shipper__pause_ms(0, UINT32_MAX, &seed), 600000, 600000);
}

static void a_stop_ends_it(void **state)
{
    const int stop = 1;
    struct mrl_sink sink = { .most = 0 };
    struct mrl_item item = { .bytes = "0", .size = 1 };
    uint8_t dealt, refused;

    (void)state;
    memset(&shipper, 0, sizeof(shipper));
    shipper.ops = &ops;
    shipper.sink = &sink;
    shipper.stop = &stop;
    assert_int_equal(mrl_shipper__deliver(&shipper, &item, 1, &dealt, &refused), -ECANCELED);
    assert_int_equal(dealt, 0);
    assert_int_equal(sink.requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_taken_at_once_and_in_order),
        cmocka_unit_test(what_comes_next_is_known_unless_something_failed),
        cmocka_unit_test(what_is_refused_holds_nobody_up),
        cmocka_unit_test(what_is_too_large_is_halved),
        cmocka_unit_test(one_that_is_too_large_alone_is_refused),
        cmocka_unit_test(a_destination_that_was_down_gets_all),
        cmocka_unit_test(what_is_sent_again_is_counted),
        cmocka_unit_test(a_destination_that_is_not_there_is_told_at_once),
        cmocka_unit_test(what_was_tried_for_long_is_given_up),
        cmocka_unit_test(files_are_read_again_before_it_waits),
        cmocka_unit_test(new_files_end_a_pause),
        cmocka_unit_test(pauses_grow_vary_and_are_bounded),
        cmocka_unit_test(a_stop_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
