// SPDX-License-Identifier: Apache-2.0
/* What this host is like: its kernel's features, our rights, and known defects of its version. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "base/append.h"
#include "command/doctor/doctor.h"
#include "command/run/harden.h"
#include "probe/proof_args.h"
#include "side/common/landlock.h"
#include "side/common/sandbox_calls.h"

enum { VALUE_BYTES = 64, PIDFS_MAGIC = 0x50494446 /* "PIDF", since Linux 6.9 */ };

#ifndef SYS_process_mrelease
#    define SYS_process_mrelease 448
#endif

/* -- features --------------------------------------------------------------------------------- */

static void say(char value[VALUE_BYTES], const char *text)
{
    snprintf(value, VALUE_BYTES, "%s", text);
}

/* The first line of a file, or why there is none. */
static void read_line(char value[VALUE_BYTES], const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, value, VALUE_BYTES - 1);

    if (size <= 0) {
        snprintf(value, VALUE_BYTES, "unknown (%s)", size ? strerror(errno) : "empty");
    } else {
        value[size] = '\0';
        value[strcspn(value, "\n")] = '\0';
    }
    if (fd >= 0)
        close(fd);
}

static void find_kernel(char value[VALUE_BYTES])
{
    struct utsname host;

    uname(&host);
    snprintf(value, VALUE_BYTES, "%.40s %.20s", host.release, host.machine);
}

static void find_call(char value[VALUE_BYTES])
{
    uint64_t args[MRL_ARGS_MAX];

    mrl_proof__make(false, 0, args); /* no event for other sensors */
    if (!syscall(SYS_process_mrelease, args[0], 0L, args[2], args[3], args[4], args[5]) ||
        errno == EBADF)
        say(value, "present");
    else if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0))
        snprintf(value, VALUE_BYTES, "refused by a seccomp filter (%.24s)", strerror(errno));
    else if (errno == ENOSYS)
        say(value, "missing: it came with Linux 5.15");
    else
        snprintf(value, VALUE_BYTES, "refused (%s)", strerror(errno));
}

static void find_btf(char value[VALUE_BYTES])
{
    say(value, access("/sys/kernel/btf/vmlinux", R_OK)
                   ? "missing: the kernel needs CONFIG_DEBUG_INFO_BTF"
                   : "present");
}

/* Who may make no map at all has learnt nothing of the kernel. */
static void find_ring(char value[VALUE_BYTES])
{
    int fd =
        bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);

    if (fd >= 0 || errno == EINVAL)
        say(value, fd >= 0 ? "works" : "does not work");
    else
        snprintf(value, VALUE_BYTES, "unknown (%s)", strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Both kinds are called anon_inode:[pidfd]. */
static void find_pidfd(char value[VALUE_BYTES])
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    struct statfs of;

    if (fd < 0 || fstatfs(fd, &of))
        snprintf(value, VALUE_BYTES, "unknown (%s)", strerror(errno));
    else
        say(value, of.f_type == PIDFS_MAGIC ? "a file of pidfs" : "an anonymous inode");
    if (fd >= 0)
        close(fd);
}

static void find_compat(char value[VALUE_BYTES])
{
    struct mrl_trip trip;

    mrl_way__go(MRL_WAY_COMPAT, &trip);
    say(value, trip.made ? "offered" : "not offered to a 64-bit process here");
}

static bool is_cgroup2(const char *path)
{
    struct statfs mounted;

    return !statfs(path, &mounted) && mounted.f_type == CGROUP2_SUPER_MAGIC;
}

static void find_cgroups(char value[VALUE_BYTES])
{
    if (is_cgroup2("/sys/fs/cgroup"))
        say(value, "v2");
    else if (is_cgroup2("/sys/fs/cgroup/unified"))
        say(value, "v1 and v2 (hybrid)");
    else
        say(value, access("/proc/cgroups", F_OK) ? "none" : "v1, or not mounted");
}

