// SPDX-License-Identifier: Apache-2.0
/* The example examples/guard beside the sensor: who is killed, what is released, what both say. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "harness.h"
#include "release.h"

enum { TRIES = 8, PROGRAM_TIME_MAX_MS = 30000, STEP_MS = 10, WRONG_USE = 2 };

#define MIB ((size_t)1 << 20)
#define PROGRAM_SIZE                                                            \
    (16 * MIB) /* at most what a member holds beside its memory; also sanitized \
                */

/* -- members ---------------------------------------------------------------------------------- */

struct member {
    const char *name, *cgroup; /* cgroup NULL: the test's */
    size_t bytes;
    bool shares; /* its memory with a process of its own */
    pid_t pid;
    int talk; /* each side writes a byte and reads one */
};

static unsigned int shared_cpu;

static void stay_on_shared_cpu(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(shared_cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static pid_t sharer; /* in the memory of both */

/* Dies after its parent; while that is dying it lives. */
__attribute__((noreturn)) static int live_on(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != sharer) /* it died before that was said */
        _exit(0);
    for (;;)
        pause();
}

static void share_memory(void)
{
    static char stack[64 << 10] __attribute__((aligned(64)));

    sharer = getpid();
    if (clone(live_on, stack + sizeof(stack), CLONE_VM, NULL) < 0)
        _exit(1);
}

/* Waits for a word, then holds its memory. Runs only when its CPU, which is the guard's, has
 * nothing better to do: else it would often be dead before it can be released. */
__attribute__((noreturn)) static void live(const struct member *member, int talk)
{
    const struct sched_param idle = { 0 };
    char *memory, byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, member->name);
    stay_on_shared_cpu();
    if (member->cgroup && !cgroup__enter(member->cgroup))
        _exit(1);
    if (write(talk, &byte, 1) != 1 || read(talk, &byte, 1) != 1)
        _exit(1);
    sched_setscheduler(0, SCHED_IDLE, &idle);
    memory = mmap(NULL, member->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    madvise(memory, member->bytes, MADV_NOHUGEPAGE);
    memset(memory, 1, member->bytes);
    if (member->shares)
        share_memory();
    if (write(talk, &byte, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void start_member(struct member *member)
{
    int talk[2];
    char byte;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk), 0);
    member->pid = fork();
    assert_true(member->pid >= 0);
    if (!member->pid)
        live(member, talk[1]);
    cleanup__child(member->pid);
    close(talk[1]);
    member->talk = talk[0];
    assert_int_equal(read(member->talk, &byte, 1), 1);
}

static void let_grow(const struct member *member)
{
    assert_int_equal(write(member->talk, "", 1), 1);
}

static void await_growth(const struct member *member)
{
    char byte;

    assert_int_equal(read(member->talk, &byte, 1), 1);
}

static bool is_alive(const struct member *member)
{
    siginfo_t info = { 0 };

    assert_int_equal(waitid(P_PID, (id_t)member->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return !info.si_pid;
}

static void assert_was_killed(const struct member *member)
{
    int status;

    assert_int_equal(waitpid(member->pid, &status, 0), member->pid);
    cleanup__forget_child(member->pid);
    close(member->talk);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void end_member(const struct member *member)
{
    kill(member->pid, SIGKILL);
    assert_was_killed(member);
}

/* -- the guard -------------------------------------------------------------------------------- */

static void spawn_guard(struct sensor *guard, const char *const *arguments)
{
    const struct sensor_options options = {
        .program = MRL_TEST_GUARD,
        .arguments = arguments,
        .prepare = stay_on_shared_cpu,
    };

    sensor__spawn(guard, &options);
}

#define GUARD(guard, ...) spawn_guard(guard, (const char *const[]){ __VA_ARGS__, NULL })

static void await_action(const struct sensor *guard)
{
    for (int waited_ms = 0; !strchr(sensor__stdout(guard), '\n'); waited_ms += STEP_MS) {
        if (waited_ms > PROGRAM_TIME_MAX_MS)
            fail_msg("the guard did nothing, and said: %s", sensor__stderr(guard));
        live__pause_ms(STEP_MS);
    }
}

/* Its one line, of a victim that was released; false when the victim was quicker. */
static bool says_released(const struct sensor *guard, const struct member *victim)
{
    const char *said = sensor__stdout(guard), *end = strchr(said, '\n'), *amounts;
    const char *beginning = live__text("killed %d (%s), resident ", (int)victim->pid, victim->name);
    double resident_mib, call_ms, back_mib;

    if (strncmp(said, beginning, strlen(beginning)) != 0 || !end || end[1])
        fail_msg("not one line about the victim: '%s'", said);
    if (strstr(said, "process_mrelease ESRCH (it was quicker"))
        return false;
    amounts = said + strlen(beginning);
    if (sscanf(amounts, "%lf MiB: process_mrelease 0 (released), %lf ms, %lf MiB came back; ended",
               &resident_mib, &call_ms, &back_mib) != 3)
        fail_msg("not a release: '%s'", said);
    assert_true(call_ms > 0);
    assert_true(back_mib > 0 && back_mib <= resident_mib);
    assert_true(resident_mib * (double)MIB <= (double)(victim->bytes + PROGRAM_SIZE));
    return true;
}

/* The sensor has the guard as the caller, and the victim with its name and its bytes: at least
 * `held_bytes`. */
static void assert_sensed(const struct sensor *guard,
                          const struct member *victim,
                          size_t held_bytes)
{
    size_t most_bytes = victim->bytes + PROGRAM_SIZE;
    const struct lines *lines = lines__load(live__path("events"));
    const struct line *line = lines__find(lines, "do_mrelease", (uint32_t)guard->pid, 0);
    uint64_t bound = release__number(line, "error_bound_bytes");

    assert_string_equal(json__text(line->json, "processName"), "guard");
    assert_int_equal(json__number(line->json, "hostProcessId"), guard->pid);
    assert_int_equal(json__signed(line->json, "returnValue"), 0);
    assert_string_equal(release__text(line, "outcome"), "reaped");
    assert_int_equal(release__number(line, "target_host_pid"), victim->pid);
    assert_string_equal(release__text(line, "target_name"), victim->name);
    assert_in_range(release__number(line, "anon_before") + bound, held_bytes,
                    most_bytes + 2 * bound);
    assert_in_range(release__number(line, "released_bytes") + bound, held_bytes,
                    most_bytes + 2 * bound);
    assert_int_equal(lines__count(lines, "do_mrelease", (uint32_t)guard->pid), 1);
    assert_int_equal(lines__count(lines, "process_mrelease", (uint32_t)guard->pid), 1);
}

static void start_sensor(struct sensor *sensor)
{
    shared_cpu = (unsigned int)sched_getcpu();
    live__add_caller("guard");
    SENSOR_START(sensor, "--output", live__output("json", "events"));
}

/* -- tests ------------------------------------------------------------------------------------ */

static bool process_is_released(struct sensor *guard, struct member *victim)
{
    start_member(victim);
    GUARD(guard, "--pid", live__text("%d", (int)victim->pid), "--budget", "48M", "--interval",
          "20");
    live__pause_ms(100); /* some looks that find nothing wrong */
    assert_string_equal(sensor__stdout(guard), "");
    let_grow(victim);
    assert_int_equal(sensor__wait(guard), 0);
    assert_was_killed(victim);
    return says_released(guard, victim);
}

static void a_process_that_outgrows_its_budget_is_released(void **state)
{
    struct member victim = { .name = "grows (a) lot", .bytes = 64 * MIB };
    struct sensor sensor, guard;
    int tries = 0;

    (void)state;
    live__require();
    start_sensor(&sensor);
    while (!process_is_released(&guard, &victim))
        if (++tries == TRIES)
            fail_msg("no victim could be released");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    /* Above the budget of 48 MiB, with some for the program itself; the guard need not have waited
     * for all 64. */
    assert_sensed(&guard, &victim, 48 * MIB - PROGRAM_SIZE);
}

enum { SMALL, BIGGEST, MIDDLE, OUTSIDE, MEMBERS };

static void start_members(struct member members[MEMBERS], const char *top, const char *below)
{
    members[SMALL] = (struct member){ .name = "small", .cgroup = top, .bytes = 16 * MIB };
    members[BIGGEST] = (struct member){ .name = "biggest", .cgroup = below, .bytes = 96 * MIB };
    members[MIDDLE] = (struct member){ .name = "middle", .cgroup = top, .bytes = 48 * MIB };
    members[OUTSIDE] = (struct member){ .name = "outside", .bytes = 128 * MIB };
    for (int i = 0; i < MEMBERS; i++) {
        start_member(&members[i]);
        let_grow(&members[i]);
        await_growth(&members[i]);
    }
}

/* Two cgroups, one in the other; *ret_below is the inner one. Returns the outer one; skips the test
 * where there are none. */
static const char *make_cgroups(const char **ret_below)
{
    static unsigned int number;
    const char *below = cgroup__make_v2(live__text("guard-%u/below", number++));

    if (!below) {
        puts("# skipped: no cgroup v2 can be made");
        skip();
    }
    *ret_below = below;
    return live__text("%.*s", (int)(strrchr(below, '/') - below), below);
}

/* It is busy for a moment after its last process was waited for. */
static void remove_cgroup(const char *directory)
{
    for (int i = 0; rmdir(directory); i++) {
        assert_true(errno == EBUSY && i < TRIES * STEP_MS);
        live__pause_ms(STEP_MS);
    }
}

/* The guard goes on with the rest, which is below the budget, until the cgroup goes. */
static bool biggest_is_released(struct sensor *guard, struct member members[MEMBERS])
{
    const char *below, *top = make_cgroups(&below);

    start_members(members, top, below);
    GUARD(guard, "--cgroup", top, "--budget", "130M", "--interval", "20");
    await_action(guard);
    assert_was_killed(&members[BIGGEST]);
    live__pause_ms(200);
    assert_true(is_alive(&members[SMALL]) && is_alive(&members[MIDDLE]));
    assert_true(is_alive(&members[OUTSIDE]));
    for (int i = 0; i < MEMBERS; i++)
        if (i != BIGGEST)
            end_member(&members[i]);
    remove_cgroup(below);
    remove_cgroup(top);
    assert_int_equal(sensor__wait(guard), 0);
    assert_non_null(strstr(sensor__stderr(guard), "guard: what was watched has ended\n"));
    return says_released(guard, &members[BIGGEST]);
}

static void the_biggest_member_of_a_cgroup_is_released_and_the_others_live(void **state)
{
    struct member members[MEMBERS];
    struct sensor sensor, guard;
    int tries = 0;

    (void)state;
    live__require();
    start_sensor(&sensor);
    while (!biggest_is_released(&guard, members))
        if (++tries == TRIES)
            fail_msg("no victim could be released");
    assert_int_equal(sensor__stop(&sensor, SIGINT), 0);
    assert_sensed(&guard, &members[BIGGEST], members[BIGGEST].bytes);
}

static struct member start_grown(const char *cgroup)
{
    struct member member = { .name = "member", .cgroup = cgroup, .bytes = 32 * MIB };

    shared_cpu = (unsigned int)sched_getcpu();
    start_member(&member);
    let_grow(&member);
    await_growth(&member);
    return member;
}

static void a_dry_run_names_the_victim_and_kills_nobody(void **state)
{
    const char *below, *top;
    struct sensor guard;
    struct member member;

    (void)state;
    live__require();
    top = make_cgroups(&below);
    member = start_grown(below);
    GUARD(&guard, "--cgroup", top, "--budget", "16M", "--dry-run", "--once");
    assert_int_equal(sensor__wait(&guard), 0);
    assert_non_null(strstr(sensor__stdout(&guard),
                           live__text("would kill %d (member), resident 3", (int)member.pid)));
    assert_true(is_alive(&member));
    end_member(&member);
}

static void whoever_is_within_its_budget_is_left_alone(void **state)
{
    struct sensor guard;
    struct member member;

    (void)state;
    live__require();
    member = start_grown(NULL);
    GUARD(&guard, "--pid", live__text("%d", (int)member.pid), "--budget", "1G", "--once");
    assert_int_equal(sensor__wait(&guard), 0);
    assert_string_equal(sensor__stdout(&guard), "");
    assert_true(is_alive(&member));
    end_member(&member);
}

/* The kernel refuses to release it; false when the victim was quicker. */
static bool is_refused(void)
{
    struct member victim = { .name = "shares", .bytes = 32 * MIB, .shares = true };
    struct sensor guard;
    const char *said;

    start_member(&victim);
    let_grow(&victim);
    await_growth(&victim);
    GUARD(&guard, "--pid", live__text("%d", (int)victim.pid), "--budget", "1M", "--once");
    assert_int_equal(sensor__wait(&guard), 0);
    assert_was_killed(&victim);
    said = sensor__stdout(&guard);
    if (strstr(said, "process_mrelease ESRCH"))
        return false;
    if (!strstr(said, "process_mrelease EINVAL (a living process shares its memory") ||
        !strstr(said, " 0.0 MiB came back; ended after "))
        fail_msg("not a refusal: '%s'", said);
    return true;
}

static void memory_that_a_living_process_shares_is_reported_as_such(void **state)
{
    int tries = 0;

    (void)state;
    live__require();
    shared_cpu = (unsigned int)sched_getcpu();
    while (!is_refused())
        if (++tries == TRIES)
            fail_msg("each victim was quicker");
}

static const char *guards_cgroup;

static void enter_guards_cgroup(void)
{
    cgroup__enter(guards_cgroup);
}

static void the_guard_spares_itself(void **state)
{
    const char *below, *top;
    struct sensor guard;

    (void)state;
    live__require();
    top = make_cgroups(&below);
    guards_cgroup = below;
    sensor__spawn(&guard, &(struct sensor_options){
                              .program = MRL_TEST_GUARD,
                              .arguments = (const char *const[]){ "--cgroup", top, "--budget", "1",
                                                                  "--once", NULL },
                              .prepare = enter_guards_cgroup,
                          });
    assert_int_equal(sensor__wait(&guard), 0);
    assert_string_equal(sensor__stdout(&guard), "");
    assert_non_null(strstr(sensor__stderr(&guard), "but nobody may be killed\n"));
}

static void what_cannot_be_watched_is_refused_in_words(void **state)
{
    static const struct {
        const char *arguments[6];
        int status;
        const char *says;
    } rows[] = {
        { { "--budget", "1M" }, WRONG_USE, "guard: one of --pid and --cgroup is wanted\n" },
        { { "--pid", "2", "--cgroup", "/x", "--budget", "1" }, WRONG_USE, "one of --pid and" },
        { { "--pid", "2" }, WRONG_USE, "guard: --budget is wanted\n" },
        { { "--pid", "1", "--budget", "1" }, WRONG_USE, "process 1 is never killed\n" },
        { { "--pid", "0", "--budget", "1" }, WRONG_USE, "--pid: '0' is no number from 1 to" },
        { { "--pid", "-1", "--budget", "1" }, WRONG_USE, "--pid: '-1' is no number" },
        { { "--budget", "1X" }, WRONG_USE, "--budget: '1X' is no number" },
        { { "--budget", "1MM" }, WRONG_USE, "--budget: '1MM' is no number" },
        { { "--budget", "0" }, WRONG_USE, "--budget: '0' is no number" },
        { { "--budget", "" }, WRONG_USE, "--budget: '' is no number" },
        { { "--budget", "8388608T" }, WRONG_USE, "--budget: '8388608T' is no number" },
        { { "--budget", "99999999999999999999" }, WRONG_USE, "is no number" },
        { { "--interval", "0" }, WRONG_USE, "--interval: '0' is no number from 10 to 60000\n" },
        { { "--unheard-of" }, WRONG_USE, "unrecognized option '--unheard-of'" },
        { { "--cgroup", "/tmp", "--budget", "1" }, 1, "guard: /tmp: not a cgroup v2\n" },
        { { "--cgroup", "/nowhere", "--budget", "1" }, 1, "guard: /nowhere: No such file" },
        { { "--pid", "2147483647", "--budget", "1" }, 1, "guard: --pid 2147483647: No such" },
    };
    struct sensor guard;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *arguments[COUNT_OF(rows[i].arguments) + 1] = { NULL };

        memcpy(arguments, rows[i].arguments, sizeof(rows[i].arguments));
        spawn_guard(&guard, arguments);
        if (sensor__wait(&guard) != rows[i].status || !strstr(sensor__stderr(&guard), rows[i].says))
            fail_msg("not '%s': '%s'", rows[i].says, sensor__stderr(&guard));
        assert_string_equal(sensor__stdout(&guard), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(a_process_that_outgrows_its_budget_is_released),
        LIVE_TEST(the_biggest_member_of_a_cgroup_is_released_and_the_others_live),
        LIVE_TEST(a_dry_run_names_the_victim_and_kills_nobody),
        LIVE_TEST(whoever_is_within_its_budget_is_left_alone),
        LIVE_TEST(memory_that_a_living_process_shares_is_reported_as_such),
        LIVE_TEST(the_guard_spares_itself),
        LIVE_TEST(what_cannot_be_watched_is_refused_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
