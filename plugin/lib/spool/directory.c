// SPDX-License-Identifier: Apache-2.0
/* The directory of a spool and its files. */
#include "spool/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

static bool is_link(int directory, const char *name)
{
    struct stat file;

    return !fstatat(directory, name, &file, AT_SYMLINK_NOFOLLOW) && S_ISLNK(file.st_mode);
}

static int explain(int directory, const char *name, int err, struct mrl_error *error)
{
    if (is_link(directory, name))
        return mrl_error__set(error, -ELOOP, "%.256s: it is a symbolic link", name);
    return mrl_error__set(error, err, "%.256s: %s", name, strerror(-err));
}

int mrl_spool_directory__open(const char *path, struct mrl_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err = -errno;
    struct stat directory;

    if (fd < 0 && is_link(AT_FDCWD, path))
        return mrl_error__set(error, -ELOOP, "it is a symbolic link");
    if (fd < 0)
        return mrl_error__set(error, err, "%s", strerror(-err));
    if (!fstat(fd, &directory) && !(directory.st_mode & S_IWOTH))
        return fd;
    close(fd);
    return mrl_error__set(error, -EPERM, "every user may write to this directory");
}

int mrl_spool_directory__file(
    int directory, const char *name, int flags, unsigned int mode, struct mrl_error *error)
{
    int fd = openat(directory, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
    struct stat file;

    if (fd < 0)
        return explain(directory, name, -errno, error);
    if (!fstat(fd, &file) && S_ISREG(file.st_mode) && file.st_nlink == 1)
        return fd;
    close(fd);
    return mrl_error__set(error, -EEXIST, "%.256s: it is no file of its own", name);
}

int mrl_spool_directory__segment(int directory, uint64_t number, int flags, struct mrl_error *error)
{
    char name[MRL_SPOOL_NAME_BYTES];

    mrl_segment__name(number, name);
    return mrl_spool_directory__file(directory, name, flags, 0640, error);
}

/* -- segments --------------------------------------------------------------------------------- */

static int by_number(const void *one, const void *other)
{
    const struct mrl_segment *a = one, *b = other;

    return a->number < b->number ? -1 : a->number > b->number;
}

int mrl_segments__add(struct mrl_segments *segments, uint64_t number, uint64_t bytes)
{
    if (segments->count == segments->room) {
        const unsigned int room = segments->room ? 2 * segments->room : 64;
        struct mrl_segment *at = realloc(segments->at, room * sizeof(*at));

        if (!at)
            return -ENOMEM;
        segments->at = at;
        segments->room = room;
    }
    segments->at[segments->count++] = (struct mrl_segment){ number, bytes };
    return 0;
}

static int add_entry(int directory, const char *name, struct mrl_segments *segments)
{
    struct stat file;
    uint64_t number;

    if (!mrl_segment__number(name, &number) ||
        fstatat(directory, name, &file, AT_SYMLINK_NOFOLLOW) || !S_ISREG(file.st_mode))
        return 0;
    return mrl_segments__add(segments, number, (uint64_t)file.st_size);
}

int mrl_segments__list(int directory, struct mrl_segments *ret_segments)
{
    struct mrl_segments segments = { .count = 0 };
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!stream) {
        err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    while (!err && (entry = readdir(stream)))
        err = add_entry(directory, entry->d_name, &segments);
    closedir(stream);
    if (err) {
        mrl_segments__done(&segments);
        return err;
    }
    if (segments.count)
        qsort(segments.at, segments.count, sizeof(*segments.at), by_number);
    *ret_segments = segments;
    return 0;
}

void mrl_segments__remove(struct mrl_segments *segments, unsigned int index)
{
    segments->count--;
    memmove(segments->at + index, segments->at + index + 1,
            (segments->count - index) * sizeof(*segments->at));
}

unsigned int mrl_segments__find(const struct mrl_segments *segments, uint64_t number)
{
    unsigned int i = 0;

    while (i < segments->count && segments->at[i].number < number)
        i++;
    return i;
}

uint64_t mrl_segments__bytes(const struct mrl_segments *segments)
{
    uint64_t bytes = 0;

    for (unsigned int i = 0; i < segments->count; i++)
        bytes += segments->at[i].bytes;
    return bytes;
}

void mrl_segments__done(struct mrl_segments *segments)
{
    free(segments->at);
    *segments = (struct mrl_segments){ .count = 0 };
}
