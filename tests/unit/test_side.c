// SPDX-License-Identifier: Apache-2.0
/* The main process's end of a side program, held against programs that break the rules. */
#include <errno.h>
#include <mrelease/side.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "unit/unit.h"

enum { ITEMS = 3, ITEM_BYTES = 4, WAIT_MS = 20000 };

#ifdef MRL_SANITIZED
enum { PATIENCE = 10 };
#else
enum { PATIENCE = 1 };
#endif

static const uint32_t sizes[ITEMS] = { ITEM_BYTES, ITEM_BYTES, ITEM_BYTES };

/* -- a sink whose side program is tests/unit/side_peer.c -------------------------------------- */

struct side {
    struct mrl_sides *sides;
    const struct mrl_sink_ops *ops;
    struct mrl_sink *sink;
    struct mrl_error error;
    atomic_uint deaths, lines, said, left_out, wishes, refused, looks, awaited;
    char why[128]; /* of the last death */
};

static void on_line(void *context, enum mrl_log_level level, const char *text)
{
    struct side *side = context;

    unsigned int left_out = 0;

    (void)level;
    atomic_fetch_add(&side->lines, 1);
    if (!strcmp(text, "la"))
        atomic_fetch_add(&side->said, 1);
    if (sscanf(text, "%*[a-z]: %u more lines", &left_out) == 1)
        atomic_fetch_add(&side->left_out, left_out);
}

static int on_wish(void *context, const struct mrl_wish *wish, struct mrl_error *error)
{
    struct side *side = context;

    (void)wish;
    (void)error;
    atomic_fetch_add(&side->wishes, 1);
    return 0;
}

static void on_wished(void *context, const struct mrl_wish *wish, int err, const char *why)
{
    struct side *side = context;

    (void)why;
    if (err == -EACCES && wish->by_uid == MRL_NOBODY)
        atomic_fetch_add(&side->refused, 1);
}

