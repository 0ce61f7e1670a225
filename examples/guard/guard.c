// SPDX-License-Identifier: Apache-2.0
/*
 * A memory guard: watches a process or a cgroup v2, and above a budget kills the biggest member
 * through a pidfd and releases its memory with process_mrelease, in its own time: else the memory
 * comes back only when the victim gets to run. mrelease shows each release. Needs Linux 5.15.
 */
#include "guard.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

enum { TRIES = 5, TRY_AGAIN_MS = 20, DEATH_MAX_MS = 2000 };
enum { ON_PRESSURE, ON_MEMORY_EVENTS, ON_END, WAKERS };

#define MIB(bytes) ((double)(bytes) / (1 << 20))
/* Stalls of 0.1 s within 2 s; windows that are no multiple of that want CAP_SYS_RESOURCE. */
#define STALL "some 100000 2000000"

static struct guard_options options = { .interval_ms = 1000 };
static struct pollfd wakers[WAKERS];

/* -- watching --------------------------------------------------------------------------------- */

/* False when what is watched has ended. */
static bool look_around(struct look *look)
{
    if (options.cgroup)
        return look__add_cgroup(look, options.cgroup);
    look__add(look, options.pid);
    /* As long as it has not ended, nobody else has its number. */
    return !poll(&(struct pollfd){ .fd = wakers[ON_END].fd, .events = POLLIN }, 1, 0);
}

static int open_in_cgroup(const char *file, int flags)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", options.cgroup, file);
    return open(path, flags | O_CLOEXEC);
}

/* Has `fd` wake us when tasks wait for memory. Steals fd. Returns it, or -1. */
static int arm_stall(int fd)
{
    if (fd < 0 || write(fd, STALL, sizeof(STALL)) == sizeof(STALL))
        return fd;
    close(fd);
    return -1;
}

static void open_cgroup_wakers(void)
{
    struct statfs kind;
    int procs;

    if (statfs(options.cgroup, &kind))
        err(1, "%s", options.cgroup);
    procs = open_in_cgroup("cgroup.procs", O_RDONLY);
    if (procs < 0 || kind.f_type != CGROUP2_SUPER_MAGIC)
        errx(1, "%s: not a cgroup v2", options.cgroup);
    close(procs);
    wakers[ON_PRESSURE].fd = arm_stall(open_in_cgroup("memory.pressure", O_RDWR | O_NONBLOCK));
    wakers[ON_MEMORY_EVENTS].fd = open_in_cgroup("memory.events", O_RDONLY);
    if (wakers[ON_MEMORY_EVENTS].fd < 0)
        warnx("%s has no memory controller: adding up what its members hold", options.cgroup);
}