/* As the user and with the capabilities that this program has: access() asks with those of whoever
 * started it. */
static bool can_read(const char *path)
{
    return !faccessat(AT_FDCWD, path, R_OK, AT_EACCESS);
}

static void find_tracefs(char value[VALUE_BYTES])
{
    say(value,
        can_read("/sys/kernel/tracing/events") || can_read("/sys/kernel/debug/tracing/events")
            ? "mounted"
            : "not mounted, or not readable");
}

static void find_namespace(char value[VALUE_BYTES])
{
    char link[32] = "";

    /* PROC_CGROUP_INIT_INO, linux/proc_ns.h */
    if (readlink("/proc/self/ns/cgroup", link, sizeof(link) - 1) < 0)
        say(value, "there are none");
    else
        say(value, strcmp(link, "cgroup:[4026531835]") ? "its own: names from the probes alone"
                                                       : "the initial one");
}

static void find_unprivileged(char value[VALUE_BYTES])
{
    read_line(value, "/proc/sys/kernel/unprivileged_bpf_disabled");
}

static void find_paranoid(char value[VALUE_BYTES])
{
    read_line(value, "/proc/sys/kernel/perf_event_paranoid");
}

static void find_lockdown(char value[VALUE_BYTES])
{
    if (access("/sys/kernel/security/lockdown", F_OK))
        say(value, "not built in, or securityfs is not mounted");
    else
        read_line(value, "/sys/kernel/security/lockdown");
}

static bool holds(unsigned int capability)
{
    return mrl_right__is_held(&(struct mrl_right){ .capability = capability });
}

/* Of who holds the capability the kernel refuses a command that there is not as such: whoever says
 * that bpf() is not permitted is not the kernel. */
static bool is_bpf_refused(void)
{
    union bpf_attr none = { 0 };

    return (holds(CAP_BPF) || holds(CAP_SYS_ADMIN)) && syscall(SYS_bpf, -1, &none, 0) < 0 &&
           (errno == EPERM || errno == ENOSYS);
}

static void find_seccomp(char value[VALUE_BYTES])
{
    if (!prctl(PR_GET_SECCOMP, 0, 0, 0, 0))
        say(value, "none");
    else if (is_bpf_refused())
        say(value, "a filter that refuses bpf() even with the capability");
    else
        say(value, "a filter: what it refuses is not proven");
}

static void find_memlock(char value[VALUE_BYTES])
{
    struct rlimit limit = { 0 };

    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY)
        say(value, "unlimited");
    else
        snprintf(value, VALUE_BYTES, "%llu bytes", (unsigned long long)limit.rlim_cur);
}

static void find_user_namespace(char value[VALUE_BYTES])
{
    unsigned long row[3]; /* first id inside, the same outside, how many */
    char *at = value;

    read_line(value, "/proc/self/uid_map");
    for (int i = 0; i < 3; i++)
        row[i] = strtoul(at, &at, 10);
    if (at > value)
        say(value, !row[0] && !row[1] && row[2] == UINT32_MAX
                       ? "the initial one"
                       : "another one: its capabilities do not count here");
}

static void find_sandbox(char value[VALUE_BYTES])
{
    int landlock = mrl_landlock__version();
    const char *filters = mrl_sandbox_calls__are_known() ? "seccomp" : "no seccomp";

    if (landlock)
        snprintf(value, VALUE_BYTES, "Landlock %d, %s", landlock, filters);
    else
        snprintf(value, VALUE_BYTES, "no Landlock, %s", filters);
}

/* The capabilities that a run keeps, as the rungs say it. */
static void find_kept(char value[VALUE_BYTES])
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);
    size_t used = 0;

    for (unsigned int i = 0; i < count; i++)
        if (mrl_harden__switching(rungs[i].name))
            mrl_append(value, VALUE_BYTES, &used, "%s%s", used ? " and " : "CAP_PERFMON with ",
                       rungs[i].name);
}

