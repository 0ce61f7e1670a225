// SPDX-License-Identifier: Apache-2.0
/* What is left to a process that entered the sandbox. Each test enters it in a child. */
#include <linux/bpf.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe/compat_call.h"
#include "side/common/landlock.h"
#include "side/common/sandbox.h"
#include "side/common/sandbox_calls.h"
#include "unit.h"

enum { NUMBERS = 500, BPF_COMMANDS = 64, WAIT_S = 20 };

/* As `mrelease run` with an output that switches events, and without a network. */
#define RUN_CALLS                                                                           \
    (MRL_CALLS_READ | MRL_CALLS_WRITE | MRL_CALLS_BPF | MRL_CALLS_PROBES | MRL_CALLS_PERF | \
     MRL_CALLS_PROVE)

static char directory[] = "/tmp/sandbox.XXXXXX";

/* A sanitizer makes calls that no profile lists. */
#ifdef MRL_SANITIZED
#    define skip_where_refusals_are_logged() \
        skip_because("under a sanitizer refusals are logged, and no more")
#else
#    define skip_where_refusals_are_logged() ((void)0)
#endif

/* In the child: what is wrong ends it. */
static void want(bool holds, const char *what, long number)
{
    if (holds)
        return;
    fprintf(stderr, "# %s %ld: %s\n", what, number, strerror(errno));
    _exit(1);
}

#define WANT(condition) want(condition, #condition, 0)

