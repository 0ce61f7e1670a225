// SPDX-License-Identifier: Apache-2.0
/*
 * Which system calls a process may make, by what it does. What is on no list is refused with EPERM,
 * and the process goes on: a sensor that ends for a call which somebody forgot to list sees
 * nothing, and whoever broke into it has no more from a call that fails than from one that kills.
 */
#include <linux/bpf.h>

#include "side/common/sandbox_calls.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "side/common/profile.h"

#define EVERY 0 /* no group: every process has these */

/* What a call's argument must be: equal to `value` in the bits of `mask`. */
struct condition {
    unsigned int argument;
    uint64_t mask, value;
};

#define WHEN(argument, mask, value) { argument, mask, value }, true
#define IS(argument, value)         WHEN(argument, UINT64_MAX, value)
#define ANY                         { 0, 0, 0 }, false

/* Calls whose arguments matter. Several rows of a call: one of them must fit. */
static const struct {
    uint32_t group;
    const char *name;
    struct condition condition;
    bool has_condition;
    int answer; /* errno; 0: the call is made */
} rows[] = {
    /* What RLIMIT_DATA does not count. A refusal stands before what allows the same call. */
    { MRL_CALLS_SERVE, "mmap", WHEN(3, MAP_SHARED, MAP_SHARED), EPERM },
    { MRL_CALLS_SERVE, "memfd_create", ANY, EPERM },
    /* Who is the last to close such a connection waits for its peer: that could be the sensor, to
     * which requests bring connections. The kernel looks at the lower half only. */
    { MRL_CALLS_SERVE, "setsockopt", WHEN(2, UINT32_MAX, SO_LINGER), EPERM },
/* Whoever proves makes a child that nobody may trace: never the other way. */
#ifndef MRL_SANITIZED /* a sanitizer traces us, to look for leaks */
    { MRL_CALLS_PROBES | MRL_CALLS_PROVE, "prctl", IS(1, 1), EPERM },
#endif
    /* Memory is written to, or it is run. */
    { EVERY, "mmap", WHEN(2, PROT_EXEC, 0), 0 },
    { EVERY, "mprotect", WHEN(2, PROT_EXEC, 0), 0 },
    /* Threads. clone3() keeps its flags in memory, where no filter looks: without it, libc takes
     * the call whose flags are seen. */
    { EVERY, "clone", WHEN(0, CLONE_THREAD, CLONE_THREAD), 0 },
    { EVERY, "clone3", ANY, ENOSYS },
    /* An output's thread that hangs in a write is interrupted so; who has no handler ignores it. */
    { EVERY, "tgkill", IS(2, SIGURG), 0 },
    { EVERY, "prlimit64", IS(2, 0), 0 },
    { EVERY, "prctl", IS(0, PR_SET_NAME), 0 },
    { EVERY, "prctl", IS(0, PR_GET_NAME), 0 },
    { EVERY, "ioctl", IS(1, TCGETS), 0 },
    { EVERY, "ioctl", IS(1, TIOCGWINSZ), 0 },
    { EVERY, "ioctl", IS(1, FIONREAD), 0 },
    { EVERY, "ioctl", IS(1, FIONBIO), 0 },
    { MRL_CALLS_NET | MRL_CALLS_UNIX, "socket", IS(0, AF_UNIX), 0 },
    { MRL_CALLS_NET, "socket", IS(0, AF_INET), 0 },
    { MRL_CALLS_NET, "socket", IS(0, AF_INET6), 0 },
    { MRL_CALLS_NET, "socket", IS(0, AF_NETLINK), 0 }, /* names of hosts */
    { MRL_CALLS_NET | MRL_CALLS_SERVE, "ioctl", IS(1, SIOCOUTQ), 0 },
    { MRL_CALLS_BPF, "bpf", IS(0, BPF_MAP_LOOKUP_ELEM), 0 },
    { MRL_CALLS_BPF, "bpf", IS(0, BPF_MAP_LOOKUP_BATCH), 0 },
    { MRL_CALLS_BPF, "bpf", IS(0, BPF_MAP_UPDATE_ELEM), 0 },
    { MRL_CALLS_BPF, "bpf", IS(0, BPF_OBJ_GET_INFO_BY_FD), 0 },
    { MRL_CALLS_BPF, "ioctl", IS(1, PERF_EVENT_IOC_DISABLE), 0 },
    { MRL_CALLS_PROBES, "bpf", IS(0, BPF_RAW_TRACEPOINT_OPEN), 0 },
    { MRL_CALLS_PROBES, "bpf", IS(0, BPF_LINK_CREATE), 0 },
    { MRL_CALLS_PROBES | MRL_CALLS_PROVE, "clone", IS(0, 0),
      0 }, /* the child that proves, and makes a few calls */
    { MRL_CALLS_PROBES | MRL_CALLS_PROVE, "prctl", IS(0, PR_SET_DUMPABLE), 0 },
    { MRL_CALLS_PERF, "ioctl", IS(1, PERF_EVENT_IOC_ENABLE), 0 },
    { MRL_CALLS_PERF, "ioctl", IS(1, PERF_EVENT_IOC_SET_BPF), 0 },
};

