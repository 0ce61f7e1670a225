// SPDX-License-Identifier: Apache-2.0
#include "command/session/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#define NAME "tracee.pid"

static int fail(const struct mrl_pidfile *file, int err, const char *what, struct mrl_error *error)
{
    return mrl_error__set(error, err, "--install-path: %.200s%s: %s", file->directory, what,
                          err == -EACCES ? "it is another user's" : strerror(-err));
}

/* Whose it is could exchange the file at any time. */
static bool is_ours(const struct stat *directory)
{
    return !directory->st_uid || directory->st_uid == geteuid();
}

int mrl_pidfile__open(struct mrl_pidfile *file, const char *directory, struct mrl_error *error)
{
    struct stat stat;

    file->directory = directory;
    if (!directory)
        return 0;
    if (mkdir(directory, 0755) && errno != EEXIST)
        return mrl_error__set(error, -errno, "--install-path: %.200s: %s", directory,
                              strerror(errno));
    file->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &stat)) {
        int err = -errno;

        file->directory = NULL;
        return mrl_error__set(error, err, "--install-path: %.200s: %s", directory, strerror(-err));
    }
    return is_ours(&stat) ? 0 : fail(file, -EACCES, "", error);
}

int mrl_pidfile__write(struct mrl_pidfile *file, struct mrl_error *error)
{
    char text[24];
    int size, fd, err = 0;

    if (!file->directory)
        return 0;
    if (unlinkat(file->fd, NAME, 0) && errno != ENOENT)
        return fail(file, -errno, "/" NAME, error);
    fd = openat(file->fd, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return fail(file, -errno, "/" NAME, error);
    size = snprintf(text, sizeof(text), "%d", (int)getpid());
    if (write(fd, text, (size_t)size) != size)
        err = fail(file, errno ? -errno : -EIO, "/" NAME, error);
    close(fd);
    file->is_written = true;
    return err;
}

void mrl_pidfile__remove(struct mrl_pidfile *file)
{
    if (!file->directory)
        return;
    if (file->is_written)
        unlinkat(file->fd, NAME, 0);
    close(file->fd);
    file->directory = NULL;
}
