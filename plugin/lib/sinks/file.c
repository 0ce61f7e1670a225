// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "file": a path. Appended to and never truncated; what others may have put there is
 * refused (opening.h). FIFOs and terminals are opened as they are.
 *
 * A run that was killed may leave half a line at the end of a file. It is repaired at open, which
 * must not happen while someone else is writing a line there: whoever writes holds a shared lock,
 * and whoever repairs an exclusive one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mrelease/sink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "sinks/rotation.h"
#include "sinks/tail.h"

struct mrl_sink {
    struct mrl_rotation rotation;
    bool torn;
    uint64_t seen_until_ns; /* of what was there before */
};

/* -- its end ---------------------------------------------------------------------------------- */

/* Locks for as long as the file is open, and repairs it when nobody else writes to it. */
static void claim(int fd, const char *path, struct mrl_error *note)
{
    struct stat file;

    if (fstat(fd, &file) || !S_ISREG(file.st_mode))
        return;
    /* Without waiting: someone who writes holds the shared lock for as long as the file is open. */
    if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &file) && file.st_size)
        mrl_tail__repair(fd, path, &file, note);
    flock(fd, LOCK_SH);
}

/* -- the sink --------------------------------------------------------------------------------- */

/* "file://HOST/PATH" would be a path of this host. */
static int file_check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const char *path = target->destination;

    return !strncmp(path, "//", 2) && path[2] != '/'
               ? mrl_error__set(error, -EINVAL, "'%.64s': a path begins with one slash", path)
               : mrl_rotation__check(target, error);
}

static int file_close(struct mrl_sink *sink)
{
    struct mrl_rotation *rotation = &sink->rotation;
    int err = rotation->fd >= 0 && close(rotation->fd) ? -errno : rotation->close_err;

    mrl_rotation__done(rotation);
    free(sink);
    return err;
}

/* Removes the file when it was made for this run, which then did not begin. */
static int file_abandon(struct mrl_sink *sink)
{
    mrl_rotation__take_back(&sink->rotation);
    return file_close(sink);
}

/* Goes on in the file at `path`, which becomes that of the rotation. On failure the old one stays.
 */
static int switch_to(struct mrl_sink *sink, const char *path, struct mrl_error *error)
{
    struct mrl_rotation *rotation = &sink->rotation;
    bool created;
    int fd = mrl_opening__open(&rotation->opening, path, &created, error), err = fd < 0 ? fd : 0;

    if (!err)
        err = mrl_rotation__begin(rotation, fd, error);
    if (err) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    claim(fd, path, error);
    mrl_rotation__begin(rotation, fd, NULL); /* again: its end may have been repaired */
    /* Only now that the new one is open. */
    if (rotation->fd >= 0 && close(rotation->fd)) {
        rotation->close_err = -errno;
        mrl_error__set(error, -errno, "%.256s: %s", rotation->path, strerror(errno));
    }
    sink->torn = false;
    mrl_rotation__settle(rotation, fd, path, created);
    return 1;
}

/* The time of the last line before; of a file that is new, in the one that made room for it. */
static uint64_t time_before(const struct mrl_rotation *rotation)
{
    char path[PATH_MAX + 16];
    struct stat file;

    if (fstat(rotation->fd, &file) || !S_ISREG(file.st_mode))
        return 0;
    if (rotation->size)
        return mrl_tail__time_ns(rotation->path);
    snprintf(path, sizeof(path), "%s.1", rotation->path);
    return mrl_tail__time_ns(path);
}

static int file_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err;

    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = mrl_rotation__open(sink, target, switch_to, error);
    if (err) {
        file_close(sink);
        return err;
    }
    sink->seen_until_ns = time_before(&sink->rotation);
    *ret_sink = sink;
    return 0;
}

static uint64_t file_seen_until(const struct mrl_sink *sink)
{
    return sink->seen_until_ns;
}

static int file_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    int err = mrl_sink__write_fd(sink->rotation.fd, &sink->torn, chunk, ret_events);
    struct stat file;

    if (!err)
        sink->rotation.size += chunk->size;
    else if (!fstat(sink->rotation.fd, &file))
        sink->rotation.size = (uint64_t)file.st_size;
    return err;
}

static unsigned int file_columns(const struct mrl_sink *sink)
{
    return mrl_sink__columns_fd(sink->rotation.fd);
}

const struct mrl_sink_ops mrl_sink_file = {
    .name = "file",
    .doc =
        "A path: appended to, created with mode 0640, reopened on SIGHUP; %Y %m %d %H %M %S in the "
        "name are the time (UTC).",
    .usage = "PATH",
    .schemes = (const char *const[]){ "file:", NULL },
    .is_path = true,
    .keeps = true,
    .options = mrl_rotation_rows,
    .option_count = MRL_ROTATION_ROWS,
    .option_bytes = sizeof(struct mrl_rotation_options),
    .check = file_check,
    .open = file_open,
    .write = file_write,
    .reopen = mrl_rotation__reopen,
    .seen_until = file_seen_until,
    .room = mrl_rotation__room,
    .rotate = mrl_rotation__rotate,
    .notice = mrl_rotation__notice,
    .meets = mrl_rotation__meets,
    .columns = file_columns,
    .is_quick = mrl_rotation__is_quick,
    .close = file_close,
    .abandon = file_abandon,
};