static void in_child(void (*act)(void))
{
    const int deadly[] = { SIGSEGV, SIGILL, SIGABRT, SIGBUS, SIGSYS };
    pid_t child = fork();
    int status;

    if (!child) {
        for (size_t i = 0; i < COUNT_OF(deadly); i++)
            signal(deadly[i], SIG_DFL); /* cmocka's would go on with the tests */
        alarm(WAIT_S);
        act();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_case("ended by signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void enter(uint32_t calls, uint64_t capabilities)
{
    struct mrl_sandbox sandbox = { .calls = calls, .capabilities = capabilities };
    struct mrl_error missing;

    WANT(!mrl_sandbox__add_path(&sandbox, directory, MRL_PATH_MAKE | MRL_PATH_READ));
    WANT(!mrl_sandbox__add_path(&sandbox, "/proc/self", MRL_PATH_READ));
    WANT(!mrl_sandbox__add_path(&sandbox, "/not/there", MRL_PATH_READ));
    if (mrl_sandbox__enter(&sandbox, &missing)) {
        fprintf(stderr, "# %s\n", missing.text);
        _exit(1);
    }
    mrl_sandbox__done(&sandbox);
}

static bool is_refused(long number, long first)
{
    errno = 0;
    return syscall(number, first, -1L, -1L, -1L, -1L, -1L) < 0 && errno == EPERM;
}

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
    enter(calls, 0);
    for (int i = 0; i <= NUMBERS; i++)
        if (!mrl_sandbox_calls__list(calls, i) && !is_left_out(i))
            want(is_refused(i, -1), "call", i);
    errno = 0;
    WANT(syscall(SYS_clone3, NULL, 0UL) < 0 && errno == ENOSYS);
}

static void walk_as_run(void)
{
    walk(RUN_CALLS);
}

static void walk_with_nothing(void)
{
    walk(0);
}

static void every_number_that_is_not_listed_is_refused(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(walk_as_run);
    in_child(walk_with_nothing);
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

    enter(RUN_CALLS, 0);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        want(is_refused(numbers[i], -1), "call", numbers[i]);
}

static void a_run_can_neither_start_programs_nor_speak(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(run_may_not_call);
}

static void try_bpf_commands(void)
{
    static const int listed[] = { BPF_MAP_LOOKUP_ELEM,     BPF_MAP_UPDATE_ELEM,
                                  BPF_MAP_LOOKUP_BATCH,    BPF_OBJ_GET_INFO_BY_FD,
                                  BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE };

    enter(RUN_CALLS, 0);
    for (int i = 0; i < BPF_COMMANDS; i++) {
        bool is_listed = false;

        for (size_t j = 0; j < COUNT_OF(listed); j++)
            is_listed |= listed[j] == i;
        want(is_refused(SYS_bpf, i) == !is_listed, "bpf command", i);
    }
}

static void other_commands_of_bpf_are_refused(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(try_bpf_commands);
}

static void try_arguments(void)
{
    enter(RUN_CALLS, 0);
    WANT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    WANT(errno == EPERM);
    WANT(syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) < 0 && errno == EPERM);
    WANT(syscall(SYS_clone, (long)CLONE_NEWUSER, 0L, 0L, 0L, 0L) < 0 && errno == EPERM);
    WANT(syscall(SYS_tgkill, getpid(), gettid(), SIGTERM) < 0 && errno == EPERM);
    WANT(signal(SIGURG, SIG_IGN) == SIG_DFL && !syscall(SYS_tgkill, getpid(), gettid(), SIGURG));
    WANT(is_refused(SYS_prctl, PR_SET_MM) && is_refused(SYS_prctl, PR_CAP_AMBIENT));
    WANT(syscall(SYS_ioctl, 0L, 0x5412L /* TIOCSTI */, 0L) < 0 && errno == EPERM);
    WANT(prctl(PR_SET_DUMPABLE, 1) < 0 && errno == EPERM);
    WANT(!prctl(PR_SET_DUMPABLE, 0));
}

static void arguments_are_looked_at(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(try_arguments);
}

/* Neither memory beyond its bound, nor a connection whose end somebody else waits for. */
static void try_as_side_program(void)
{
    const struct linger lingers = { 1, 1000 };
    const int yes = 1;
    int connection = socket(AF_INET, SOCK_STREAM, 0);

    enter(MRL_CALLS_MESSAGES | MRL_CALLS_SERVE, 0);
    WANT(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    WANT(errno == EPERM);
    WANT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    WANT(is_refused(SYS_memfd_create, 0));
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
    in_child(try_as_side_program);
}

#ifdef __x86_64__
/* Bit 30 chooses the x32 numbers: the same calls, by another door. */
static void try_x32(void)
{
    enter(RUN_CALLS & ~(uint32_t)MRL_CALLS_PROBES, 0);
    for (int i = 0; i <= NUMBERS; i++)
        want(is_refused(i | 1 << 30, -1), "x32 call", i);
}

/* int 0x80 makes the calls that prove probes, and no others. */
static void try_i386(void)
{
    enum { WRITE = 4, MLOCK = 150, EXECVE = 11 };
    const uint64_t none[6] = { 0 };

    enter(RUN_CALLS, 0);
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
    in_child(try_i386);
}

static void other_numbers_are_refused_too(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(try_x32);
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

    enter(RUN_CALLS, 0);
    WANT(!pthread_create(&thread, NULL, note, &ran));
    WANT(!pthread_join(thread, NULL) && ran);
    free(malloc(64 << 20));
}

static void threads_can_be_started(void **state)
{
    (void)state;
    in_child(start_thread);
}

static void *wait_for_filter(void *entered)
{
    while (!__atomic_load_n((bool *)entered, __ATOMIC_ACQUIRE))
        sched_yield();
    want(is_refused(SYS_execve, 0), "a thread of before", 0);
    return NULL;
}

static void enter_beside_thread(void)
{
    pthread_t thread;
    bool entered = false;

    WANT(!pthread_create(&thread, NULL, wait_for_filter, &entered));
    enter(RUN_CALLS, 0);
    __atomic_store_n(&entered, true, __ATOMIC_RELEASE);
    WANT(!pthread_join(thread, NULL));
}

static void calls_are_refused_in_threads_that_were_there(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    in_child(enter_beside_thread);
}

/* -- rights ----------------------------------------------------------------------------------- */

static unsigned long long status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long long value = ~0ULL;
    char line[256];

    WANT(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    fclose(file);
    return value;
}

static void look_at_rights(void)
{
    static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
    struct rlimit core;

    enter(RUN_CALLS, 0);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        want(!status_of(sets[i]), sets[i], 0);
    WANT(status_of("NoNewPrivs") == 1 && status_of("Seccomp") == 2);
    WANT(!getrlimit(RLIMIT_CORE, &core) && !core.rlim_max);
}

static void no_capability_stays(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root has capabilities to give up");
    in_child(look_at_rights);
}

static void keep_one(void)
{
    enter(RUN_CALLS, 1ULL << 2 /* CAP_DAC_READ_SEARCH */);
    WANT(status_of("CapPrm") == 4 && status_of("CapEff") == 4 && !status_of("CapAmb"));
}

static void what_is_named_stays(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root has capabilities to give up");
    in_child(keep_one);
}

/* The files of a process that may be dumped, and traced by its user, are that user's. */
static void look_at_owner(void)
{
    struct mrl_sandbox sandbox = { .calls = MRL_CALLS_READ };
    struct mrl_error missing;
    struct stat memory;

    WANT(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534));
    WANT(!prctl(PR_SET_DUMPABLE, 1)); /* which another user takes away by itself */
    WANT(!mrl_sandbox__add_path(&sandbox, "/proc/self", MRL_PATH_READ));
    WANT(!mrl_sandbox__enter(&sandbox, &missing));
    WANT(!stat("/proc/self/mem", &memory) && memory.st_uid == 0);
    mrl_sandbox__done(&sandbox);
}

static void it_cannot_be_dumped(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root can become another user");
    in_child(look_at_owner);
}

static void become_nobody(void)
{
    struct mrl_sandbox sandbox = { .calls = MRL_CALLS_READ, .user = "nobody", .files_max = 32 };
    struct mrl_error missing;
    struct rlimit files;
    gid_t groups[4];

    WANT(!mrl_sandbox__enter(&sandbox, &missing));
    WANT(getuid() == 65534 && geteuid() == 65534 && getegid() == 65534);
    WANT(syscall(SYS_getgroups, 4L, groups) < 0 && errno == EPERM);
    WANT(!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_max == 32);
    WANT(open("/proc/self/status", O_RDONLY) < 0 && errno == EACCES); /* no path is in reach */
}

static void a_side_program_has_its_own_user(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    if (geteuid())
        skip_because("only root can become another user");
    in_child(become_nobody);
}

static void lack_user(void)
{
    struct mrl_sandbox sandbox = { .user = "no-such-user" };
    struct mrl_error missing;

    WANT(mrl_sandbox__enter(&sandbox, &missing) == 1);
    WANT(strstr(missing.text, "no-such-user") != NULL);
}

static void a_user_that_is_not_there_is_told(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root can become another user");
    in_child(lack_user);
}

/* As root of a container that was given other capabilities. */
static void stay_root(void)
{
    struct mrl_sandbox sandbox = { .calls = MRL_CALLS_READ, .user = "nobody" };
    struct mrl_error missing;

    WANT(!cap_set_proc(cap_from_text("cap_bpf,cap_perfmon=ep")));
    WANT(mrl_sandbox__enter(&sandbox, &missing) == 1);
    WANT(strstr(missing.text, "CAP_SETUID") != NULL);
    WANT(!geteuid() && open("/proc/self/status", O_RDONLY) < 0 && errno == EACCES);
}

static void root_that_cannot_become_another_is_told(void **state)
{
    (void)state;
    skip_where_refusals_are_logged();
    if (geteuid())
        skip_because("only root can become another user");
    in_child(stay_root);
}

/* -- paths ------------------------------------------------------------------------------------ */

static void try_paths(void)
{
    char path[64], other[64];
    int fd;

    snprintf(path, sizeof(path), "%s/file", directory);
    snprintf(other, sizeof(other), "%s/file.1", directory);
    enter(RUN_CALLS, 0);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    WANT(fd >= 0 && write(fd, "x", 1) == 1 && !ftruncate(fd, 0));
    WANT(!rename(path, other) && open(other, O_RDONLY) >= 0 && !unlink(other));
    WANT(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    WANT(open("/tmp/sandbox-escaped", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    WANT(open("/proc/1/status", O_RDONLY) < 0 && errno == EACCES);
    WANT(open("/proc/self/status", O_RDONLY) >= 0);
}

static void only_named_paths_are_in_reach(void **state)
{
    (void)state;
    if (!mrl_landlock__version())
        skip_because("this kernel has no Landlock");
    in_child(try_paths);
}

static void read_only(void)
{
    WANT(mrl_sandbox__enter_reader("/", NULL) == 0);
    WANT(open("/etc/passwd", O_RDONLY) >= 0);
    WANT(open("/dev/null", O_WRONLY) < 0 && errno == EACCES);
    WANT(open("/tmp/sandbox-escaped", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    WANT(write(STDERR_FILENO, "", 0) == 0);
}

static void read_what_is_open(void)
{
    WANT(mrl_sandbox__enter_reader(NULL, NULL) == 0);
    WANT(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
}

static void who_reads_foreign_files_writes_none(void **state)
{
    (void)state;
    if (!mrl_landlock__version())
        skip_because("this kernel has no Landlock");
    in_child(read_only);
    in_child(read_what_is_open);
}

/* -- trying without --------------------------------------------------------------------------- */

static int effective(void *ret_set)
{
    *(unsigned long long *)ret_set = status_of("CapEff");
    return 7;
}

static void capabilities_come_back_after_a_try(void **state)
{
    unsigned long long before = status_of("CapEff"), during = ~0ULL;

    (void)state;
    assert_int_equal(mrl_sandbox__without_capabilities(effective, &during), 7);
    assert_true(during == 0);
    assert_true(status_of("CapEff") == before);
}

static void capabilities_have_names(void **state)
{
    char text[64];

    (void)state;
    mrl_sandbox__name_capabilities(0, text, sizeof(text));
    assert_string_equal(text, "none");
    mrl_sandbox__name_capabilities(1ULL << 2 | 1ULL << 21, text, sizeof(text));
    assert_string_equal(text, "CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN");
    mrl_sandbox__name_capabilities(~0ULL, text, 16); /* cut */
    assert_true(strlen(text) < 16);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities_come_back_after_a_try),
        cmocka_unit_test(capabilities_have_names),
        cmocka_unit_test(no_capability_stays),
        cmocka_unit_test(what_is_named_stays),
        cmocka_unit_test(it_cannot_be_dumped),
        cmocka_unit_test(a_user_that_is_not_there_is_told),
        cmocka_unit_test(only_named_paths_are_in_reach),
        cmocka_unit_test(who_reads_foreign_files_writes_none),
        cmocka_unit_test(threads_can_be_started),
        cmocka_unit_test(a_side_program_has_its_own_user),
        cmocka_unit_test(root_that_cannot_become_another_is_told),
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

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
