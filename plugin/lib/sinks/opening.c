// SPDX-License-Identifier: Apache-2.0
#include "sinks/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

enum { FILE_MODE = 0640 };

/* -- errors ----------------------------------------------------------------------------------- */

/* Says how much of the path is right: a mistyped directory is then seen at once. */
static int missing_directory(const char *path, struct mrl_error *error)
{
    char parent[PATH_MAX];
    char *slash;

    snprintf(parent, sizeof(parent), "%s", path);
    while ((slash = strrchr(parent, '/')) && slash > parent) {
        *slash = '\0';
        if (!access(parent, F_OK))
            break;
    }
    if (!slash || slash == parent)
        snprintf(parent, sizeof(parent), "%s", *path == '/' ? "/" : ".");
    return mrl_error__set(error, -ENOENT, "%.256s: no such directory; what exists is '%.256s'",
                          path, parent);
}

static int explain(const char *path, int err, struct mrl_error *error)
{
    if (err == -ENXIO)
        return mrl_error__set(error, err, "%.256s: a FIFO that nobody reads", path);
    if (err == -ELOOP)
        return mrl_error__set(error, err, "%.256s is a symbolic link: refused", path);
    if (err == -ENOENT)
        return missing_directory(path, error);
    return mrl_error__set(error, err, "%.256s: %s", path, strerror(-err));
}

/* -- what others made ------------------------------------------------------------------------- */

static int stat_directory(const char *path, struct stat *ret_directory)
{
    char parent[PATH_MAX];
    char *slash;

    snprintf(parent, sizeof(parent), "%s", path);
    slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    return stat(slash ? parent : ".", ret_directory) ? -errno : 0;
}

/* As the kernel's protected_regular and protected_fifos have it, which may be off, and which look
 * at what open() may create only; and protected_hardlinks. */
static int refuse_others(const char *path, const struct stat *file, struct mrl_error *error)
{
    struct stat directory;
    int err = stat_directory(path, &directory);
    /* A group that shares a directory may share its files; one that plants a FIFO reads them. */
    bool is_shared =
        !err &&
        (directory.st_mode & S_IWOTH ||
         (directory.st_mode & S_IWGRP && (directory.st_mode & S_ISVTX || !S_ISREG(file->st_mode))));

    if (err || !is_shared)
        return err;
    if (file->st_uid != geteuid() && file->st_uid != directory.st_uid)
        return mrl_error__set(error, -EACCES,
                              "%.256s: made by user %u in a directory where everybody may: refused",
                              path, file->st_uid);
    if (S_ISREG(file->st_mode) && file->st_nlink > 1)
        return mrl_error__set(error, -EACCES,
                              "%.256s: a file with other names, in a directory where everybody may "
                              "make them: refused",
                              path);
    return 0;
}

/* -- opening ---------------------------------------------------------------------------------- */

/* Just what was looked at, whatever the path leads to by now. */
static int open_again(int found, int flags)
{
    char link[32];
    int fd;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
    fd = open(link, flags & ~O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    return fd;
}

/* Where there is no /proc. The kernel's own guards look at what O_CREAT finds. */
static int open_by_path(const char *path, int flags, const struct stat *file)
{
    int fd = open(path, flags | O_CREAT, FILE_MODE);
    struct stat opened;

    if (fd < 0)
        return -errno;
    if (!fstat(fd, &opened) && opened.st_dev == file->st_dev && opened.st_ino == file->st_ino)
        return fd;
    close(fd);
    return -EAGAIN;
}

static int open_what_is_there(const char *path, int flags, struct mrl_error *error)
{
    int found = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -EACCES, err = 0;
    struct stat file = { 0 };

    if (found < 0 || fstat(found, &file))
        err = -errno;
    else if (S_ISLNK(file.st_mode))
        err = -ELOOP;
    if (err)
        explain(path, err, error);
    else
        err = refuse_others(path, &file, error);
    if (!err) {
        fd = open_again(found, flags);
        if (fd == -ENOENT)
            fd = open_by_path(path, flags, &file);
        if (fd < 0)
            explain(path, fd, error);
    }
    if (found >= 0)
        close(found);
    return err ? err : fd;
}

static int dress(int fd, const struct mrl_opening *how)
{
    if (how->group != (gid_t)-1 && fchown(fd, (uid_t)-1, how->group))
        return -errno;
    return how->mode && fchmod(fd, how->mode) ? -errno : 0;
}

int mrl_opening__open(const struct mrl_opening *how,
                      const char *path,
                      bool *ret_created,
                      struct mrl_error *error)
{
    const int flags =
        O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | (how->waits ? 0 : O_NONBLOCK);
    /* With no more than it shall have until it is of its group. */
    const mode_t mode = how->mode ? how->mode & 0600 : FILE_MODE;
    int fd = open(path, flags | O_CREAT | O_EXCL, mode), err;

    *ret_created = fd >= 0;
    if (fd < 0 && errno != EEXIST)
        return explain(path, -errno, error);
    if (fd < 0)
        fd = open_what_is_there(path, flags, error);
    if (fd < 0)
        return fd;
    err = *ret_created ? dress(fd, how) : 0;
    if (err) {
        unlink(path);
        close(fd);
        return explain(path, err, error);
    }
    if (!how->waits)
        fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

int mrl_opening__find_group(const char *name,
                            const char *destination,
                            gid_t *ret_group,
                            struct mrl_error *error)
{
    struct group row, *group = NULL;
    char room[16 * 1024];

    if (*name && (getgrnam_r(name, &row, room, sizeof(room), &group) || !group))
        return mrl_error__set(error, -EINVAL, "%.256s: there is no group '%.64s'", destination,
                              name);
    *ret_group = group ? group->gr_gid : (gid_t)-1;
    return 0;
}
