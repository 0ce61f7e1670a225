// SPDX-License-Identifier: Apache-2.0
/* Which rights and paths are left to a process that entered the sandbox. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "side/common/landlock.h"
#include "unit/sandboxed.h"
#include "unit/unit.h"

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

    sandboxed__enter(SANDBOXED_RUN, 0);
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        sandboxed__want(!status_of(sets[i]), sets[i], 0);
    WANT(status_of("NoNewPrivs") == 1 && status_of("Seccomp") == 2);
    WANT(!getrlimit(RLIMIT_CORE, &core) && !core.rlim_max);
}

static void no_capability_stays(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root has capabilities to give up");
    sandboxed__run(look_at_rights);
}

static void keep_one(void)
{
    sandboxed__enter(SANDBOXED_RUN, 1ULL << 2 /* CAP_DAC_READ_SEARCH */);
    WANT(status_of("CapPrm") == 4 && status_of("CapEff") == 4 && !status_of("CapAmb"));
}

static void what_is_named_stays(void **state)
{
    (void)state;
    if (geteuid())
        skip_because("only root has capabilities to give up");
    sandboxed__run(keep_one);
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
    sandboxed__run(look_at_owner);
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
    sandboxed__run(become_nobody);
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
    sandboxed__run(lack_user);
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
    sandboxed__run(stay_root);
}

/* -- paths ------------------------------------------------------------------------------------ */

static void try_paths(void)
{
    char path[64], other[64];
    int fd;

    snprintf(path, sizeof(path), "%s/file", sandboxed_directory);
    snprintf(other, sizeof(other), "%s/file.1", sandboxed_directory);
    sandboxed__enter(SANDBOXED_RUN, 0);
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
    sandboxed__run(try_paths);
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
    sandboxed__run(read_only);
    sandboxed__run(read_what_is_open);
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
        cmocka_unit_test(a_side_program_has_its_own_user),
        cmocka_unit_test(root_that_cannot_become_another_is_told),
    };

    return cmocka_run_group_tests(tests, sandboxed__set_up, sandboxed__tear_down);
}
