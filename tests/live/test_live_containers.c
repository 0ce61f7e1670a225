// SPDX-License-Identifier: Apache-2.0
/*
 * A container that is there for one call has its id: by whomever it was made, however the host
 * mounts its cgroups, and whatever keeps the reader from looking in time.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "container.h"
#include "harness.h"
#include "load.h"

enum { FEW = 20, MANY = 100, SPINNERS = 20, LATE_MS = 2000, FILLERS = 2000 };

/* -- what is in the way ----------------------------------------------------------------------- */

static void nothing(const struct sensor *sensor)
{
    (void)sensor;
}

static pid_t spinners[SPINNERS];

static void start_load(const struct sensor *sensor)
{
    (void)sensor;
    for (unsigned int i = 0; i < SPINNERS; i++) {
        spinners[i] = fork();
        assert_true(spinners[i] >= 0);
        if (!spinners[i]) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                ;
        }
        cleanup__child(spinners[i]);
    }
}

static void end_load(const struct sensor *sensor)
{
    (void)sensor;
    for (unsigned int i = 0; i < SPINNERS; i++)
        load__stop(spinners[i]);
}

static void stop_reader(const struct sensor *sensor)
{
    assert_int_equal(kill(sensor->pid, SIGSTOP), 0);
}

static void wake_reader(const struct sensor *sensor)
{
    live__pause_ms(LATE_MS);
    assert_int_equal(kill(sensor->pid, SIGCONT), 0);
}

static int held;     /* the FIFO, which nobody reads */
static pid_t copier; /* who reads it after all; 0: nobody */

static void hold_fifo(void)
{
    assert_int_equal(mkfifo(live__path("fifo"), 0600), 0);
    held = open(live__path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(held >= 0);
}

/* As many lines as neither the FIFO, nor the queue, nor the batches before it have room for. */
static void fill_fifo(const struct sensor *sensor)
{
    (void)sensor;
    for (unsigned int i = 0; i < FILLERS; i++)
        trigger__native(event__find("munlock")->number, 0, 0, 0);
}

static void start_copier(const struct sensor *sensor)
{
    (void)sensor;
    live__pause_ms(LATE_MS);
    copier = fork();
    assert_true(copier >= 0);
    if (!copier) {
        int out = open(live__path("events"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out, STDOUT_FILENO);
        execlp("cat", "cat", live__path("fifo"), NULL);
        _exit(1);
    }
    cleanup__child(copier);
    live__pause_ms(100); /* it has opened it */
    close(held);
}

static void await_copier(void)
{
    int status;

    if (!copier)
        return;
    assert_int_equal(waitpid(copier, &status, 0), copier);
    cleanup__forget_child(copier);
    assert_int_equal(status, 0);
    copier = 0;
}

static void keep_two_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { { 0 } };
    const unsigned int kept[] = { CAP_BPF, CAP_PERFMON };

    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        data[kept[i] / 32].permitted |= 1U << kept[i] % 32;
        data[kept[i] / 32].inheritable |= 1U << kept[i] % 32;
    }
    for (size_t i = 0; i < 2; i++)
        data[i].effective = data[i].permitted;
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT) || syscall(SYS_capset, &header, data))
        abort();
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0))
            abort();
}

static const char *own_cgroup;

static void make_own_cgroup(void)
{
    own_cgroup = cgroup__make("own");
    assert_non_null(own_cgroup);
}

/* In the sensor, before it is one. */
static void hide(void)
{
    if (!cgroup__enter(own_cgroup) || unshare(CLONE_NEWCGROUP))
        abort();
    keep_two_capabilities();
}

static void call_beside(const struct sensor *sensor)
{
    (void)sensor;
    container__call_in(own_cgroup);
}

/* -- the matrix ------------------------------------------------------------------------------- */

