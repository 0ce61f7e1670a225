// SPDX-License-Identifier: Apache-2.0
/* Which system calls are left to a process that entered the sandbox, and to its threads. */
#include <linux/bpf.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/compat_call.h"
#include "unit/sandboxed.h"
#include "unit/unit.h"

enum { NUMBERS = 500, BPF_COMMANDS = 64 };

/* -- system calls ----------------------------------------------------------------------------- */

/* clone3() has an answer of its own. uretprobe() and uprobe() of x86 are the end of the kernel's
 * own trampolines: it shows them to no filter, and kills who calls them from elsewhere. */
static bool is_left_out(int number)
{
#ifdef __x86_64__
    if (number == 335 || number == 336)
        return true;
#endif
    return number == SYS_clone3;
}

static void walk(uint32_t calls)
{
    sandboxed__enter(calls, 0);
    for (int i = 0; i <= NUMBERS; i++)
        if (!mrl_sandbox_calls__list(calls, i) && !is_left_out(i))
            sandboxed__want(sandboxed__refuses(i, -1), "call", i);
    errno = 0;
    WANT(syscall(SYS_clone3, NULL, 0UL) < 0 && errno == ENOSYS);
}

static void walk_as_run(void)
{
    walk(SANDBOXED_RUN);
}

static void walk_with_nothing(void)
{
    walk(0);
}

static void every_number_that_is_not_listed_is_refused(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(walk_as_run);
    sandboxed__run(walk_with_nothing);
}

/* What nobody may add to a list in passing. */
static void run_may_not_call(void)
{
    static const int numbers[] = {
        SYS_execve,         SYS_execveat,
        SYS_ptrace,         SYS_process_vm_readv,
        SYS_mount,          SYS_umount2,
        SYS_fsopen,         SYS_open_tree,
        SYS_move_mount,     SYS_pivot_root,
        SYS_chroot,         SYS_unshare,
        SYS_setns,          SYS_socket,
        SYS_connect,        SYS_bind,
        SYS_accept4,        SYS_init_module,
        SYS_finit_module,   SYS_kexec_load,
        SYS_reboot,         SYS_setuid,
        SYS_setresuid,      SYS_setgroups,
        SYS_capset,         SYS_kill,
        SYS_tkill,          SYS_pidfd_open,
        SYS_pidfd_getfd,    SYS_pidfd_send_signal,
        SYS_keyctl,         SYS_add_key,
        SYS_io_uring_setup, SYS_userfaultfd,
        SYS_memfd_create,   SYS_open_by_handle_at,
        SYS_mknodat,        SYS_linkat,
        SYS_symlinkat,      SYS_fchmodat,
        SYS_fchownat,       SYS_personality,
        SYS_syslog,         SYS_clock_settime,
        SYS_settimeofday,   SYS_swapon,
        SYS_quotactl,       SYS_seccomp,
        SYS_sethostname,    SYS_openat2,
        SYS_fanotify_init,  SYS_setrlimit,
    };

    sandboxed__enter(SANDBOXED_RUN, 0);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        sandboxed__want(sandboxed__refuses(numbers[i], -1), "call", numbers[i]);
}

static void a_run_can_neither_start_programs_nor_speak(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(run_may_not_call);
}

static void try_bpf_commands(void)
{
    static const int listed[] = { BPF_MAP_LOOKUP_ELEM,     BPF_MAP_UPDATE_ELEM,
                                  BPF_MAP_LOOKUP_BATCH,    BPF_OBJ_GET_INFO_BY_FD,
                                  BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE };

    sandboxed__enter(SANDBOXED_RUN, 0);
    for (int i = 0; i < BPF_COMMANDS; i++) {
        bool is_listed = false;

        for (size_t j = 0; j < COUNT_OF(listed); j++)
            is_listed |= listed[j] == i;
        sandboxed__want(sandboxed__refuses(SYS_bpf, i) == !is_listed, "bpf command", i);
    }
}

static void other_commands_of_bpf_are_refused(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(try_bpf_commands);
}

static void try_arguments(void)
{
    sandboxed__enter(SANDBOXED_RUN, 0);
    WANT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    WANT(errno == EPERM);
    WANT(syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) < 0 && errno == EPERM);
    WANT(syscall(SYS_clone, (long)CLONE_NEWUSER, 0L, 0L, 0L, 0L) < 0 && errno == EPERM);
    WANT(syscall(SYS_tgkill, getpid(), gettid(), SIGTERM) < 0 && errno == EPERM);
    WANT(signal(SIGURG, SIG_IGN) == SIG_DFL && !syscall(SYS_tgkill, getpid(), gettid(), SIGURG));
    WANT(sandboxed__refuses(SYS_prctl, PR_SET_MM) && sandboxed__refuses(SYS_prctl, PR_CAP_AMBIENT));
    WANT(syscall(SYS_ioctl, 0L, 0x5412L /* TIOCSTI */, 0L) < 0 && errno == EPERM);
    WANT(prctl(PR_SET_DUMPABLE, 1) < 0 && errno == EPERM);
    WANT(!prctl(PR_SET_DUMPABLE, 0));
}

