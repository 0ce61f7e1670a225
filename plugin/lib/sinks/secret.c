// SPDX-License-Identifier: Apache-2.0
#include "sinks/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

/* What the environment holds under the name at the beginning of `path`, behind a '$'. */
static const char *named(const char *path)
{
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(path + 1, "/"), path + 1);
    return getenv(name);
}

const char *mrl_secret__file(const char *path, char *text, size_t size)
{
    const char *rest = strchr(path, '/');
    const char *directory = *path == '$' && rest ? named(path) : NULL;

    *text = '\0';
    if (*path != '$')
        snprintf(text, size, "%s", path);
    else if (directory)
        snprintf(text, size, "%s%s", directory, rest);
    return text;
}

static int copy_text(const char *text, size_t most, struct mrl_secret *ret_secret)
{
    size_t size = strlen(text);
    char *bytes = size <= most ? strdup(text) : NULL;

    if (!bytes)
        return size <= most ? -ENOMEM : -EFBIG;
    *ret_secret = (struct mrl_secret){ bytes, size };
    return 0;
}

static int read_file(int fd, size_t most, struct mrl_secret *ret_secret)
{
    struct mrl_secret secret = { malloc(most + 2), 0 };
    ssize_t size = -1;
    int err;

    if (!secret.bytes)
        return -ENOMEM;
    while (secret.size <= most &&
           (size = read(fd, secret.bytes + secret.size, most + 1 - secret.size)) > 0)
        secret.size += (size_t)size;
    err = size < 0 ? -errno : secret.size > most ? -EFBIG : 0;
    secret.bytes[secret.size] = '\0';
    if (err)
        mrl_secret__done(&secret);
    else
        *ret_secret = secret;
    return err;
}

static int open_file(const char *path)
{
    /* Nobody shall have to wait for a FIFO that nobody writes to. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return -errno;
    fcntl(fd, F_SETFL, 0);
    return fd;
}

int mrl_secret__read(const char *path,
                     size_t most,
                     struct mrl_secret *ret_secret,
                     struct mrl_error *error)
{
    char file[PATH_MAX];
    const char *text = *path == '$' && !strchr(path, '/') ? named(path) : NULL;
    int fd, err;

    if (text) {
        err = copy_text(text, most, ret_secret);
    } else if (!*mrl_secret__file(path, file, sizeof(file))) {
        return mrl_error__set(error, -ENOENT, "%.256s: the environment has no such name", path);
    } else {
        fd = open_file(file);
        err = fd < 0 ? fd : read_file(fd, most, ret_secret);
        if (fd >= 0)
            close(fd);
    }
    return err ? mrl_error__set(error, err, "%.256s: %s", path, strerror(-err)) : 0;
}

void mrl_secret__done(struct mrl_secret *secret)
{
    if (secret->bytes)
        explicit_bzero(secret->bytes, secret->size);
    free(secret->bytes);
    *secret = (struct mrl_secret){ NULL, 0 };
}

bool mrl_secret__is_public(const char *path)
{
    char name[PATH_MAX];
    struct stat file;

    return *mrl_secret__file(path, name, sizeof(name)) && !stat(name, &file) &&
           S_ISREG(file.st_mode) && file.st_mode & 0004;
}
