// SPDX-License-Identifier: Apache-2.0
/*
 * Fair loss: somebody releases one dying process again and again, or fails by the million, and the
 * few real releases of others arrive all the same: at an output, in a recording, and behind a queue
 * that has to drop. What was held back is counted, and says by whom.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "harness.h"
#include "load.h"
#include "victim.h"

enum {
    NOBODY = 65534,
    RELEASES = 50,
    RELEASES_LONG = 100,
    GAP_MS = 10,
#ifdef MRL_SANITIZED /* and slow itself */
    IS_SANITIZED = 1,
    SLOW_LINES = 10, /* a slow reader reads so many, */
#else
    IS_SANITIZED = 0,
    SLOW_LINES = 200,
#endif
    SLOW_MS = 10,     /* and then waits */
    ANOTHER = 165534, /* a uid that is lent to a user namespace of NOBODY */
    PACED_NS = 20000, /* from one call to the next */
    PACED_MS = 1000,
};

#define COST_RATIO 1.10

#define QUIET "live-quiet"
#define FLOOD "live-flood"

/* -- those who call --------------------------------------------------------------------------- */

static int held;
static uint64_t flood_flags; /* not 0: each call fails */

static int64_t flood_ns; /* from one call to the next; 0: at full speed */

static void *release_for_ever(void *unused)
{
    int64_t next = mrl_clock__ns(CLOCK_MONOTONIC);

    (void)unused;
    for (;;) {
        syscall(SYS_process_mrelease, held, flood_flags);
        next += flood_ns;
        while (flood_ns && mrl_clock__ns(CLOCK_MONOTONIC) < next)
            ; /* evenly: a burst of slow calls would wake the sensor more often than one of quick
                 ones */
    }
    return NULL;
}

static pid_t start_child(const char *name, uid_t uid)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child)
        cleanup__child(child);
    else if (prctl(PR_SET_PDEATHSIG, SIGKILL) || (uid && setresuid(uid, uid, uid)) ||
             prctl(PR_SET_NAME, name))
        _exit(1);
    else
        prctl(PR_SET_DUMPABLE, 1); /* its own children may trace and be traced again */
    return child;
}

struct attack {
    unsigned int floods, threads;
    uint64_t flags;    /* not 0: each call fails */
    bool in_namespace; /* under another uid, in a user namespace of its own */
};

/* The child is stopped until root, who alone may, has lent it the other uid. */
static void lend_uid(pid_t child)
{
    FILE *map = NULL;
    int status;

    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status))
        map = fopen(live__text("/proc/%d/uid_map", child), "we");
    if (map) {
        fprintf(map, "0 %d 1\n1 %d 1\n", NOBODY, ANOTHER);
        fclose(map);
    }
    kill(child, SIGCONT);
}

static void become_another(void)
{
    bool is_within = !unshare(CLONE_NEWUSER);

    raise(SIGSTOP);
    if (!is_within)
        puts("# no user namespace can be made");
    else if (setresuid(1, 1, 1) || prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 1))
        _exit(1);
}

static pid_t start_flood(const struct attack *attack)
{
    pid_t child = start_child(FLOOD, NOBODY), target;
    pthread_t thread;

    if (child) {
        if (attack->in_namespace)
            lend_uid(child);
        return child;
    }
    if (attack->in_namespace)
        become_another();
    held = victim__hold_dying(&target);
    flood_flags = attack->flags;
    for (unsigned int i = 1; i < attack->threads; i++)
        pthread_create(&thread, NULL, release_for_ever, NULL);
    release_for_ever(NULL);
    return 0;
}

/* Each of its calls succeeds, and is the first for its target. */
static pid_t start_quiet(uid_t uid, unsigned int releases)
{
    pid_t child = start_child(QUIET, uid), target;

    if (child)
        return child;
    for (unsigned int i = 0; i < releases; i++) {
        int pidfd = victim__hold_dying(&target);

        if (syscall(SYS_process_mrelease, pidfd, 0))
            _exit(1);
        close(pidfd);
        ptrace(PTRACE_CONT, target, NULL, NULL);
        waitpid(target, NULL, 0);
        live__pause_ms(GAP_MS);
    }
    _exit(0);
}

/* -- what arrives ----------------------------------------------------------------------------- */

struct arrivals {
    const char *path;
    bool is_slow;
    unsigned long long calls, releases; /* of the quiet ones */
    unsigned long long lines, told;     /* of all: those that came, and those told missing */
    unsigned long long blamed[2];       /* gaps with a culprit: the kernel's, and the queue's */
    pthread_t thread;
};

static uint64_t number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void take_gap(struct arrivals *arrivals, const char *line)
{
    static const char *const causes[] = { "\"value\":\"suppressed\"", "\"value\":\"queue_full\"" };
    bool is_blamed =
        number_after(line, "\"by_uid\",\"type\":\"unsigned int\",\"value\":") == NOBODY;

    arrivals->told += number_after(line, "\"count\",\"type\":\"unsigned long\",\"value\":");
    for (size_t i = 0; i < COUNT_OF(causes); i++)
        arrivals->blamed[i] += is_blamed && strstr(line, causes[i]);
}

