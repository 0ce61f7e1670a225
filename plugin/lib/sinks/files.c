// SPDX-License-Identifier: Apache-2.0
#include "sinks/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "sinks/secret.h"

/* Whom the system trusts, on Debian, Fedora, Alpine. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
                                       "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

/* Paths, by file. NULL: nothing was said. */
static const char (*paths_of(const struct mrl_sink_target *target))[MRL_FILE_PATH_MAX]
{
    return target->options;
}

bool mrl_files__is_tls(const char *url)
{
    size_t scheme = strcspn(url, ":");

    return scheme && url[scheme] && url[scheme - 1] == 's';
}

int mrl_files__check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const char(*paths)[MRL_FILE_PATH_MAX] = paths_of(target);

    if (!paths)
        return 0;
    if (!*paths[MRL_FILE_CERT] != !*paths[MRL_FILE_KEY])
        return mrl_error__set(error, -EINVAL, "cert= and key= come together");
    if (!mrl_files__is_tls(target->destination) && (*paths[MRL_FILE_CA] || *paths[MRL_FILE_CERT]))
        return mrl_error__set(error, -EINVAL, "ca= and cert= are for TLS: '%.64s' is without",
                              target->destination);
    return 0;
}

int mrl_files__check_json(const struct mrl_sink_target *target, struct mrl_error *error)
{
    static const char *const kinds[] = { "json", "ecs", "ocsf" };

    for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strncmp(target->format, kinds[i], strlen(kinds[i])))
            return 0;
    return mrl_error__set(error, -EINVAL, "%s takes JSON, which %.32s is not: json, ecs or ocsf",
                          target->ops ? target->ops->name : "it", target->format);
}

static bool is_secret(int file)
{
    return file != MRL_FILE_CA && file != MRL_FILE_CERT;
}

/* Ends of lines are no part of a token, a password or a key. */
static bool is_word(int file)
{
    return file == MRL_FILE_TOKEN || file == MRL_FILE_PASSWORD || file == MRL_FILE_SIGNING_KEY;
}

static int read_one(const char *path,
                    int file,
                    struct mrl_secret *ret_secret,
                    struct mrl_error *error)
{
    int err = mrl_secret__read(path, MRL_FILE_BYTES, ret_secret, error);

    while (!err && is_word(file) && ret_secret->size &&
           strchr("\r\n", ret_secret->bytes[ret_secret->size - 1]))
        ret_secret->bytes[--ret_secret->size] = '\0';
    if (!err && !ret_secret->size)
        err = mrl_error__set(error, -EINVAL, "%.256s is empty", path);
    if (!err && is_word(file) && strlen(ret_secret->bytes) != ret_secret->size)
        err = mrl_error__set(error, -EINVAL, "%.256s holds a NUL", path);
    if (!err && is_word(file) && strpbrk(ret_secret->bytes, "\r\n"))
        err = mrl_error__set(error, -EINVAL, "%.256s holds more than one line", path);
    return err;
}

static int read_bundle(struct mrl_secret *ret_secret)
{
    for (unsigned int i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
        if (!mrl_secret__read(bundles[i], MRL_FILE_BYTES, ret_secret, NULL))
            return 0;
    return 0; /* then nobody is trusted, which the first handshake says */
}

/* Whom the system trusts was read before the sandbox, and is taken from there. */
static int copy_bundle(int from, struct mrl_secret *ret_secret)
{
    struct mrl_file_sizes head;

    if (pread(from, &head, sizeof(head), 0) != sizeof(head) || !head.sizes[MRL_FILE_CA])
        return 0;
    ret_secret->bytes = malloc(head.sizes[MRL_FILE_CA]);
    if (!ret_secret->bytes)
        return -ENOMEM;
    ret_secret->size = head.sizes[MRL_FILE_CA];
    return pread(from, ret_secret->bytes, ret_secret->size, sizeof(head)) ==
                   (ssize_t)ret_secret->size
               ? 0
               : -EIO;
}

static int write_all(const struct mrl_secret *files)
{
    int fd = memfd_create("files", MFD_CLOEXEC);
    struct mrl_file_sizes head;

    for (int i = 0; i < MRL_FILES; i++)
        head.sizes[i] = (uint32_t)files[i].size;
    if (fd < 0)
        return -errno;
    if (write(fd, &head, sizeof(head)) != sizeof(head))
        goto failed;
    for (int i = 0; i < MRL_FILES; i++)
        if (files[i].size && write(fd, files[i].bytes, files[i].size) != (ssize_t)files[i].size)
            goto failed;
    return fd;
failed:
    close(fd);
    return -EIO;
}

/* `before`: what holds the bundle of the system; -1: it is read. Returns the descriptor. */
static int gather(const struct mrl_sink_target *target, int before, struct mrl_error *error)
{
    const char(*paths)[MRL_FILE_PATH_MAX] = paths_of(target);
    struct mrl_secret files[MRL_FILES] = { { NULL, 0 } };
    int err = 0;

    for (int i = 0; !err && paths && i < MRL_FILES; i++)
        if (*paths[i])
            err = read_one(paths[i], i, &files[i], error);
    if (!err && mrl_files__is_tls(target->destination) && !files[MRL_FILE_CA].size)
        err = before < 0 ? read_bundle(&files[MRL_FILE_CA])
                         : copy_bundle(before, &files[MRL_FILE_CA]);
    if (!err) {
        err = write_all(files);
        if (err < 0)
            mrl_error__set(error, err, "secrets: %s", strerror(-err));
    }
    for (int i = 0; i < MRL_FILES; i++)
        mrl_secret__done(&files[i]);
    return err;
}

/* Notes what is given away, though it was meant to be kept. */
static void note(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const char(*paths)[MRL_FILE_PATH_MAX] = paths_of(target);

    for (int i = 0; paths && i < MRL_FILES; i++) {
        if (!*paths[i] || !is_secret(i))
            continue;
        if (mrl_secret__is_public(paths[i]))
            mrl_error__set(error, 0, "%.200s: every user may read this secret", paths[i]);
        else if (!mrl_files__is_tls(target->destination) && i != MRL_FILE_SIGNING_KEY)
            mrl_error__set(error, 0, "%.100s: without TLS, whoever listens reads %.200s too",
                           target->destination, paths[i]);
    }
}

int mrl_files__prepare(const struct mrl_sink_target *target,
                       void *options,
                       int *fds,
                       struct mrl_error *error,
                       void **ret_prepared)
{
    int *prepared = malloc(sizeof(*prepared)), fd;

    (void)options;
    if (!prepared)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    fd = gather(target, -1, error);
    if (fd < 0) {
        free(prepared);
        return fd;
    }
    note(target, error);
    *prepared = fds[0] = fd;
    *ret_prepared = prepared;
    return 0;
}

int mrl_files__renew(void *what,
                     const struct mrl_sink_target *target,
                     int *fds,
                     struct mrl_error *error)
{
    int *prepared = what, fd = gather(target, *prepared, error);

    if (fd < 0)
        return fd;
    close(*prepared);
    *prepared = fds[0] = fd;
    return 0;
}

void mrl_files__unprepare(void *what)
{
    int *prepared = what;

    close(*prepared);
    free(prepared);
}