/* The others, which end with NULL. */
static const struct {
    uint32_t group;
    const char *const *names;
} lists[] = {
    { EVERY,
      (const char *const[]){
          /* memory */
          "brk", "madvise", "mremap", "munmap",
          /* threads, signals, the end */
          "exit", "exit_group", "futex", "get_robust_list", "getegid", "geteuid", "getgid",
          "getpid", "getppid", "gettid", "getuid", "membarrier", "restart_syscall", "rseq",
          "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
          "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
          "set_robust_list", "set_tid_address", "sigaltstack", "getcpu", "getrlimit", "getrusage",
          /* time */
          "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep",
          "setitimer", "time", "times",
          /* children of before */
          "wait4",
          /* descriptors */
          "close", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait",
          "eventfd2", "fcntl", "fdatasync", "fstat", "lseek", "pipe2", "poll", "ppoll", "pread64",
          "pselect6", "pwrite64", "read", "readv", "select", "write", "writev",
          /* the host */
          "getrandom", "sysinfo", "uname", NULL } },
    { MRL_CALLS_READ,
      (const char *const[]){ "access", "faccessat", "faccessat2", "fadvise64", "fstatfs", "getcwd",
                             "getdents64", "lstat", "newfstatat", "open", "openat", "readlink",
                             "readlinkat", "stat", "statfs", "statx", NULL } },
    { MRL_CALLS_WRITE,
      (const char *const[]){ "fchmod", "fchown", "flock", "fsync", "ftruncate", "rename",
                             "renameat", "renameat2", "unlink", "unlinkat", NULL } },
    { MRL_CALLS_MESSAGES,
      (const char *const[]){ "memfd_create", "getpeername", "getsockname", "getsockopt", "recvfrom",
                             "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "shutdown",
                             NULL } },
    { MRL_CALLS_NET | MRL_CALLS_SERVE,
      (const char *const[]){ "accept", "accept4", "setsockopt", "socketpair", NULL } },
    { MRL_CALLS_ACCEPT, (const char *const[]){ "accept4", NULL } },
    { MRL_CALLS_NET, (const char *const[]){ "bind", "connect", "listen", NULL } },
    { MRL_CALLS_UNIX, (const char *const[]){ "connect", "setsockopt", "socketpair", NULL } },
    { MRL_CALLS_PROBES | MRL_CALLS_PROVE,
      (const char *const[]){ "mlock", "mlock2", "mlockall", "munlock", "munlockall",
                             "process_mrelease", NULL } },
    { MRL_CALLS_PERF, (const char *const[]){ "perf_event_open", NULL } },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), LISTS = sizeof(lists) / sizeof(lists[0]) };

static bool is_in(uint32_t calls, uint32_t group)
{
    return group == EVERY || (calls & group);
}

bool mrl_sandbox_calls__list(uint32_t calls, int number)
{
    for (unsigned int i = 0; i < ROWS; i++)
        if (is_in(calls, rows[i].group) && !rows[i].answer &&
            seccomp_syscall_resolve_name(rows[i].name) == number)
            return true;
    for (unsigned int i = 0; i < LISTS; i++)
        for (unsigned int j = 0; is_in(calls, lists[i].group) && lists[i].names[j]; j++)
            if (seccomp_syscall_resolve_name(lists[i].names[j]) == number)
                return true;
    return false;
}

/* -- the filter ------------------------------------------------------------------------------- */

/*
 * The library knows the numbers of each machine. Its builder of filters is not used: it ends the
 * program where memory runs out, and takes a millisecond. This one asks for no memory.
 */
enum { CODE_MAX = 1024, NUMBER = offsetof(struct seccomp_data, nr) };

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned int count;
};

#ifdef MRL_SANITIZED
#    define REFUSAL SECCOMP_RET_LOG /* a sanitizer's runtime makes further calls */
#else
#    define REFUSAL (SECCOMP_RET_ERRNO | EPERM)
#endif

