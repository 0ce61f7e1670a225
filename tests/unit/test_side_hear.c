// SPDX-License-Identifier: Apache-2.0
/* What a keeper hears in one look at its side program. */
#include <unistd.h>

#include <sys/socket.h>

#include "side/common/keeper.h"
#include "unit/unit.h"

static struct mrl_sides sides;
static struct mrl_sink sink;
static const struct mrl_sink_ops row = { .side = "peer" };
static unsigned int lines;

static void count_line(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
    lines++;
}

/* A program that says that it is open, and a word more, and ends. */
static void have_a_program_that_dies(bool is_ready)
{
    int pair[2];

    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    sides = (struct mrl_sides){ .options.log = count_line, .ready = is_ready };
    sink = (struct mrl_sink){
        .sides = &sides, .row = &row, .socket = pair[0], .state = MRL_SIDE_OPENING, .lives = 2
    };
    pthread_mutex_init(&sink.lock, NULL);
    pthread_cond_init(&sink.changed, NULL);
    lines = 0;
    assert_int_equal(
        mrl_side_message__say(pair[1], (struct mrl_side_head){ .type = MRL_SIDE_OPENED }, ""), 0);
    assert_int_equal(
        mrl_side_message__say(
            pair[1], (struct mrl_side_head){ .type = MRL_SIDE_LOG, .err = MRL_LOG_WARNING }, "why"),
        0);
    close(pair[1]);
}

static void leave(void)
{
    pthread_cond_destroy(&sink.changed);
    pthread_mutex_destroy(&sink.lock);
    close(sink.socket);
}

/* The keeper does not look again at one that it knows to be dead. */
static void the_last_words_of_one_that_dies_once_open_are_heard(void **state)
{
    (void)state;
    have_a_program_that_dies(true);
    assert_false(mrl_keeper__hear(&sink));
    assert_int_equal(sink.state, MRL_SIDE_UP);
    assert_int_equal(lines, 1);
    leave();
}

static void before_the_run_is_ready_what_follows_the_opening_waits(void **state)
{
    (void)state;
    have_a_program_that_dies(false);
    assert_true(mrl_keeper__hear(&sink));
    assert_int_equal(sink.state, MRL_SIDE_UP);
    assert_int_equal(lines, 0);
    assert_false(mrl_keeper__hear(&sink));
    assert_int_equal(lines, 1);
    leave();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_words_of_one_that_dies_once_open_are_heard),
        cmocka_unit_test(before_the_run_is_ready_what_follows_the_opening_waits),
    };

    return cmocka_run_group_tests_name("what a keeper hears", tests, NULL, NULL);
}
