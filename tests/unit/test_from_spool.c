// SPDX-License-Identifier: Apache-2.0
/* What ships a spool: in the place of the main process stands the spool itself, and in that of the
 * disk one whose reads fail when they are told to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "side/ship/ship.h"
#include "unit/spools.h"
#include "unit/unit.h"

enum { BATCH = MRL_SHIP_ITEMS };

/* What is delivered to. */
struct mrl_sink {
    uint64_t taken, last; /* number of the item that came last */
    uint64_t stop_at;     /* so many are taken, and it is stopped; 0: it is not */
};

static struct mrl_ship ship;
static struct mrl_sink *sink; /* shared with children */
static struct test_spools *spools;
static struct {
    uint64_t told[MRL_SPOOL_EVENTS]; /* as missing, of each event */
    uint64_t fails_at;               /* reads from there on fail; 0: none does */
    unsigned int late;               /* so many answers come too late for who asks */
} main_process;

/* -- in the place of others ------------------------------------------------------------------- */

int __wrap_mrl_side__ask(const struct mrl_side_request *request,
                         int connection,
                         struct mrl_side_answer *ret_answer,
                         struct mrl_error *error);
void __wrap_mrl_side__log(enum mrl_log_level level, const char *text);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t at);

static int grant(const struct mrl_side_request *request, struct mrl_side_answer *ret_answer)
{
    struct mrl_spool_grant granted;
    struct mrl_side_segment segment;
    int err = mrl_spool__grant(spools->test.spool, request->number, request->place, &granted);

    if (err) {
        ship.stop = 1; /* all is shipped */
        return err;
    }
    if (main_process.late) {
        main_process.late--;
        if (granted.fd >= 0)
            close(granted.fd);
        return -ETIMEDOUT;
    }
    segment = (struct mrl_side_segment){ granted.number, granted.end, granted.is_last, 0 };
    *ret_answer = (struct mrl_side_answer){ malloc(sizeof(segment)), sizeof(segment), granted.fd };
    memcpy(ret_answer->bytes, &segment, sizeof(segment));
    return 0;
}

/* Of what is missing nothing is to be delivered. */
int __wrap_mrl_side__ask(const struct mrl_side_request *request,
                         int connection,
                         struct mrl_side_answer *ret_answer,
                         struct mrl_error *error)
{
    (void)connection;
    (void)error;
    if (request->asked == MRL_SIDE_SEGMENT)
        return grant(request, ret_answer);
    main_process.told[request->argument & 0xffff] += request->number;
    *ret_answer = (struct mrl_side_answer){ calloc(1, 1), 0, -1 };
    return 0;
}

void __wrap_mrl_side__log(enum mrl_log_level level, const char *text)
{
    (void)level;
    print_message("%s\n", text);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at)
{
    if (main_process.fails_at && (uint64_t)at >= main_process.fails_at) {
        errno = EIO;
        return -1;
    }
    return __real_pread(fd, bytes, size, at);
}

static void deliver(struct mrl_sink *it,
                    const struct mrl_items *items,
                    struct mrl_delivery *delivery)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct mrl_item_head *head = &items->items[i].head;

        if (it->stop_at && it->taken == it->stop_at) {
            ship.stop = 1;
            mrl_delivery__judge(delivery, i, MRL_VERDICT_AGAIN, "it ends");
            continue;
        }
        if (it->taken)
            assert_true(head->number > it->last);
        it->last = head->number;
        it->taken++;
        mrl_delivery__judge(delivery, i, MRL_VERDICT_TAKEN, NULL);
    }
}

/* -- the tests -------------------------------------------------------------------------------- */

static const struct mrl_sink_ops ops = { .name = "test", .deliver = deliver };

static int set_up(void **state)
{
    int err = test_spools__set_up(state);

    spools = *state;
    memset(&main_process, 0, sizeof(main_process));
    sink = mmap(NULL, sizeof(*sink), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(sink, MAP_FAILED);
    return err;
}

static int tear_down(void **state)
{
    munmap(sink, sizeof(*sink));
    return test_spools__tear_down(state);
}

/* Until all is shipped, it is stopped, or the process ends. */
static void run(void)
{
    int fds[2];

    memset(&ship, 0, sizeof(ship));
    pthread_mutex_init(&ship.lock, NULL);
    pthread_cond_init(&ship.changed, NULL);
    assert_int_equal(mrl_spool__files(spools->test.spool, fds, &spools->test.error), 0);
    ship.cursor_fd = fds[0];
    ship.refused_fd = fds[1];
    ship.shipper.ops = &ops;
    ship.shipper.sink = sink;
    ship.shipper.stop = &ship.stop;
    ship.shipper.seed = 1;
    mrl_spool__forget(spools->test.spool);
    mrl_ship__from_spool(&ship);
    close(fds[0]);
    close(fds[1]);
}

/* `stop_at` of what it takes altogether, as nobody else ends it. */
static void run_until(uint64_t count)
{
    sink->stop_at = count;
    run();
    sink->stop_at = 0;
}

static void it_goes_on_where_it_was_stopped(void **state)
{
    (void)state;
    test_spool__open(&spools->test);
    test_spool__append(&spools->test, 0, 3 * BATCH, 20);
    run_until(10);
    assert_int_equal(sink->taken, 10);
    run_until(BATCH + 7);
    run_until(2 * BATCH);
    run_until(3 * BATCH - 1);
    assert_int_equal(sink->taken, 3 * BATCH - 1);
    assert_int_equal(sink->last, 3 * BATCH - 2);
    for (int i = 0; i < MRL_SPOOL_EVENTS; i++)
        assert_int_equal(main_process.told[i], 0);
    test_spool__check(&spools->test, false);
}

/* Whoever answers may have to wait for a CPU. */
static void an_answer_that_comes_too_late_is_asked_for_again(void **state)
{
    (void)state;
    test_spool__open(&spools->test);
    test_spool__append(&spools->test, 0, BATCH, 20);
    main_process.late = 1;
    alarm(20); /* or it waits for ever */
    run_until(BATCH - 1);
    alarm(0);
    assert_int_equal(sink->taken, BATCH - 1);
}

static void what_was_read_is_delivered_before_a_disk_fails(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    test_spool__open(&spools->test);
    test_spool__append(&spools->test, 0, BATCH, 20);
    test_spool__append(&spools->test, BATCH, BATCH, 20);
    main_process.fails_at = 4096; /* behind the first batch, which one read brings */
    pid = fork();
    if (!pid) {
        run();
        _exit(EXIT_SUCCESS);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
    assert_int_equal(sink->taken, BATCH);
}

static void what_is_missing_is_told_once(void **state)
{
    static const char garbage[64] = "";
    uint64_t told = 0;

    (void)state;
    test_spool__open(&spools->test);
    for (int i = 0; i < 8; i++)
        test_spool__append(&spools->test, (uint64_t)(30 * i), 30, 100);
    test_spool__overwrite(&spools->test, "0000000000000001.spl", 12000, garbage, sizeof(garbage));
    test_spool__overwrite(&spools->test, "0000000000000001.spl", 24000, garbage, sizeof(garbage));
    run_until(30 * 6 - 1);
    for (int i = 0; i < MRL_SPOOL_EVENTS; i++)
        told += main_process.told[i];
    assert_int_equal(told, 60);
    assert_int_equal(test_spool__lost(&spools->test), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_goes_on_where_it_was_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_comes_too_late_is_asked_for_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_read_is_delivered_before_a_disk_fails, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