static const struct condition {
    const char *name;
    void (*before)(void);  /* the sensor is there */
    void (*prepare)(void); /* in it */
    const char *output;    /* of live__path() */
    const char *format;
    void (*then)(const struct sensor *sensor);  /* before the containers are made */
    void (*after)(const struct sensor *sensor); /* and when all are gone */
    unsigned int others;                        /* calls that are not theirs */
} conditions[] = {
    { "idle", NULL, NULL, "events", "json", nothing, nothing, 0 },
    { "load_20", NULL, NULL, "events", "json", start_load, end_load, 0 },
    { "reader_stopped", NULL, NULL, "events", "json", stop_reader, wake_reader, 0 },
    { "output_blocked", hold_fifo, NULL, "fifo", "json,policy=block,queue=64K", fill_fifo,
      start_copier, FILLERS },
    { "private_namespace_two_capabilities", make_own_cgroup, hide, "events", "json", nothing,
      call_beside, 1 },
};

static const char *const hierarchies[HIERARCHIES] = { "v1", "hybrid", "v2" };
static const struct maker *const makers[] = { &maker_by_hand, &maker_runc };

struct cell {
    const struct condition *condition;
    const struct maker *maker;
    enum hierarchy hierarchy;
};

static void start(struct sensor *sensor, const struct condition *condition)
{
    const char *output = live__output(condition->format, condition->output);
    /* On the rung that is chosen: some kernels keep others for root. */
    const char *const arguments[] = { "run",     "--rung",   "auto", "--events",
                                      "munlock", "--output", output, NULL };
    const struct sensor_options options = { .arguments = arguments, .prepare = condition->prepare };

    if (condition->before)
        condition->before();
    sensor__spawn(sensor, &options);
    sensor__await_ready(sensor);
}

static void one_call_containers_have_their_id(void **state)
{
    const struct cell *cell = *state;
    unsigned int count = load__long() ? MANY : FEW;
    struct sensor sensor;
    const struct lines *lines;

    live__require();
    if (!hierarchy__show(cell->hierarchy) || !cell->maker->can())
        skip();
    copier = 0; /* of a test that failed, and ended with it */
    start(&sensor, cell->condition);
    cell->condition->then(&sensor);
    cell->maker->make(0, count);
    cell->condition->after(&sensor);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    await_copier();
    lines = lines__load(live__path("events"));
    /* Somebody else may run such containers beside. */
    assert_true(lines->count >= count + cell->condition->others);
    assert_int_equal(container__count_known(lines, count), count);
    assert_null(strstr(sensor__stderr(&sensor), "is not known"));
}

/* How the host mounts its cgroups and what is in the way have little to do with each other, and
 * each container of runc takes its third of a second: all of them together with time. */
static bool is_wanted(const struct cell *cell)
{
    bool is_late = cell->condition->then == stop_reader;
    bool is_by_hand = cell->maker == &maker_by_hand, is_own = hierarchy__is_own(cell->hierarchy);

    return load__long() || (is_own && (is_by_hand || is_late)) || (is_by_hand && is_late);
}

int main(void)
{
    static struct cell cells[COUNT_OF(conditions) * COUNT_OF(makers) * HIERARCHIES];
    static char names[COUNT_OF(cells)][80];
    struct CMUnitTest tests[COUNT_OF(cells)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(cells); i++) {
        struct cell *cell = &cells[count];

        cell->condition = &conditions[i % COUNT_OF(conditions)];
        cell->maker = makers[i / COUNT_OF(conditions) % COUNT_OF(makers)];
        cell->hierarchy = (enum hierarchy)(i / COUNT_OF(conditions) / COUNT_OF(makers));
        if (!is_wanted(cell))
            continue;
        snprintf(names[count], sizeof(names[count]), "%s_%s_%s", hierarchies[cell->hierarchy],
                 cell->maker->name, cell->condition->name);
        tests[count] = (struct CMUnitTest)LIVE_TEST(one_call_containers_have_their_id);
        tests[count].name = names[count];
        tests[count++].initial_state = cell;
    }
    return _cmocka_run_group_tests("live containers", tests, count, NULL, NULL);
}
