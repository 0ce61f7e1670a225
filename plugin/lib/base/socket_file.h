/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a socket that was just bound. */
#ifndef MRL_BASE_SOCKET_FILE_H
#define MRL_BASE_SOCKET_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), err;
    char name[64];
    struct stat file = {};
    bool given;

    if (fd < 0)
        return -errno;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    /* Of a call that fails, the reason; of a file that is not ours, this. */
    errno = EPERM;
    given = fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode) && file.st_uid == geteuid() &&
            chmod(name, mode) == 0 &&
            (group == (gid_t)-1 || fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) == 0);
    err = given ? 0 : -errno;
    close(fd);
    return err;
}

#endif
