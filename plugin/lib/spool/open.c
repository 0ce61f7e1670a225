// SPDX-License-Identifier: Apache-2.0
/* Opening and closing a spool. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "spool/private.h"
#include "spool/spool.h"

enum {
    SEGMENT_BYTES = 64 << 20,
    SMALL_FILES = 4096, /* cursor and lock */
    SEGMENTS_MIN = 4,
};

void mrl_spool__say(const struct mrl_spool *spool,
                    enum mrl_log_level level,
                    const char *format,
                    ...)
{
    struct mrl_error text, line;
    va_list values;

    if (!spool->options.log)
        return;
    va_start(values, format);
    vsnprintf(text.text, sizeof(text.text), format, values);
    va_end(values);
    mrl_error__set(&line, 0, "spool %.200s: %s", spool->path, text.text);
    spool->options.log(spool->options.context, level, line.text);
}

/* -- opening ---------------------------------------------------------------------------------- */

struct mrl_spool *mrl_spool__make(const struct mrl_spool_options *options)
{
    struct mrl_spool *spool = calloc(1, sizeof(*spool));
    uint32_t largest;

    if (!spool)
        return NULL;
    spool->options = *options;
    spool->path = strdup(options->directory);
    if (!spool->path) {
        free(spool);
        return NULL;
    }
    if (options->format)
        snprintf(spool->format, sizeof(spool->format), "%s", options->format);
    spool->directory = spool->locked = spool->cursor = spool->fd = -1;
    spool->budget = options->size - mrl_spool__refused_max(options->size) - SMALL_FILES;
    largest = spool->budget / SEGMENTS_MIN < SEGMENT_BYTES
                  ? (uint32_t)(spool->budget / SEGMENTS_MIN)
                  : SEGMENT_BYTES;
    if (!options->segment_bytes || options->segment_bytes > largest)
        spool->options.segment_bytes = largest;
    pthread_mutex_init(&spool->appending, NULL);
    pthread_mutex_init(&spool->lock, NULL);
    return spool;
}

static void spool_free(struct mrl_spool *spool)
{
    const int fds[] = { spool->fd, spool->cursor, spool->locked, spool->directory };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    mrl_segments__done(&spool->segments);
    pthread_mutex_destroy(&spool->lock);
    pthread_mutex_destroy(&spool->appending);
    free(spool->path);
    free(spool);
}

static int claim(struct mrl_spool *spool, struct mrl_error *error)
{
    spool->locked =
        mrl_spool_directory__file(spool->directory, MRL_SPOOL_LOCK, O_RDWR | O_CREAT, 0640, error);
    if (spool->locked < 0)
        return spool->locked;
    if (!flock(spool->locked, LOCK_EX | LOCK_NB))
        return 0;
    return errno == EWOULDBLOCK
               ? mrl_error__set(error, -EWOULDBLOCK, "another process uses it")
               : mrl_error__set(error, -errno, "%s: %s", MRL_SPOOL_LOCK, strerror(errno));
}

/* A file that the shipper may write, as whichever user and group it runs. */
static int shared_file(int directory, const char *name, int flags, struct mrl_error *error)
{
    int fd = mrl_spool_directory__file(directory, name, O_RDWR | O_CREAT | flags, 0660, error);

    if (fd >= 0)
        fchmod(fd, 0660);
    return fd;
}

/* Within a sandbox nobody makes directories, not even those that are there. */
static int make_directory(const char *path)
{
    const int err = mkdir(path, 0750) ? -errno : 0;
    struct stat directory;

    return err == -EEXIST || (!stat(path, &directory) && S_ISDIR(directory.st_mode)) ? 0 : err;
}

static int open_files(struct mrl_spool *spool, struct mrl_error *error)
{
    int err = make_directory(spool->path);

    if (err == -ENOENT)
        return mrl_error__set(error, err, "%s: the directory that it stands in has to be there",
                              strerror(-err));
    if (err)
        return mrl_error__set(error, err, "%s", strerror(-err));
    spool->directory = mrl_spool_directory__open(spool->path, error);
    if (spool->directory < 0)
        return spool->directory;
    err = claim(spool, error);
    if (err)
        return err;
    spool->cursor = shared_file(spool->directory, MRL_SPOOL_CURSOR, 0, error);
    return spool->cursor < 0 ? spool->cursor : mrl_spool__recover(spool, error);
}

static int check(const struct mrl_spool_options *options, struct mrl_error *error)
{
    if (options->size < MRL_SPOOL_MIN_BYTES)
        return mrl_error__set(error, -EINVAL, "a spool has at least 4 MiB");
    if (options->format && strlen(options->format) >= MRL_SPOOL_FORMAT_BYTES)
        return mrl_error__set(error, -EINVAL, "a format's name is shorter than that");
    return 0;
}

int mrl_spool__open(const struct mrl_spool_options *options,
                    struct mrl_error *error,
                    struct mrl_spool **ret_spool)
{
    struct mrl_error reason = { "" };
    struct mrl_spool *spool;
    int err = check(options, &reason);

    if (!err) {
        spool = mrl_spool__make(options);
        err =
            spool ? open_files(spool, &reason) : mrl_error__set(&reason, -ENOMEM, "out of memory");
        if (!err)
            *ret_spool = spool;
        else if (spool)
            spool_free(spool);
    }
    return err ? mrl_error__set(error, err, "%.200s: %s", options->directory, reason.text) : 0;
}

int mrl_spool__files(struct mrl_spool *spool, int ret_fds[2], struct mrl_error *error)
{
    int cursor = fcntl(spool->cursor, F_DUPFD_CLOEXEC, 0), refused;

    if (cursor < 0)
        return mrl_error__set(error, -errno, "%s: %s", MRL_SPOOL_CURSOR, strerror(errno));
    refused = shared_file(spool->directory, MRL_SPOOL_REFUSED, O_APPEND, error);
    if (refused < 0) {
        close(cursor);
        return refused;
    }
    ret_fds[0] = cursor;
    ret_fds[1] = refused;
    return 0;
}

int mrl_spool__close(struct mrl_spool *spool)
{
    int err;

    if (!spool)
        return 0;
    err = spool->fd >= 0 && !spool->is_view && fdatasync(spool->fd) ? -errno : 0;
    spool_free(spool);
    return err;
}
