// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "file": a path. Appended to and never truncated; created 0640; a symbolic link is
 * refused, because whoever may write its directory would choose what root writes to. FIFOs and
 * terminals are opened as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "sinks.h"

enum { FILE_MODE = 0640 };

struct mrl_sink {
    int fd;
    bool torn;
    char *path;
};

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

static int open_path(const char *path, struct mrl_error *error)
{
    int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, FILE_MODE);
    int err = errno;

    if (fd >= 0)
        return fd;
    if (err == ELOOP)
        return mrl_error__set(error, -err, "%.256s is a symbolic link: refused", path);
    if (err == ENOENT)
        return missing_directory(path, error);
    return mrl_error__set(error, -err, "%.256s: %s", path, strerror(err));
}

static int file_open(const char *destination, struct mrl_error *error, struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));

    if (sink)
        sink->path = strdup(destination);
    if (!sink || !sink->path) {
        free(sink);
        return mrl_error__set(error, -ENOMEM, "out of memory");
    }
    sink->fd = open_path(destination, error);
    if (sink->fd < 0) {
        int err = sink->fd;

        free(sink->path);
        free(sink);
        return err;
    }
    *ret_sink = sink;
    return 0;
}

static int file_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    return mrl_sink__write_fd(sink->fd, &sink->torn, chunk, ret_events);
}

static int file_reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    int fd = open_path(sink->path, error);

    if (fd < 0)
        return fd;
    close(sink->fd);
    sink->fd = fd;
    sink->torn = false;
    return 0;
}

static bool file_is_terminal(const struct mrl_sink *sink)
{
    return isatty(sink->fd);
}

static int file_close(struct mrl_sink *sink)
{
    int err = close(sink->fd) ? -errno : 0;

    free(sink->path);
    free(sink);
    return err;
}

const struct mrl_sink_ops mrl_sink_file = {
    .name = "file",
    .doc = "A path: appended to, created with mode 0640, reopened on SIGHUP.",
    .open = file_open,
    .write = file_write,
    .reopen = file_reopen,
    .is_terminal = file_is_terminal,
    .close = file_close,
};
