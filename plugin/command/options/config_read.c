// SPDX-License-Identifier: Apache-2.0
/* The bytes of a configuration file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/options/config.h"

const char *mrl_config__name(const char *path)
{
    return strcmp(path, "-") ? path : "standard input";
}

/* Reads until the end, or one byte more than a file may have. */
static int read_bytes(int fd, char *bytes, size_t *ret_size)
{
    size_t size = 0;
    ssize_t count;

    while (size <= MRL_CONFIG_BYTES_MAX) {
        count = read(fd, bytes + size, MRL_CONFIG_BYTES_MAX + 1 - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (!count)
            break;
        size += (size_t)count;
    }
    *ret_size = size;
    return 0;
}

int mrl_config__read(const char *path,
                     const struct mrl_rows *rows,
                     struct mrl_settings *settings,
                     struct mrl_error *error)
{
    const char *name = mrl_config__name(path);
    bool is_stdin = !strcmp(path, "-");
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    char *bytes;
    size_t size = 0;
    int err;

    if (fd < 0)
        return mrl_error__set(error, -errno, "%.200s: %s", name, strerror(errno));
    bytes = malloc(MRL_CONFIG_BYTES_MAX + 1);
    err = bytes ? read_bytes(fd, bytes, &size) : -ENOMEM;
    if (err)
        mrl_error__set(error, err, "%.200s: %s", name, strerror(-err));
    else
        err = mrl_config__parse(name, bytes, size, rows, settings, error);
    free(bytes);
    if (!is_stdin)
        close(fd);
    return err;
}
