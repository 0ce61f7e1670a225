// SPDX-License-Identifier: Apache-2.0
/* Containers of one call: cgroups made by hand, and runc's. */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "harness.h"

enum { RMDIR_TRIES = 2000, AT_ONCE = 4, NOT_EXECUTED = 127 };

/* The program in them has a name of this test's own: others make such containers as well. */
static const char *caller(void)
{
    return live__text("call.%d", (int)getpid());
}

const char *container__id(unsigned int number)
{
    return live__text("fedcba9876543210fedcba9876543210fedcba9876543210%08x%08x",
                      (unsigned int)getpid(), number);
}

unsigned int container__count_known(const struct lines *lines, unsigned int count)
{
    unsigned int known = 0;

    for (unsigned int number = 0; number < count; number++) {
        const char *id = container__id(number);
        bool found = false;

        for (size_t i = 0; i < lines->count && !found; i++)
            found = !strcmp(json__text(lines->at[i].json, "containerId"), id);
        known += found;
    }
    return known;
}

/* -- by hand ---------------------------------------------------------------------------------- */

const char *container__make(unsigned int number)
{
    return cgroup__make(live__text("containers/docker-%s.scope", container__id(number)));
}

void container__call_in(const char *directory)
{
    int status;
    pid_t child = fork();

    if (!child) {
        bool entered = cgroup__enter(directory);

        if (entered)
            trigger__native(event__find("munlock")->number, 0, 0, 0);
        _exit(!entered);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

void container__remove(const char *directory)
{
    int tries = 0;

    while (rmdir(directory) && errno == EBUSY && tries++ < RMDIR_TRIES)
        usleep(1000);
    assert_int_equal(access(directory, F_OK), -1);
}

static bool can_by_hand(void)
{
    const char *directory = container__make(UINT32_MAX);

    if (directory)
        container__remove(directory);
    return directory;
}

static void make_by_hand(unsigned int first, unsigned int count)
{
    for (unsigned int number = first; number < first + count; number++) {
        const char *directory = container__make(number);

        assert_non_null(directory);
        container__call_in(directory);
        container__remove(directory);
    }
}

const struct maker maker_by_hand = { "hand", can_by_hand, make_by_hand };

/* -- runc ------------------------------------------------------------------------------------- */

/* The root of an initramfs can only be mounted over. */
static bool may_pivot(void)
{
    struct statfs root;

    return !statfs("/", &root) && root.f_type != RAMFS_MAGIC;
}

/* In a child. Whatever it prints is shown where it fails. */
__attribute__((noreturn)) static void become_runc(const char *const *arguments)
{
    const char *words[12] = { "runc", "--root", live__path("runc") };
    size_t count = 3;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    while (*arguments && count < COUNT_OF(words) - 1)
        words[count++] = *arguments++;
    execvp(words[0], (char *const *)words);
    _exit(NOT_EXECUTED);
}

static pid_t start_runc(const char *const *arguments)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child)
        become_runc(arguments);
    return child;
}

static int status_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Its own example of a configuration, with another program and without a terminal. */
static void write_configuration(const char *bundle)
{
    const char *path = live__text("%s/config.json", bundle);
    json_t *config, *process;

    assert_int_equal(status_of(start_runc((const char *const[]){ "spec", "-b", bundle, NULL })), 0);
    config = json_load_file(path, 0, NULL);
    process = json_object_get(config, "process");
    assert_non_null(process);
    json_object_set_new(process, "terminal", json_false());
    json_object_set_new(process, "args", json_pack("[s+]", "/", caller()));
    assert_int_equal(json_dump_file(config, path, 0), 0);
    json_decref(config);
}

