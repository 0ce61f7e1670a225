// SPDX-License-Identifier: Apache-2.0
#include "side/names/asker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/tame.h"

/* Which interfaces a runtime has. */
static const struct {
    enum mrl_runtime runtime;
    const struct mrl_asker_ops *ops;
} table[] = {
    { MRL_RUNTIME_CONTAINERD, &mrl_asker_cri },  { MRL_RUNTIME_CRIO, &mrl_asker_cri },
    { MRL_RUNTIME_CRI_DOCKERD, &mrl_asker_cri }, { MRL_RUNTIME_DOCKER, &mrl_asker_docker },
    { MRL_RUNTIME_PODMAN, &mrl_asker_docker },   { MRL_RUNTIME_CONTAINERD, &mrl_asker_containerd },
};

unsigned int mrl_askers__of(const struct mrl_names_socket *socket,
                            bool is_named,
                            struct mrl_asker *ret_askers,
                            unsigned int most)
{
    unsigned int count = 0;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].runtime == socket->runtime && count < most)
            ret_askers[count++] = (struct mrl_asker){ .ops = table[i].ops,
                                                      .runtime = table[i].runtime,
                                                      .path = socket->path,
                                                      .is_named = is_named };
    return count;
}

int mrl_asker__look(const struct mrl_asker *asker)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    /* Not to wait where its queue is full: that is a runtime that hangs. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;

    if (fd < 0)
        return -errno;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", asker->path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
        err = -errno;
    close(fd);
    return err;
}

int mrl_asker__fail(struct mrl_asker *asker, int err, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(asker->why, sizeof(asker->why), format, arguments);
    va_end(arguments);
    mrl_tame(asker->why);
    return err;
}
