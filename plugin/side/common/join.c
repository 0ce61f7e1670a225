// SPDX-License-Identifier: Apache-2.0
#include "side/common/join.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum { PATIENCE_S = 2 };

bool mrl_join__is_socket(const char *path)
{
    struct stat file;

    return !stat(path, &file) && S_ISSOCK(file.st_mode);
}

int mrl_join__connect(const char *path)
{
    const struct timeval patience = { PATIENCE_S, 0 };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), err = 0;

    if (fd < 0)
        return -errno;
    if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
        sizeof(address.sun_path))
        err = -ENAMETOOLONG;
    else if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
             connect(fd, (const struct sockaddr *)&address, sizeof(address)) ||
             getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        err = -errno;
    else if (peer.uid && peer.uid != geteuid())
        err = -EACCES;
    if (err)
        close(fd);
    return err ? err : fd;
}