static void copy_program(const char *to)
{
    char block[65536];
    int in = open(MRL_TEST_ONE_CALL, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t size;

    while ((size = read(in, block, sizeof(block))) > 0)
        assert_int_equal(write(out, block, (size_t)size), size);
    assert_int_equal(size, 0);
    close(in);
    assert_int_equal(close(out), 0);
}

static const char *make_bundle(void)
{
    const char *bundle = live__path("bundle");

    if (access(bundle, F_OK)) {
        assert_int_equal(mkdir(bundle, 0755), 0);
        assert_int_equal(mkdir(live__text("%s/rootfs", bundle), 0755), 0);
        copy_program(live__text("%s/rootfs/%s", bundle, caller()));
        write_configuration(bundle);
    }
    return bundle;
}

static pid_t start_container(unsigned int number)
{
    const char *arguments[] = { "run", "-b", make_bundle(), container__id(number), NULL, NULL };

    if (!may_pivot()) {
        arguments[4] = arguments[3];
        arguments[3] = "--no-pivot";
    }
    return start_runc(arguments);
}

static bool can_runc(void)
{
    int status = system("runc --version >/dev/null 2>&1");

    if (status)
        puts("# skipped: needs runc");
    live__add_caller(caller());
    return !status;
}

static void make_with_runc(unsigned int first, unsigned int count)
{
    pid_t started[AT_ONCE];

    for (unsigned int done = 0; done < count; done += AT_ONCE) {
        unsigned int some = count - done < AT_ONCE ? count - done : AT_ONCE;

        for (unsigned int i = 0; i < some; i++)
            started[i] = start_container(first + done + i);
        for (unsigned int i = 0; i < some; i++)
            assert_int_equal(status_of(started[i]), 0);
    }
}

const struct maker maker_runc = { "runc", can_runc, make_with_runc };

/* -- hierarchies ------------------------------------------------------------------------------ */

#define ROOT    "/sys/fs/cgroup"
#define UNIFIED ROOT "/unified"

static bool root_is_v2(void)
{
    struct statfs root;

    return !statfs(ROOT, &root) && root.f_type == CGROUP2_SUPER_MAGIC;
}

bool hierarchy__is_own(enum hierarchy hierarchy)
{
    if (root_is_v2())
        return hierarchy == HIERARCHY_V2;
    return hierarchy == (access(UNIFIED "/cgroup.procs", F_OK) ? HIERARCHY_V1 : HIERARCHY_HYBRID);
}

static void go_back(void *object)
{
    int *space = object;

    setns(*space, CLONE_NEWNS);
    close(*space);
}

/* Until the test ends. */
static void enter_mount_namespace(void)
{
    static int space;

    space = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    assert_true(space >= 0);
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    cleanup__add(go_back, &space);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

static bool mount_v1(void)
{
    static const char *const controllers[] = { "cpuset", "devices" };

    if (mount("cgroup", ROOT, "tmpfs", 0, "mode=755"))
        return false;
    for (size_t i = 0; i < COUNT_OF(controllers); i++) {
        const char *directory = live__text(ROOT "/%s", controllers[i]);

        if (mkdir(directory, 0755) || mount("cgroup", directory, "cgroup", 0, controllers[i]))
            return false;
    }
    return true;
}

static bool mount_v2(const char *directory)
{
    return (!mkdir(directory, 0755) || errno == EEXIST) &&
           !mount("cgroup2", directory, "cgroup2", 0, NULL);
}

/* Instead of what the host shows. */
static bool mount_all(enum hierarchy hierarchy)
{
    if (umount2(ROOT, MNT_DETACH))
        return false;
    switch (hierarchy) {
    case HIERARCHY_V1:
        return mount_v1();
    case HIERARCHY_HYBRID:
        return mount_v1() && mount_v2(UNIFIED);
    default:
        return mount_v2(ROOT);
    }
}

bool hierarchy__show(enum hierarchy hierarchy)
{
    if (hierarchy__is_own(hierarchy))
        return true;
    enter_mount_namespace();
    if (mount_all(hierarchy))
        return true;
    printf("# skipped: the cgroups of this kernel cannot be mounted so: %s\n", strerror(errno));
    return false;
}
