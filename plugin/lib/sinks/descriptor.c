// SPDX-License-Identifier: Apache-2.0
/* Writing lines to a descriptor, and knowing which of them arrived. */
#include "sinks/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <mrelease/sink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { PIPE_BYTES = 1024 * 1024, USUAL_COLUMNS = 80 };

void mrl_sink__widen_pipe(int fd)
{
    int size = fcntl(fd, F_GETPIPE_SZ); /* fails on what is no pipe */

    if (size >= 0 && size < PIPE_BYTES)
        fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
}

/*
 * The file systems are a list of known ones: a file over FUSE or NFS waits for whoever serves it,
 * and no signal ends that. A file that reaches a limit of its size raises SIGXFSZ, which the
 * output's thread has blocked and the reader's has not.
 */
bool mrl_sink__is_quick_fd(int fd)
{
    static const unsigned int local[] = {
        EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
        F2FS_SUPER_MAGIC, TMPFS_MAGIC,     OVERLAYFS_SUPER_MAGIC
    };
    struct rlimit size;
    struct statfs system;
    struct stat file;

    if (fstat(fd, &file) || !S_ISREG(file.st_mode) || fstatfs(fd, &system) ||
        getrlimit(RLIMIT_FSIZE, &size) || size.rlim_cur != RLIM_INFINITY)
        return false;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if ((unsigned int)system.f_type == local[i])
            return true;
    return false;
}

static size_t lines_in(const char *bytes, size_t size)
{
    const char *end = bytes + size;
    size_t lines = 0;

    while (bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes)))) {
        bytes++;
        lines++;
    }
    return lines;
}

static bool is_given_up(const int *stop)
{
    return stop && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

size_t mrl_sink__write_bytes(int fd, const char *bytes, size_t size, const int *stop, int *ret_err)
{
    size_t done = 0;

    *ret_err = 0;
    while (done < size) {
        ssize_t written;

        /* Before each write: the signal that interrupts a thread has no effect between two of
         * them. */
        if (is_given_up(stop)) {
            *ret_err = -ECANCELED;
            break;
        }
        written = write(fd, bytes + done, size - done);

        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd room = { .fd = fd, .events = POLLOUT };

            poll(&room, 1, -1); /* the descriptor was made non-blocking by someone who shares it */
        } else if (errno != EINTR) {
            *ret_err = -errno;
            break;
        }
    }
    return done;
}

/*
 * Takes the beginning of a line back out of a regular file, when it still is the file's end.
 * Returns whether it is gone. The descriptor steps back too: without O_APPEND, the next line would
 * leave a hole of NULs.
 */
static bool take_back(int fd, size_t size)
{
    off_t end = lseek(fd, 0, SEEK_CUR);
    struct stat file;

    return end >= (off_t)size && !fstat(fd, &file) && S_ISREG(file.st_mode) &&
           file.st_size == end && !ftruncate(fd, end - (off_t)size) &&
           lseek(fd, -(off_t)size, SEEK_CUR) >= 0;
}

static size_t torn_bytes(const char *bytes, size_t size)
{
    const char *newline = memrchr(bytes, '\n', size);

    return newline ? (size_t)(bytes + size - newline - 1) : size;
}

/* Ends a line that an earlier failure cut, so that no later one is joined to it. */
static int end_torn_line(int fd, bool *torn, const int *stop)
{
    int err;

    if (!*torn || mrl_sink__write_bytes(fd, "\n", 1, stop, &err) == 1) {
        *torn = false;
        return 0;
    }
    return err;
}

int mrl_sink__write_fd(int fd, bool *torn, const struct mrl_chunk *chunk, size_t *ret_events)
{
    int err = end_torn_line(fd, torn, chunk->stop);
    size_t done;

    *ret_events = 0;
    if (err)
        return err;
    done = mrl_sink__write_bytes(fd, chunk->bytes, chunk->size, chunk->stop, &err);
    if (!err)
        return 0;
    /* Only whole lines have arrived. The beginning of the next one is taken back, or ended before
     * the next write, so that no reader sees two halves as one line. */
    *ret_events = lines_in(chunk->bytes, done);
    done = torn_bytes(chunk->bytes, done);
    *torn = done && !take_back(fd, done);
    return err;
}

unsigned int mrl_sink__columns_fd(int fd)
{
    struct winsize size = { .ws_col = 0 };

    if (!isatty(fd))
        return 0;
    return !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : USUAL_COLUMNS;
}