static void take(struct arrivals *arrivals, const char *line)
{
    if (strstr(line, "\"eventName\":\"events_lost\"")) {
        take_gap(arrivals, line);
        return;
    }
    arrivals->lines++;
    if (!strstr(line, "\"processName\":\"" QUIET "\""))
        return;
    arrivals->calls += strstr(line, "\"eventName\":\"process_mrelease\"") != NULL;
    arrivals->releases += strstr(line, "\"eventName\":\"do_mrelease\"") != NULL;
}

static void *read_lines(void *context)
{
    struct arrivals *arrivals = context;
    FILE *file = fopen(arrivals->path, "re");
    char *line = NULL;
    size_t size = 0;

    for (unsigned int i = 1; file && getline(&line, &size, file) > 0; i++) {
        take(arrivals, line);
        if (arrivals->is_slow && i % SLOW_LINES == 0)
            live__pause_ms(SLOW_MS);
    }
    free(line);
    if (file)
        fclose(file);
    return NULL;
}

static void start_reading(struct arrivals *arrivals, bool is_slow)
{
    *arrivals = (struct arrivals){ .path = live__path("fifo"), .is_slow = is_slow };
    unlink(arrivals->path);
    assert_int_equal(mkfifo(arrivals->path, 0600), 0);
    assert_int_equal(pthread_create(&arrivals->thread, NULL, read_lines, arrivals), 0);
}

static void stop_reading(struct arrivals *arrivals)
{
    pthread_join(arrivals->thread, NULL);
}

/* -- the attacks ------------------------------------------------------------------------------ */

static unsigned int releases(void)
{
    return load__long() ? RELEASES_LONG : RELEASES;
}

/* Two quiet ones beside the floods: root, and one of the uid that floods. */
static void attack(const struct attack *attack)
{
    pid_t flood[2], quiet[2];

    for (unsigned int i = 0; i < attack->floods; i++)
        flood[i] = start_flood(attack);
    live__pause_ms(200);
    for (unsigned int i = 0; i < COUNT_OF(quiet); i++)
        quiet[i] = start_quiet(i ? NOBODY : 0, releases());
    for (unsigned int i = 0; i < COUNT_OF(quiet); i++)
        load__wait(quiet[i], 60000);
    for (unsigned int i = 0; i < attack->floods; i++)
        load__stop(flood[i]);
}

/* What came and what was told missing is all that there was. */
static void assert_exact(const struct sensor *sensor,
                         double cpu_s,
                         const char *output,
                         const struct arrivals *arrivals)
{
    struct totals calls = sensor__totals(sensor, "process_mrelease");
    struct totals targets = sensor__totals(sensor, "do_mrelease");
    unsigned long long delivered, dropped;

    sensor__delivered(sensor, output, &delivered, &dropped);
    printf("# %s: %llu seen, %llu lost, %llu dropped; %.2f us CPU per record read\n", output,
           calls.seen + targets.seen, calls.lost + targets.lost, dropped,
           cpu_s * 1e6 / (double)(calls.read + targets.read));
    assert_int_equal(calls.read + targets.read, delivered + dropped);
    assert_int_equal(arrivals->lines, delivered);
    assert_int_equal(arrivals->told, calls.lost + targets.lost + dropped);
    assert_int_equal(arrivals->calls, 2 * releases());
    assert_int_equal(arrivals->releases, 2 * releases());
}

/* Each call that succeeds is a release: what is held back of the one is held back of the other. Of
 * threads that are killed, a last call may fail. */
static void assert_pairs(const struct sensor *sensor, const struct attack *attacker)
{
    struct totals calls = sensor__totals(sensor, "process_mrelease");
    struct totals targets = sensor__totals(sensor, "do_mrelease");

    if (!attacker->flags)
        assert_in_range(calls.read + calls.lost - targets.read - targets.lost, 0,
                        attacker->threads);
}

static void assert_says_who(const struct sensor *sensor, const char *cause)
{
    assert_non_null(strstr(sensor__stderr(sensor),
                           live__text("events are lost (%s): most calls come from uid %d, "
                                      "of late " FLOOD " in cgroup ",
                                      cause, NOBODY)));
}

static void assert_all_arrive(const struct attack *attacker)
{
    struct arrivals arrivals;
    struct sensor sensor;
    const char *output;
    double cpu_s;

    start_reading(&arrivals, !IS_SANITIZED);
    output = live__text("json,policy=block:%s", arrivals.path);
    SENSOR_START(&sensor, "--ring", "256K", "-o", output);
    attack(attacker);
    cpu_s = load__cpu_s(sensor.pid);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    stop_reading(&arrivals);
    assert_exact(&sensor, cpu_s, output, &arrivals);
    assert_pairs(&sensor, attacker);
    if (IS_SANITIZED && !arrivals.told)
        return; /* its floods are slow, too */
    assert_in_range(arrivals.blamed[0], 1, UINT64_MAX);
    assert_says_who(&sensor, "suppressed");
}