static void arguments_are_looked_at(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(try_arguments);
}

/* Neither memory beyond its bound, nor a connection whose end somebody else waits for. */
static void try_as_side_program(void)
{
    const struct linger lingers = { 1, 1000 };
    const int yes = 1;
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    sandboxed__enter(MRL_CALLS_MESSAGES | MRL_CALLS_SERVE, 0);
    WANT(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    WANT(errno == EPERM);
    WANT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    WANT(sandboxed__refuses(SYS_memfd_create, 0));
    WANT(setsockopt(connection, SOL_SOCKET, SO_LINGER, &lingers, sizeof(lingers)) < 0);
    WANT(errno == EPERM);
    WANT(syscall(SYS_setsockopt, (long)connection, (long)SOL_SOCKET, SO_LINGER | 1L << 32, &lingers,
                 sizeof(lingers)) < 0);
    WANT(errno == EPERM);
    WANT(!setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes)));
}

static void a_side_program_makes_nobody_wait_or_pay(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(try_as_side_program);
}

#ifdef __x86_64__
/* Bit 30 chooses the x32 numbers: the same calls, by another door. */
static void try_x32(void)
{
    sandboxed__enter(SANDBOXED_RUN & ~(uint32_t)MRL_CALLS_PROBES, 0);
    for (int i = 0; i <= NUMBERS; i++)
        sandboxed__want(sandboxed__refuses(i | 1 << 30, -1), "x32 call", i);
}

/* int 0x80 makes the calls that prove probes, and no others. */
static void try_i386(void)
{
    enum { WRITE = 4, MLOCK = 150, EXECVE = 11 };
    const uint64_t none[6] = { 0 };

    sandboxed__enter(SANDBOXED_RUN, 0);
    WANT(mrl_compat_call(MRL_I386_GETPID, none) == getpid());
    WANT(mrl_compat_call(MLOCK, none) == 0);
    WANT(mrl_compat_call(WRITE, none) == -EPERM);
    WANT(mrl_compat_call(EXECVE, none) == -EPERM);
}

static int get_pid(void)
{
    const uint64_t none[6] = { 0 };

    return mrl_compat_call(MRL_I386_GETPID, none) == getpid();
}

static void the_other_door_is_open_for_proofs_alone(void **state)
{
    pid_t child;
    int status = 0;

    (void)state;
    skip_where_refusals_are_logged();
    child = fork(); /* without such calls the kernel kills */
    if (!child) {
        signal(SIGSEGV, SIG_DFL);
        _exit(!get_pid());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        skip_because("this kernel has no 32-bit calls");
    sandboxed__run(try_i386);
}

static void other_numbers_are_refused_too(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(try_x32);
}
#endif

/* -- threads ---------------------------------------------------------------------------------- */

static void *note(void *ran)
{
    *(bool *)ran = true;
    return NULL;
}

static void start_thread(void)
{
    pthread_t thread;
    bool ran = false;

    sandboxed__enter(SANDBOXED_RUN, 0);
    WANT(!pthread_create(&thread, NULL, note, &ran));
    WANT(!pthread_join(thread, NULL) && ran);
    free(malloc(64 << 20));
}

static void threads_can_be_started(void **state)
{
    (void)state;
    sandboxed__run(start_thread);
}

static void *wait_for_filter(void *entered)
{
    while (!__atomic_load_n((bool *)entered, __ATOMIC_ACQUIRE))
        sched_yield();
    sandboxed__want(sandboxed__refuses(SYS_execve, 0), "a thread of before", 0);
    return NULL;
}

static void enter_beside_thread(void)
{
    pthread_t thread;
    bool entered = false;

    WANT(!pthread_create(&thread, NULL, wait_for_filter, &entered));
    sandboxed__enter(SANDBOXED_RUN, 0);
    __atomic_store_n(&entered, true, __ATOMIC_RELEASE);
    WANT(!pthread_join(thread, NULL));
}

static void calls_are_refused_in_threads_that_were_there(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    sandboxed__run(enter_beside_thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_can_be_started),
        cmocka_unit_test(every_number_that_is_not_listed_is_refused),
        cmocka_unit_test(a_run_can_neither_start_programs_nor_speak),
        cmocka_unit_test(other_commands_of_bpf_are_refused),
        cmocka_unit_test(arguments_are_looked_at),
        cmocka_unit_test(a_side_program_makes_nobody_wait_or_pay),
        cmocka_unit_test(calls_are_refused_in_threads_that_were_there),
#ifdef __x86_64__
        cmocka_unit_test(other_numbers_are_refused_too),
        cmocka_unit_test(the_other_door_is_open_for_proofs_alone),
#endif
    };

    return cmocka_run_group_tests(tests, sandboxed__set_up, sandboxed__tear_down);
}