static const struct mrl_fact facts[] = {
    { "kernel", "Release and machine.", find_kernel },
    { "process_mrelease", "The system call itself, asked with an impossible descriptor.",
      find_call },
    { "btf", "The kernel's types, at /sys/kernel/btf/vmlinux: every rung needs them.", find_btf },
    { "ring_buffer", "BPF ring buffers: every rung needs them.", find_ring },
    { "pidfd", "How the kernel keeps a pidfd: both ways are followed to the process.", find_pidfd },
    { "compat_calls", "int $0x80 of a 64-bit process: what the tracepoint rung is blind to.",
      find_compat },
    { "cgroups", "Which hierarchy cgroup ids are of.", find_cgroups },
    { "cgroup_namespace", "Of this process; in one of its own it is shown no other containers.",
      find_namespace },
    { "tracefs", "The tracepoint and kprobe rungs need it; root gets one of its own.",
      find_tracefs },
    { "unprivileged_bpf_disabled", "1 or 2: BPF needs capabilities.", find_unprivileged },
    { "perf_event_paranoid", "3: perf events, and so tracepoint and kprobe, are for root.",
      find_paranoid },
    { "lockdown", "[confidentiality] forbids BPF programs to read kernel memory.", find_lockdown },
    { "seccomp", "On this process, from a unit of systemd or a container.", find_seccomp },
    { "memlock", "RLIMIT_MEMLOCK: counts against BPF maps before Linux 5.11.", find_memlock },
    { "user_namespace", "Of this process.", find_user_namespace },
    { "sandbox", "What a run can be held by, once all is open.", find_sandbox },
    { "stays_when_switched", "What it keeps where clients switch events; else nothing.",
      find_kept },
};

const struct mrl_fact *mrl_doctor__facts(unsigned int *ret_count)
{
    *ret_count = sizeof(facts) / sizeof(facts[0]);
    return facts;
}

/* -- rights ----------------------------------------------------------------------------------- */

static const struct mrl_right rights[] = {
    { "CAP_BPF", "needed: to load programs", CAP_BPF },
    { "CAP_PERFMON", "needed: to trace with them", CAP_PERFMON },
    { "CAP_SYS_ADMIN", "does in place of both; the kprobe and tracepoint rungs may need it",
      CAP_SYS_ADMIN },
    { "CAP_DAC_READ_SEARCH", "to read tracefs where it is root's: tracepoint and kprobe",
      CAP_DAC_READ_SEARCH },
    { "CAP_SYS_RESOURCE", "to raise RLIMIT_MEMLOCK: before Linux 5.11 only", CAP_SYS_RESOURCE },
};

const struct mrl_right *mrl_doctor__rights(unsigned int *ret_count)
{
    *ret_count = sizeof(rights) / sizeof(rights[0]);
    return rights;
}

bool mrl_right__is_held(const struct mrl_right *right)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return !syscall(SYS_capget, &header, data) &&
           data[right->capability / 32].effective & (1U << (right->capability % 32));
}

/* -- advisories ------------------------------------------------------------------------------- */

static const struct mrl_advisory advisories[] = {
    { 515, 517,
      "process_mrelease can use memory of the target after it was freed (fixed in 5.17)" },
    { 515, 518, "process_mrelease returns 0 but leaves areas that are mlocked alone" },
};

/* 6.12 is 612. */
static unsigned int version_of(const char *release)
{
    char *dot;
    unsigned long major = strtoul(release, &dot, 10);

    return *dot == '.' && major < 100 ? (unsigned int)(major * 100 + strtoul(dot + 1, NULL, 10))
                                      : 0;
}

const struct mrl_advisory *mrl_doctor__advisory(const char *release, unsigned int index)
{
    unsigned int version = version_of(release);

    for (unsigned int i = 0; i < sizeof(advisories) / sizeof(advisories[0]); i++)
        if (version >= advisories[i].from && version < advisories[i].before && !index--)
            return &advisories[i];
    return NULL;
}