static void open_wakers(void)
{
    for (int i = 0; i < WAKERS; i++)
        wakers[i] = (struct pollfd){ .fd = -1, .events = POLLPRI };
    if (options.cgroup) {
        open_cgroup_wakers();
    } else {
        wakers[ON_END] = (struct pollfd){ .fd = pidfd_open(options.pid, 0), .events = POLLIN };
        if (wakers[ON_END].fd < 0)
            err(1, "--pid %d", (int)options.pid);
    }
    if (wakers[ON_PRESSURE].fd < 0)
        wakers[ON_PRESSURE].fd =
            arm_stall(open("/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (wakers[ON_PRESSURE].fd < 0)
        warnx("no events of memory pressure here: looking every %d ms", options.interval_ms);
}

/* Going over the budget is no event in itself: whatever wakes us only makes us look sooner. */
static void wait_for_news(void)
{
    char text[512];

    /* memory.events wakes us for what comes after it was read. */
    if (wakers[ON_MEMORY_EVENTS].fd >= 0 &&
        pread(wakers[ON_MEMORY_EVENTS].fd, text, sizeof(text), 0) < 0)
        wakers[ON_MEMORY_EVENTS].fd = -1;
    poll(wakers, WAKERS, options.interval_ms);
    if (wakers[ON_PRESSURE].revents & POLLERR)
        wakers[ON_PRESSURE].fd = -1; /* its cgroup is gone */
}

/* -- acting ----------------------------------------------------------------------------------- */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const char *meaning_of(int error)
{
    static const struct {
        int error;
        const char *meaning;
    } rows[] = {
        { 0, "released" },
        { ESRCH, "it was quicker and dropped its memory itself" },
        { EAGAIN, "a device holds a part" },
        { EINVAL, "a living process shares its memory, or it is dumping core" },
        { ENOSYS, "the kernel is older than 5.15" },
        { EPERM, "seccomp refuses the call" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].error == error)
            return rows[i].meaning;
    return "unexpected";
}

/* 0 or an errno. After EAGAIN a part is released, and the rest may soon be. */
static int release(int pidfd)
{
    int error = 0;

    for (int i = 0; i < TRIES; i++) {
        error = syscall(SYS_process_mrelease, pidfd, 0) ? errno : 0;
        if (error != EAGAIN)
            break;
        poll(NULL, 0, TRY_AGAIN_MS);
    }
    return error;
}

/* A victim that was killed just now: any detour on the way here lets it die before it is released.
 * Waits for its end, so that nobody else is killed for memory that is on its way back. */
static void release_and_report(const struct member *victim, int pidfd)
{
    double start_ms = now_ms(), call_ms;
    int error = release(pidfd);
    struct member left;
    bool ended;

    call_ms = now_ms() - start_ms;
    if (!member__read(victim->pid, &left) || left.start_ticks != victim->start_ticks)
        left.resident_bytes = 0;
    ended = poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, DEATH_MAX_MS) == 1;
    /* What it dropped itself is not counted any more, but is back only when it has ended; and what
     * it shares may have grown. */
    if ((error == ESRCH && !ended) || left.resident_bytes > victim->resident_bytes)
        left.resident_bytes = victim->resident_bytes;
    printf("killed %d (%s), resident %.1f MiB: process_mrelease %s (%s), %.1f ms, %.1f MiB came "
           "back; %s after %.1f ms\n",
           (int)victim->pid, victim->name, MIB(victim->resident_bytes),
           error ? strerrorname_np(error) : "0", meaning_of(error), call_ms,
           MIB(victim->resident_bytes) - MIB(left.resident_bytes), ended ? "ended" : "still dying",
           now_ms() - start_ms);
}

/*
 * A number may belong to another process by now. The descriptor was opened before this is asked: if
 * the number still is that of the process which was looked at, then it was so all the time, and the
 * descriptor is that process for good. Brings its size up to date.
 */
static bool is_still_there(struct member *member)
{
    struct look again = { .wanted = member->pid };
    unsigned long long start_ticks = member->start_ticks;

    return look_around(&again) && again.found && member__read(member->pid, member) &&
           member->start_ticks == start_ticks;
}

static void kill_and_release(struct member *victim)
{
    int pidfd = pidfd_open(victim->pid, 0);

    if (pidfd < 0 && errno != ESRCH)
        err(1, "%d (%s)", (int)victim->pid, victim->name);
    if (pidfd < 0 || !is_still_there(victim))
        warnx("%d (%s) went by itself", (int)victim->pid, victim->name);
    else if (!pidfd_send_signal(pidfd, SIGKILL, NULL, 0))
        release_and_report(victim, pidfd);
    else if (errno != ESRCH)
        err(1, "killing %d (%s)", (int)victim->pid, victim->name);
    if (pidfd >= 0)
        close(pidfd);
}

/* Above the budget. What changes nothing is said once. */
static void act_on(struct look *look)
{
    static pid_t said = -1;
    struct member *victim = &look->biggest;

    if (victim->pid && !options.dry_run)
        kill_and_release(victim);
    else if (victim->pid && victim->pid != said)
        printf("would kill %d (%s), resident %.1f MiB: %.1f MiB used\n", (int)victim->pid,
               victim->name, MIB(victim->resident_bytes), MIB(look->used_bytes));
    else if (victim->pid != said)
        warnx("%.1f MiB used, but nobody may be killed", MIB(look->used_bytes));
    said = victim->pid;
}

int main(int argc, char **argv)
{
    arguments__take(argc, argv, &options);
    setlinebuf(stdout);
    open_wakers();
    for (;;) {
        struct look look = { 0 };

        if (!look_around(&look)) {
            warnx("what was watched has ended");
            return 0;
        }
        if (look.used_bytes > options.budget_bytes)
            act_on(&look);
        if (options.once)
            return 0;
        wait_for_news();
    }
}
