// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock: what a thread may do to which files. libc has no functions for it, and the headers of
 * the kernel are older than what kernels know, so that both stand here. Newer rights are left out
 * on older kernels.
 */
#include "side/common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Of include/uapi/linux/landlock.h, by the version (ABI) that brought them. */
#define REFER               (1ULL << 13) /* 2 */
#define TRUNCATE            (1ULL << 14) /* 3 */
#define IOCTL_DEV           (1ULL << 15) /* 5 */
#define BIND_TCP            (1ULL << 0)  /* 4 */
#define CONNECT_TCP         (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* 6 */
#define SCOPE_SIGNAL        (1ULL << 1)

enum { FIRST_VERSION_RIGHTS = 13 };

/* Older kernels take a struct that is longer than they know, so long as the rest of it is zero. */
struct ruleset {
    uint64_t files, tcp, scoped;
};

/* What a rule for something that is no directory may hold. */
#define OF_FILES                                                                                 \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
     TRUNCATE | IOCTL_DEV)

/* MRL_PATH_… as Landlock's rights. */
static const uint64_t rights_of[] = {
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEV,
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | TRUNCATE,
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
        LANDLOCK_ACCESS_FS_WRITE_FILE,
};

int mrl_landlock__version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0UL, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

/* All that this kernel can refuse. */
static struct ruleset all_of(int version, bool is_networked)
{
    struct ruleset all = { .files = (1ULL << FIRST_VERSION_RIGHTS) - 1 };

#ifdef MRL_SANITIZED
    all.files &= ~LANDLOCK_ACCESS_FS_EXECUTE; /* the symbolizer */
#endif
    all.files |= version >= 2 ? REFER : 0;
    all.files |= version >= 3 ? TRUNCATE : 0;
    all.files |= version >= 5 ? IOCTL_DEV : 0;
    if (!is_networked) {
        all.tcp = version >= 4 ? BIND_TCP | CONNECT_TCP : 0;
        all.scoped = version >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0;
    }
    return all;
}

static int add_path(int ruleset, const struct mrl_sandbox_path *path, uint64_t handled)
{
    struct landlock_path_beneath_attr rule = {
        .parent_fd = open(path->path, O_PATH | O_CLOEXEC),
    };
    struct stat file;
    int err = 0;

    if (rule.parent_fd < 0)
        return errno == ENOENT ? 0 : -errno;
    for (unsigned int i = 0; i < sizeof(rights_of) / sizeof(rights_of[0]); i++)
        if (path->rights & (1U << i))
            rule.allowed_access |= rights_of[i];
    rule.allowed_access &= handled;
    if (fstat(rule.parent_fd, &file))
        err = -errno;
    else if (!S_ISDIR(file.st_mode))
        rule.allowed_access &= OF_FILES;
    if (!err && rule.allowed_access &&
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0UL))
        err = -errno;
    close(rule.parent_fd);
    return err;
}

int mrl_landlock__enter(const struct mrl_sandbox *sandbox)
{
    int version = mrl_landlock__version(), ruleset, err = 0;
    struct ruleset all = all_of(version, sandbox->calls & MRL_CALLS_NET);

    if (!version)
        return -EOPNOTSUPP;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0UL);
    if (ruleset < 0)
        return -errno;
    for (unsigned int i = 0; !err && i < sandbox->path_count; i++)
        err = add_path(ruleset, &sandbox->paths[i], all.files);
#ifdef MRL_SANITIZED
    if (!err) /* where leaks are looked for */
        err =
            add_path(ruleset, &(struct mrl_sandbox_path){ "/proc/self", MRL_PATH_READ }, all.files);
#endif
    if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0UL))
        err = -errno;
    close(ruleset);
    return err;
}
