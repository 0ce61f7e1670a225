/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a socket that was just bound. */
#ifndef MRL_BASE_SOCKET_FILE_H
#define MRL_BASE_SOCKET_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/stat.h>

/**
 * Gives it a mode, and a group unless that is -1. Whoever may write to its directory may have put
 * another file there since, whose mode is none of ours to change: what is there must be a socket of
 * this process's user. Returns 0; -EPERM it is not; or -errno.
 */
static inline int mrl_socket_file__give(const char *path, mode_t mode, gid_t group)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;
    char name[64];
    struct stat file;

    if (fd < 0)
        return -errno;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    if (fstat(fd, &file))
        err = -errno;
    else if (!S_ISSOCK(file.st_mode) || file.st_uid != geteuid())
        err = -EPERM;
    else if (chmod(name, mode) ||
             (group != (gid_t)-1 && fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH)))
        err = -errno;
    close(fd);
    return err;
}

#endif