static void on_death(void *context, const char *detail)
{
    struct side *side = context;

    snprintf(side->why, sizeof(side->why), "%s", detail);
    atomic_fetch_add(&side->deaths, 1);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* As the program does for a client: it looks at all side programs, and takes its time. */
static int on_metrics(void *context, struct mrl_metrics **ret_metrics)
{
    struct side *side = context;
    struct mrl_side_life life;

    (void)ret_metrics;
    if (!atomic_fetch_add(&side->looks, 1))
        pause_ms(200);
    mrl_sides__lives(side->sides, &life, 1);
    return -ENODEV;
}

static const struct mrl_sink_ops *row_of_side(void)
{
    unsigned int count;
    const struct mrl_sink_ops *const *all = mrl_sink__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (all[i]->side)
            return all[i];
    return NULL;
}

/* Starts the program, and does not wait for it. Returns what the sink's open() does. */
static int start(struct side *side, const char *manner)
{
    const struct mrl_sides_options options = { .size = sizeof(options),
                                               .directory = MRL_TEST_SIDES,
                                               .log = on_line,
                                               .fulfil = on_wish,
                                               .wished = on_wished,
                                               .metrics = on_metrics,
                                               .died = on_death,
                                               .context = side };
    struct mrl_sink_target target = { .format = "grpc" };
    char destination[96];

    snprintf(destination, sizeof(destination), "unix:/tmp/mrelease-test-side-%d.%s", (int)getpid(),
             manner);
    *side = (struct side){ .sides = NULL };
    assert_int_equal(mrl_sides__start(&options, &side->error, &side->sides), 0);
    side->ops = mrl_sides__sink(side->sides, row_of_side());
    target.destination = destination;
    target.sides = side->sides;
    target.ops = side->ops;
    return side->ops->open(&target, &side->error, &side->sink);
}

/* Returns what the sink's open() does, and its program's. */
static int begin(struct side *side, const char *manner)
{
    int err = start(side, manner);

    if (!err)
        err = mrl_sides__await(side->sides, &side->error);
    mrl_sides__ready(side->sides);
    return err;
}

static void end(struct side *side)
{
    if (side->sink)
        side->ops->close(side->sink);
    mrl_sides__free(side->sides);
}

/* Three items. Returns what write() does. */
static int feed(struct side *side, size_t *ret_taken)
{
    const struct mrl_chunk chunk = {
        "one\ntwo\nsix\n", ITEMS * ITEM_BYTES, ITEMS, NULL, sizes, NULL
    };

    return side->ops->write(side->sink, &chunk, ret_taken);
}

static bool await_deaths(struct side *side, unsigned int count)
{
    const struct timespec step = { .tv_nsec = 5000000 };

    for (int waited = 0; atomic_load(&side->deaths) < count; waited += 5) {
        if (waited >= WAIT_MS)
            return false;
        nanosleep(&step, NULL);
    }
    return true;
}

/* -- tests ------------------------------------------------------------------------------------ */

static void what_the_program_took_was_written(void **state)
{
    struct side side;
    size_t taken = 0;

    (void)state;
    assert_int_equal(begin(&side, "good"), 0);
    assert_int_equal(feed(&side, &taken), 0);
    assert_int_equal(feed(&side, &taken), 0);
    end(&side);
    assert_int_equal(atomic_load(&side.deaths), 0);
}

static void a_large_chunk_goes_in_several_messages(void **state)
{
    enum { COUNT = 512, BYTES = 256 };
    static char bytes[COUNT * BYTES];
    static uint32_t all[COUNT];
    const struct mrl_chunk chunk = { bytes, sizeof(bytes), COUNT, NULL, all, NULL };
    struct side side;
    size_t taken = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        all[i] = BYTES;
    assert_int_equal(begin(&side, "good"), 0);
    assert_int_equal(side.ops->write(side.sink, &chunk, &taken), 0);
    assert_int_equal(taken, COUNT);
    end(&side);
}

static void what_the_program_refused_is_told_item_by_item(void **state)
{
    struct side side;
    size_t taken = 0;

    (void)state;
    assert_int_equal(begin(&side, "refuses"), 0);
    assert_int_equal(feed(&side, &taken), -EIO);
    assert_int_equal(taken, 1);
    end(&side);
    assert_int_equal(atomic_load(&side.deaths), 0);
}

static void a_program_that_cannot_open_says_why(void **state)
{
    struct side side;

    (void)state;
    assert_int_equal(begin(&side, "no-open"), -EACCES);
    assert_string_equal(side.error.text, "it will not");
    end(&side);
    assert_true(begin(&side, "exits") < 0);
    assert_non_null(strstr(side.error.text, "why=exit 4; by=itself"));
    end(&side);
    assert_true(begin(&side, "aborts") < 0);
    assert_non_null(strstr(side.error.text, "why=signal 6; by=itself"));
    end(&side);
    assert_true(begin(&side, "breaks-early") < 0);
    assert_non_null(strstr(side.error.text, "why=rules; by=sensor"));
    end(&side);
}

/* It has not even read what it shall open. What it says to its standard error goes where ours
 * goes. */
static void one_that_ends_at_once_is_heard(void **state)
{
    int own = dup(STDERR_FILENO), file = memfd_create("words", MFD_CLOEXEC);
    char words[64] = "";
    struct side side;

    (void)state;
    assert_true(own >= 0 && file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
    assert_int_equal(start(&side, "unread"), 0);
    dup2(own, STDERR_FILENO);
    pause_ms(300 * PATIENCE); /* it has gone */
    assert_true(mrl_sides__await(side.sides, &side.error) < 0);
    assert_non_null(strstr(side.error.text, "why=exit 9; by=itself"));
    assert_int_equal(atomic_load(&side.said), 1);
    assert_true(pread(file, words, sizeof(words) - 1, 0) > 0);
    assert_string_equal(words, "# its last words\n");
    close(file);
    close(own);
    end(&side);
}

/* Meanwhile probes are loaded: the program has waited for us. */
static void one_that_is_awaited_late_is_open(void **state)
{
    struct side side;

    (void)state;
    assert_int_equal(start(&side, "good"), 0);
    mrl_sides__hurry(side.sides); /* so that it has less than two seconds */
    pause_ms(2000 * PATIENCE);
    assert_int_equal(mrl_sides__await(side.sides, &side.error), 0);
    end(&side);
}

static void one_that_never_opens_is_ended(void **state)
{
    struct side side;

    (void)state;
    assert_int_equal(start(&side, "opens-late"), 0);
    mrl_sides__hurry(side.sides);
    assert_true(mrl_sides__await(side.sides, &side.error) < 0);
    assert_non_null(strstr(side.error.text, "why=hang; by=sensor"));
    end(&side);
}

static void one_that_breaks_a_rule_is_ended(void **state)
{
    static const char *const manners[] = { "more",      "fewer",      "never-sent", "twice",
                                           "sizes",     "positive",   "type",       "own-type",
                                           "torn",      "size-lies",  "reopened",   "ended",
                                           "asks-what", "asks-event", "err-lies",   "pongs" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        struct side side;
        size_t taken = 0;

        assert_int_equal(begin(&side, manners[i]), 0);
        feed(&side, &taken);
        if (!await_deaths(&side, 1))
            fail_case("%s: goes on", manners[i]);
        if (!strstr(side.why, "why=rules"))
            fail_case("%s: %s", manners[i], side.why);
        end(&side);
    }
}

/* It runs as root here, as the peer that it claims to be would. */
static void one_that_claims_to_be_somebody_is_not_believed(void **state)
{
    const struct timespec step = { .tv_nsec = 5000000 };
    struct side side;
    size_t taken = 0;

    (void)state;
    assert_int_equal(begin(&side, "claims"), 0);
    assert_int_equal(feed(&side, &taken), 0);
    for (int waited = 0; atomic_load(&side.refused) < 2 && waited < WAIT_MS; waited += 5)
        nanosleep(&step, NULL);
    assert_int_equal(atomic_load(&side.refused), 2);
    assert_int_equal(atomic_load(&side.wishes), 0);
    end(&side);
}

static void one_that_dies_is_started_again(void **state)
{
    struct side side;
    size_t taken = 0;
    int64_t started;

    (void)state;
    assert_int_equal(begin(&side, "dies"), 0);
    assert_int_equal(feed(&side, &taken), -ENOLINK);
    assert_int_equal(taken, 0);
    assert_true(await_deaths(&side, 1));
    started = mrl_clock__ns(CLOCK_MONOTONIC);
    /* It lives again, for it dies again. */
    while (atomic_load(&side.deaths) < 2)
        feed(&side, &taken);
    assert_true(mrl_clock__ns(CLOCK_MONOTONIC) - started < INT64_C(1000000000) * 5);
    assert_non_null(strstr(side.why, "why=exit 1; by=itself"));
    end(&side);
}

static void one_that_hangs_is_ended(void **state)
{
    struct side side;
    size_t taken = 0;
    int64_t started = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)state;
    assert_int_equal(begin(&side, "hangs"), 0);
    assert_int_equal(feed(&side, &taken), -ENOLINK);
    assert_true(await_deaths(&side, 1));
    assert_non_null(strstr(side.why, "why=hang; by=sensor"));
#ifndef MRL_SANITIZED
    assert_true(mrl_clock__ns(CLOCK_MONOTONIC) - started < INT64_C(6000000000));
#endif
    (void)started;
    end(&side);
}

static void a_flood_of_requests_or_lines_costs_little(void **state)
{
    struct side side;
    size_t taken = 0;

    (void)state;
    assert_int_equal(begin(&side, "asks"), 0);
    assert_int_equal(feed(&side, &taken), 0);
    assert_int_equal(taken, ITEMS);
    end(&side);
    assert_int_equal(atomic_load(&side.refused), 1);   /* a wish has its turn: it was judged */
    assert_in_range(atomic_load(&side.looks), 1, 899); /* of 900 that asked at once */
    assert_int_equal(begin(&side, "babbles"), 0);
    assert_int_equal(feed(&side, &taken), 0);
    end(&side);
    assert_int_equal(atomic_load(&side.deaths), 0);
    /* Of each second, and how many were left out. */
    assert_in_range(atomic_load(&side.lines), 11, 45);
    assert_int_equal(atomic_load(&side.left_out) + atomic_load(&side.said), 900);
}

static double used_s(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void one_that_never_stops_talking_is_ended(void **state)
{
    static const char *const manners[] = { "talks", "metrics" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(manners); i++) {
        double before = used_s();
        struct side side;

        assert_int_equal(begin(&side, manners[i]), 0);
        /* Requests are answered: on a busy machine one that waits for its answers may not come to
         * talk so much, and then it must have cost little. */
        if (!await_deaths(&side, 1) && !await_deaths(&side, 1)) {
            if (!i || used_s() - before > PATIENCE)
                fail_case("%s: goes on, for %.1f s of a CPU", manners[i], used_s() - before);
            end(&side);
            continue;
        }
        if (!strstr(side.why, "why=talks; by=sensor"))
            fail_case("%s: %s", manners[i], side.why);
        end(&side);
        if (used_s() - before > 1.5 * PATIENCE)
            fail_case("%s: %.1f s of a CPU", manners[i], used_s() - before);
    }
}

/* Or both would wait for each other: the alarm ends that. */
static void who_answers_about_all_of_them_is_not_waited_for_with_their_lock(void **state)
{
    struct side side;

    (void)state;
    assert_int_equal(begin(&side, "metrics"), 0);
    alarm(WAIT_MS / 1000);
    while (!atomic_load(&side.looks))
        pause_ms(1);
    mrl_sides__rest(side.sides);
    alarm(0);
    mrl_sides__ready(side.sides);
    end(&side);
}

static void *await_all(void *context)
{
    struct side *side = context;

    mrl_sides__await(side->sides, &side->error);
    atomic_store(&side->awaited, 1);
    return NULL;
}

/* As while a reload opens a destination that hangs. */
static void who_asks_about_all_of_them_waits_for_none_that_opens(void **state)
{
    struct mrl_side_life life;
    struct side side;
    pthread_t thread;

    (void)state;
    assert_int_equal(start(&side, "opens-late"), 0);
    mrl_sides__hurry(side.sides); /* it has two seconds */
    assert_int_equal(pthread_create(&thread, NULL, await_all, &side), 0);
    pause_ms(100);
    assert_int_equal(mrl_sides__lives(side.sides, &life, 1), 1);
    pause_ms(200); /* who had waited for it would be back by now, and so would that thread */
    assert_int_equal(atomic_load(&side.awaited), 0);
    pthread_join(thread, NULL);
    end(&side);
}

static void the_end_waits_for_no_program(void **state)
{
    struct side side;
    size_t taken = 0;
    int64_t started;

    (void)state;
    assert_int_equal(begin(&side, "hangs"), 0);
    started = mrl_clock__ns(CLOCK_MONOTONIC);
    mrl_sides__hurry(side.sides);
    assert_true(feed(&side, &taken) < 0);
    end(&side);
#ifndef MRL_SANITIZED
    assert_true(mrl_clock__ns(CLOCK_MONOTONIC) - started < INT64_C(2000000000));
#endif
    (void)started;
}

#define test(function) cmocka_unit_test(function)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_the_program_took_was_written),
        test(a_large_chunk_goes_in_several_messages),
        test(what_the_program_refused_is_told_item_by_item),
        test(a_program_that_cannot_open_says_why),
        test(one_that_ends_at_once_is_heard),
        test(one_that_is_awaited_late_is_open),
        test(one_that_never_opens_is_ended),
        test(one_that_breaks_a_rule_is_ended),
        test(one_that_claims_to_be_somebody_is_not_believed),
        test(one_that_dies_is_started_again),
        test(one_that_hangs_is_ended),
        test(a_flood_of_requests_or_lines_costs_little),
        test(one_that_never_stops_talking_is_ended),
        test(who_answers_about_all_of_them_is_not_waited_for_with_their_lock),
        test(who_asks_about_all_of_them_waits_for_none_that_opens),
        test(the_end_waits_for_no_program),
    };

    return cmocka_run_group_tests_name("side", tests, NULL, NULL);
}