/* A recording that the reader waits for, and what it shows afterwards. */
static void assert_all_are_recorded(const struct attack *attacker)
{
    const char *capture = live__path("capture"), *record;
    struct sensor sensor, replay;
    struct arrivals arrivals;
    double cpu_s;

    unlink(capture);
    record = live__text("policy=block:%s", capture);
    SENSOR_START(&sensor, "--ring", "256K", "-o", "none", "--record", record);
    attack(attacker);
    cpu_s = load__cpu_s(sensor.pid);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    start_reading(&arrivals, false);
    assert_int_equal(sensor__run(&replay,
                                 (const char *const[]){
                                     "replay", capture, "-o",
                                     live__text("json,policy=block:%s", arrivals.path), NULL }),
                     0);
    stop_reading(&arrivals);
    assert_exact(&sensor, cpu_s, record, &arrivals);
    if (!arrivals.told)
        return; /* it kept up: nothing was held back, and nobody is blamed */
    assert_in_range(arrivals.blamed[0], 1, UINT64_MAX);
    assert_says_who(&sensor, "suppressed");
}

/* A reader that is too slow for the flood: the queue has to drop. */
static void assert_all_pass_a_queue(const struct attack *attacker, const char *policy)
{
    struct arrivals arrivals;
    struct sensor sensor;
    const char *output;
    double cpu_s;

    start_reading(&arrivals, true);
    output = live__text("json,policy=%s,queue=2M:%s", policy, arrivals.path);
    SENSOR_START(&sensor, "-o", output);
    attack(attacker);
    cpu_s = load__cpu_s(sensor.pid);
    assert_int_equal(sensor__stop(&sensor, SIGINT), EXIT_FAILURE); /* it dropped */
    stop_reading(&arrivals);
    assert_exact(&sensor, cpu_s, output, &arrivals);
    assert_in_range(arrivals.blamed[1], 1, UINT64_MAX);
    assert_says_who(&sensor, "queue_full");
}

/* What the sensor takes for each record in a second of calls at the same rate, in us. */
static double cpu_per_record(uint64_t flags)
{
    struct sensor sensor;
    double started_s, cpu_s;
    pid_t flood;

    SENSOR_START(&sensor, "-e", "process_mrelease", "-o", "json:/dev/null");
    started_s = load__cpu_s(sensor.pid); /* loading the probes costs more than a second of calls */
    flood_ns = PACED_NS;
    flood = start_flood(&(struct attack){ .threads = 1, .flags = flags });
    live__pause_ms(PACED_MS);
    load__stop(flood);
    flood_ns = 0;
    live__pause_ms(100); /* until all is read */
    cpu_s = load__cpu_s(sensor.pid) - started_s;
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    return cpu_s * 1e6 / (double)sensor__totals(&sensor, "process_mrelease").read;
}

static const struct attack attacks[] = {
    { 1, 2, 0, false },
    { 1, 12, 0, true },
    { 2, 1, 1, false },
};

static void begin(void)
{
    live__require();
    live__add_caller(QUIET);
    live__add_caller(FLOOD);
}

/* Each pair in a row; the best of a few, since others may be busy. */
static void releases_cost_the_sensor_no_more_than_failing_calls(void **state)
{
    double failing, released, best = 1e9;

    (void)state;
    if (!load__long())
        skip(); /* it measures: what a busy machine says of CPU time fails nothing */
    begin();
    for (int i = 0; i < 8 && best > COST_RATIO; i++) {
        failing = cpu_per_record(1);
        released = cpu_per_record(0);
        best = released / failing < best ? released / failing : best;
        printf("# %.2f us CPU per record of a failing call, %.2f of a release\n", failing,
               released);
    }
    assert_true(best <= COST_RATIO);
}

static void real_releases_arrive_beside_a_flood(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(attacks); i++)
        assert_all_arrive(&attacks[i]);
}

static void real_releases_are_recorded_beside_a_flood(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(attacks); i++)
        assert_all_are_recorded(&attacks[i]);
}

static void real_releases_pass_a_queue_that_drops_a_flood(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT_OF(attacks); i++) {
        assert_all_pass_a_queue(&attacks[i], "drop-oldest");
        assert_all_pass_a_queue(&attacks[i], "drop-newest");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(real_releases_arrive_beside_a_flood),
        LIVE_TEST(real_releases_are_recorded_beside_a_flood),
        LIVE_TEST(real_releases_pass_a_queue_that_drops_a_flood),
        LIVE_TEST(releases_cost_the_sensor_no_more_than_failing_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
