// SPDX-License-Identifier: Apache-2.0
/*
 * Fair loss: somebody releases one dying process again and again, or fails by the million, and the
 * few real releases of others arrive all the same. What was held back is counted, and says by whom.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"

enum { NOBODY = 65534, RELEASES = 50, RELEASES_LONG = 100, GAP_MS = 10, THREADS_MAX = 12 };

#define QUIET "live-quiet"
#define FLOOD "live-flood"

/* -- those who call --------------------------------------------------------------------------- */

/* A child that has begun to exit and is held there, by its pidfd. */
static int hold_dying(pid_t *ret_pid)
{
    pid_t child = fork();
    int status;

    if (!child) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child ||
        ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) ||
        ptrace(PTRACE_CONT, child, NULL, NULL) || waitpid(child, &status, 0) != child)
        _exit(1);
    *ret_pid = child;
    return (int)syscall(SYS_pidfd_open, child, 0);
}

static int held;
static uint64_t flood_flags; /* not 0: each call fails */

static void *release_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        syscall(SYS_process_mrelease, held, flood_flags);
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

static pid_t start_flood(unsigned int threads, uint64_t flags)
{
    pid_t child = start_child(FLOOD, NOBODY), target;
    pthread_t thread;

    if (child)
        return child;
    held = hold_dying(&target);
    flood_flags = flags;
    for (unsigned int i = 1; i < threads; i++)
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
        int pidfd = hold_dying(&target);

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
    unsigned int calls, releases; /* of the quiet ones */
    uint64_t suppressed, blamed;  /* told by events_lost */
    pthread_t thread;
};

static uint64_t number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void take(struct arrivals *arrivals, const char *line)
{
    if (strstr(line, "\"processName\":\"" QUIET "\"")) {
        arrivals->calls += strstr(line, "\"eventName\":\"process_mrelease\"") != NULL;
        arrivals->releases += strstr(line, "\"eventName\":\"do_mrelease\"") != NULL;
    } else if (strstr(line, "\"value\":\"suppressed\"")) {
        arrivals->suppressed +=
            number_after(line, "\"count\",\"type\":\"unsigned long\",\"value\":");
        arrivals->blamed +=
            number_after(line, "\"by_uid\",\"type\":\"unsigned int\",\"value\":") == NOBODY;
    }
}

static void *read_lines(void *context)
{
    struct arrivals *arrivals = context;
    FILE *file = fopen(arrivals->path, "re");
    char *line = NULL;
    size_t size = 0;

    while (file && getline(&line, &size, file) > 0)
        take(arrivals, line);
    free(line);
    if (file)
        fclose(file);
    return NULL;
}

static void assert_all_arrive_beside(unsigned int floods, unsigned int threads, uint64_t flags)
{
    unsigned int releases = load__long() ? RELEASES_LONG : RELEASES;
    struct arrivals arrivals = { .path = live__path(live__text("fifo%u.%u", floods, threads)) };
    unsigned long long suppressed;
    pid_t flood[2], quiet[2];
    struct sensor sensor;

    assert_int_equal(mkfifo(arrivals.path, 0600), 0);
    assert_int_equal(pthread_create(&arrivals.thread, NULL, read_lines, &arrivals), 0);
    SENSOR_START(&sensor, "--ring", "256K", "-o",
                 live__text("json,policy=block:%s", arrivals.path));
    for (unsigned int i = 0; i < floods; i++)
        flood[i] = start_flood(threads, flags);
    live__pause_ms(200);
    for (unsigned int i = 0; i < COUNT_OF(quiet); i++)
        quiet[i] = start_quiet(i ? NOBODY : 0, releases);
    for (unsigned int i = 0; i < COUNT_OF(quiet); i++)
        load__wait(quiet[i], 60000);
    for (unsigned int i = 0; i < floods; i++)
        load__stop(flood[i]);
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    pthread_join(arrivals.thread, NULL);
    suppressed = sensor__totals(&sensor, "process_mrelease").lost +
                 sensor__totals(&sensor, "do_mrelease").lost;
    printf("# %u x %u threads: %llu lost, %" PRIu64 " of them held back\n", floods, threads,
           suppressed, arrivals.suppressed);
    assert_in_range(suppressed, 1, UINT64_MAX);
    assert_int_equal(arrivals.releases, COUNT_OF(quiet) * releases);
    assert_int_equal(arrivals.calls, COUNT_OF(quiet) * releases);
    assert_in_range(arrivals.suppressed, 1, suppressed);
    assert_in_range(arrivals.blamed, 1, UINT64_MAX);
    assert_non_null(strstr(sensor__stderr(&sensor), "most calls come from uid 65534, of late "));
}

static void real_releases_arrive_beside_a_flood_of_successful_calls(void **state)
{
    (void)state;
    live__require();
    live__add_caller(QUIET);
    live__add_caller(FLOOD);
    assert_all_arrive_beside(1, 2, 0);
    assert_all_arrive_beside(1, THREADS_MAX, 0);
}

static void real_releases_arrive_beside_failing_calls_of_two(void **state)
{
    (void)state;
    live__require();
    live__add_caller(QUIET);
    live__add_caller(FLOOD);
    assert_all_arrive_beside(2, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(real_releases_arrive_beside_a_flood_of_successful_calls),
        LIVE_TEST(real_releases_arrive_beside_failing_calls_of_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