static void put(struct program *program, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_not)
{
    assert(program->count < CODE_MAX);
    program->code[program->count++] = (struct sock_filter){ code, if_true, if_not, k };
}

static void load(struct program *program, size_t offset)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *program, uint32_t action)
{
    put(program, BPF_RET | BPF_K, action, 0, 0);
}

/* Goes on behind the next `skipped` instructions unless what is loaded equals `value`. */
static void unless(struct program *program, uint32_t value, uint8_t skipped)
{
    put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

/* The number is loaded, before and behind. One that this machine has not, or the library does not
 * know, is left out. */
static void add(struct program *program, int number, uint32_t action)
{
    if (number < 0)
        return;
    unless(program, (uint32_t)number, 1);
    answer(program, action);
}

/* Half of an argument: the lower one stands first on the machines that there are. */
static void test_half(
    struct program *program, size_t offset, uint64_t mask, uint64_t value, uint8_t skipped)
{
    load(program, offset);
    put(program, BPF_ALU | BPF_AND | BPF_K, (uint32_t)mask, 0, 0);
    unless(program, (uint32_t)value, skipped);
}

static void add_when(struct program *program,
                     int number,
                     const struct condition *when,
                     uint32_t action)
{
    size_t offset = offsetof(struct seccomp_data, args) + when->argument * sizeof(uint64_t);

    if (number < 0)
        return;
    unless(program, (uint32_t)number, 8);
    test_half(program, offset, when->mask, when->value, 4);
    test_half(program, offset + 4, when->mask >> 32, when->value >> 32, 1);
    answer(program, action);
    load(program, NUMBER);
}

/* Those with conditions stand first: the kernel remembers which numbers always pass, and runs the
 * filter for the others only. */
static void fill(struct program *program, uint32_t calls)
{
    load(program, NUMBER);
    for (unsigned int i = 0; i < ROWS; i++) {
        int number = seccomp_syscall_resolve_name(rows[i].name);
        uint32_t action =
            rows[i].answer ? SECCOMP_RET_ERRNO | (uint32_t)rows[i].answer : SECCOMP_RET_ALLOW;

        if (!is_in(calls, rows[i].group))
            continue;
        if (rows[i].has_condition)
            add_when(program, number, &rows[i].condition, action);
        else
            add(program, number, action);
    }
    for (unsigned int i = 0; i < LISTS; i++)
        for (unsigned int j = 0; is_in(calls, lists[i].group) && lists[i].names[j]; j++)
            add(program, seccomp_syscall_resolve_name(lists[i].names[j]), SECCOMP_RET_ALLOW);
}

/* The proof calls come in every way into the kernel that there is. */
static void add_proofs(struct program *program, uint32_t machine)
{
    static const char *const names[] = { "getpid",  "mlock",      "mlock2",          "mlockall",
                                         "munlock", "munlockall", "process_mrelease" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add(program, seccomp_syscall_resolve_name_arch(machine, names[i]), SECCOMP_RET_ALLOW);
}

/* x32 has the machine of 64 bits, and numbers of its own; i386 has another machine. */
static void build(struct program *program, uint32_t calls)
{
    bool proves = calls & MRL_CALLS_PROBES;
    unsigned int over;

    load(program, offsetof(struct seccomp_data, arch));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0);
    over = program->count;
    put(program, BPF_JMP | BPF_JA, 0, 0, 0);
    fill(program, calls);
    if (proves && seccomp_arch_native() == SCMP_ARCH_X86_64)
        add_proofs(program, SCMP_ARCH_X32);
    answer(program, REFUSAL);
    program->code[over].k = program->count - over - 1;
    if (proves && seccomp_arch_native() == SCMP_ARCH_X86_64) {
        unless(program, SCMP_ARCH_X86, 1);
        put(program, BPF_JMP | BPF_JA, 1, 0, 0);
        answer(program, REFUSAL);
        load(program, NUMBER);
        add_proofs(program, SCMP_ARCH_X86);
    }
    answer(program, REFUSAL);
}

bool mrl_sandbox_calls__are_known(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0UL, &action);
}

int mrl_sandbox_calls__refuse_others(uint32_t calls)
{
    struct program program = { .count = 0 };
    struct sock_fprog filter = { .filter = program.code };
    long result;

    if (!mrl_sandbox_calls__are_known())
        return -EOPNOTSUPP;
    build(&program, calls);
    filter.len = (unsigned short)program.count;
    result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    /* A positive number is a thread that has another filter. */
    return result < 0 ? -errno : result ? -EBUSY : 0;
}
