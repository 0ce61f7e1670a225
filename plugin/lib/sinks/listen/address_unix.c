// SPDX-License-Identifier: Apache-2.0
#include "sinks/listen/address_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/socket_file.h"
#include "sinks/opening.h"

enum { BACKLOG = 1024, LOCK_PATH_MAX = sizeof(struct sockaddr_un) + 8 };

static int fail(struct mrl_error *error, const char *where)
{
    int err = errno;

    return mrl_error__set(error, -err, "%.256s: %s", where, strerror(err));
}

static void name_lock(const struct mrl_address *own, char path[LOCK_PATH_MAX])
{
    snprintf(path, LOCK_PATH_MAX, "%s.lock", own->path);
}

/* Whether the file that was opened is still the one of that name. */
static bool is_current(int fd, const char *path)
{
    struct stat opened, named;

    return !fstat(fd, &opened) && !stat(path, &named) && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* Two programs that start at once must not both take the path for stale. Whoever ends removes the
 * lock, which another may just have opened: then it tries again. */
static int lock_path(struct mrl_address *own, struct mrl_error *error)
{
    char path[LOCK_PATH_MAX];

    name_lock(own, path);
    for (;;) {
        own->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (own->lock < 0)
            return fail(error, errno == ENOENT ? own->path : path);
        if (flock(own->lock, LOCK_EX | LOCK_NB)) {
            close(own->lock);
            own->lock = -1; /* not ours to remove */
            return mrl_error__set(error, -EADDRINUSE, "%s: another server has it", own->path);
        }
        if (is_current(own->lock, path))
            return 0;
        close(own->lock);
    }
}

static int remove_stale(const struct sockaddr_un *where, int type, struct mrl_error *error)
{
    const char *path = where->sun_path;
    struct stat file;
    int probe, err;

    if (lstat(path, &file))
        return errno == ENOENT ? 0 : fail(error, path);
    if (!S_ISSOCK(file.st_mode))
        return mrl_error__set(error, -EEXIST, "%s: it exists and is no socket", path);
    probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(error, path);
    err = connect(probe, (const struct sockaddr *)where, sizeof(*where)) ? errno : 0;
    close(probe);
    if (err != ECONNREFUSED)
        return mrl_error__set(error, -EADDRINUSE, "%s: a server is listening there", path);
    return unlink(path) ? fail(error, path) : 0;
}

/* The mode is that of the socket before anybody can connect: nothing listens yet. */
int mrl_address__listen_unix(const char *path,
                             int type,
                             unsigned int mode,
                             const char *group,
                             struct mrl_error *error,
                             struct mrl_address *own)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int err;

    memcpy(where.sun_path, path, strlen(path) + 1);
    memcpy(own->path, path, strlen(path) + 1);
    err = lock_path(own, error);
    if (!err)
        err = remove_stale(&where, type, error);
    if (err)
        return err;
    own->mode = mode;
    own->socket = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (own->socket < 0 || bind(own->socket, (const struct sockaddr *)&where, sizeof(where)))
        return fail(error, path);
    own->is_bound = true;
    err = mrl_opening__find_group(group, path, &own->group, error);
    if (err)
        return err;
    err = mrl_socket_file__give(path, mode, own->group);
    if (err)
        return mrl_error__set(error, err, "%s: %s", path, strerror(-err));
    return listen(own->socket, BACKLOG) ? fail(error, path) : 0;
}

static void leave(struct mrl_address *own)
{
    if (own->socket < 0)
        return;
    close(own->socket);
    own->socket = -1;
    if (own->is_bound)
        unlink(own->path);
}

void mrl_address__release(struct mrl_address *own)
{
    char path[LOCK_PATH_MAX];

    leave(own);
    if (own->lock < 0)
        return;
    name_lock(own, path);
    unlink(path);
    close(own->lock);
    own->lock = -1;
}
