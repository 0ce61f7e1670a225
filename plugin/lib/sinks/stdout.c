// SPDX-License-Identifier: Apache-2.0
/* The sink "stdout": whoever reads this program's standard output. */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/sink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mrl_sink {
    int fd;
    bool torn;
};

static int stdout_open(const struct mrl_sink_target *target,
                       struct mrl_error *error,
                       struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink;

    (void)target;
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
        return mrl_error__set(error, -errno, "standard output is closed");
    sink = calloc(1, sizeof(*sink));
    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    sink->fd = STDOUT_FILENO;
    mrl_sink__widen_pipe(sink->fd);
    *ret_sink = sink;
    return 0;
}

static int stdout_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    return mrl_sink__write_fd(sink->fd, &sink->torn, chunk, ret_events);
}

static unsigned int stdout_columns(const struct mrl_sink *sink)
{
    return mrl_sink__columns_fd(sink->fd);
}

static bool stdout_is_quick(const struct mrl_sink *sink)
{
    return mrl_sink__is_quick_fd(sink->fd);
}

static int stdout_close(struct mrl_sink *sink)
{
    free(sink);
    return 0;
}

const struct mrl_sink_ops mrl_sink_stdout = {
    .name = "stdout",
    .doc = "Standard output.",
    .usage = "stdout",
    .schemes =
        (const char *const[]){ "stdout", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", NULL },
    .foreign = (const char *const[]){ "-", "stderr", "stdin", "console", "fd:1", "&1", NULL },
    .preset = "stdout",
    .keeps = true,
    .open = stdout_open,
    .write = stdout_write,
    .columns = stdout_columns,
    .is_quick = stdout_is_quick,
    .close = stdout_close,
};
