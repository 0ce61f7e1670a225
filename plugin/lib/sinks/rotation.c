// SPDX-License-Identifier: Apache-2.0
/* Names that hold the time, files that make room for the next, and the space that is left. */
#include "sinks/rotation.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"

enum {
    LOOK_INTERVAL_NS = 1000000000,
    ROTATE_MIN = 4096,
    KEEP_MAX = 10000,      /* of names that somebody wants to be bounded */
    NUMBER_MAX = 10000000, /* of those that nobody does */
    NUMBERED_BYTES = PATH_MAX + 16,
};

#define AT(member) offsetof(struct mrl_rotation_options, member)

const struct mrl_option mrl_rotation_rows[MRL_ROTATION_ROWS] = {
    { .name = "rotate",
      .type = MRL_OPTION_BYTES,
      .offset = AT(rotate_bytes),
      .min = ROTATE_MIN,
      .doc = "A file that reached this size becomes PATH.1, which becomes PATH.2, and so on." },
    { .name = "keep",
      .type = MRL_OPTION_COUNT,
      .offset = AT(keep),
      .max = KEEP_MAX,
      .doc = "So many numbered files stay, and the oldest goes; without it all stay." },
    { .name = "warn-space",
      .type = MRL_OPTION_BYTES,
      .offset = AT(warn_bytes),
      .min = 1,
      .doc = "Say once when the file system has less left." },
    { .name = "mode",
      .type = MRL_OPTION_MODE,
      .offset = AT(mode),
      .doc = "Permissions of files that are made, whatever the umask; without, 0640 less it." },
    { .name = "group",
      .type = MRL_OPTION_COPY,
      .offset = AT(group),
      .size = sizeof(((struct mrl_rotation_options *)0)->group),
      .doc = "Group of files that are made." },
};

/* -- names ------------------------------------------------------------------------------------ */

/* How many digits a conversion makes; 0: it is none of ours. */
static unsigned int digits_of(char letter)
{
    return letter == 'Y' ? 4 : letter && strchr("mdHMS", letter) ? 2 : 0;
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

static bool has_time(const char *name)
{
    const char *at = name;

    while ((at = strchr(at, '%')) && at[1] == '%')
        at += 2;
    return at;
}

static int check_time(const char *name, struct mrl_error *error)
{
    for (const char *at = name; (at = strchr(at, '%')); at += 2) {
        if (at[1] != '%' && !digits_of(at[1]))
            return mrl_error__set(error, -EINVAL,
                                  "'%.64s': '%%%.1s' is no part of the time, which are %%Y %%m %%d "
                                  "%%H %%M %%S; a percent sign is %%%%",
                                  name, at + 1);
        if (at[1] != '%' && at < last_part(name))
            return mrl_error__set(error, -EINVAL,
                                  "'%.64s': the time may stand in the name of the file, and not of "
                                  "its directory",
                                  name);
    }
    return 0;
}

int mrl_rotation__check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const struct mrl_rotation_options *options = target->options;
    int err = check_time(target->destination, error);
    gid_t group;

    if (!err && options)
        err = mrl_opening__find_group(options->group, target->destination, &group, error);
    if (err || !options || !options->keep)
        return err;
    if (has_time(target->destination))
        return mrl_error__set(
            error, -EINVAL,
            "keep= is not for a name with the time: it would bound the files of one time only");
    return 0;
}

int mrl_rotation__name(const char *name, char path[PATH_MAX], struct mrl_error *error)
{
    time_t now = time(NULL);
    struct tm utc;
    size_t size;

    gmtime_r(&now, &utc);
    /* The check left only what every locale writes alike. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size = strftime(path, PATH_MAX, name, &utc);
#pragma GCC diagnostic pop
    return size ? 0 : mrl_error__set(error, -ENAMETOOLONG, "%.256s: too long", name);
}

/* -- names that meet -------------------------------------------------------------------------- */

/* One name as a row of bytes, in which '\1' stands for any digit. */
static size_t spread(const char *name, char bytes[PATH_MAX])
{
    size_t size = 0;

    for (const char *at = name; *at && size + 4 < PATH_MAX; at++) {
        unsigned int digits = *at == '%' ? digits_of(at[1]) : 0;

        memset(bytes + size, '\1', digits);
        size += digits;
        if (!digits)
            bytes[size++] = *at;
        at += *at == '%';
    }
    return size;
}

static bool is_digit(char byte)
{
    return byte == '\1' || isdigit((unsigned char)byte);
}

static bool may_equal(const char *one, const char *other, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (one[i] != other[i] &&
            (!is_digit(one[i]) || !is_digit(other[i]) || (one[i] != '\1' && other[i] != '\1')))
            return false;
    return true;
}

/* Whether what is behind a name is a number of a rotation, ".12"; or nothing. */
static bool is_number(const char *bytes, size_t size)
{
    if (size == 1 || (size && bytes[0] != '.'))
        return false;
    for (size_t i = 1; i < size; i++)
        if (!is_digit(bytes[i]))
            return false;
    return true;
}

bool mrl_rotation__meets(const char *one, const char *other)
{
    char bytes[2][PATH_MAX];
    size_t sizes[2] = { spread(last_part(one), bytes[0]), spread(last_part(other), bytes[1]) };
    int longer = sizes[1] > sizes[0];
    size_t common = sizes[!longer];

    return may_equal(bytes[0], bytes[1], common) &&
           is_number(bytes[longer] + common, sizes[longer] - common);
}

/* -- making room ------------------------------------------------------------------------------ */

static const char *numbered(const char *path, uint64_t number, char text[NUMBERED_BYTES])
{
    snprintf(text, NUMBERED_BYTES, number ? "%s.%llu" : "%s", path, (unsigned long long)number);
    return text;
}

/* The first number that no file has, or the last that any may have. */
static uint64_t first_free(const char *path, uint64_t last)
{
    char text[NUMBERED_BYTES];
    struct stat file;
    uint64_t number = 1;

    while (number < last && !lstat(numbered(path, number, text), &file))
        number++;
    return number;
}

/* What goes, since `keep` are kept, waits under a name of its own until it has a successor. */
static const char *moved(const char *path,
                         uint64_t number,
                         uint64_t keep,
                         char text[NUMBERED_BYTES])
{
    if (!keep || number <= keep)
        return numbered(path, number, text);
    snprintf(text, NUMBERED_BYTES, "%s.oldest", path);
    return text;
}

int mrl_rotation__set_aside(const char *path,
                            uint64_t keep,
                            uint64_t *ret_last,
                            struct mrl_error *error)
{
    uint64_t last = first_free(path, keep ? keep + 1 : NUMBER_MAX);
    char from[NUMBERED_BYTES], to[NUMBERED_BYTES];

    for (uint64_t number = last; number; number--) {
        if (rename(numbered(path, number - 1, from), moved(path, number, keep, to)))
            return mrl_error__set(error, -errno, "%.256s to %.256s: %s", from, to, strerror(errno));
    }
    *ret_last = last;
    return 0;
}

void mrl_rotation__let_go(const char *path, uint64_t keep, uint64_t last)
{
    char text[NUMBERED_BYTES];

    if (keep && last > keep)
        unlink(moved(path, last, keep, text));
}

void mrl_rotation__bring_back(const char *path, uint64_t keep, uint64_t last)
{
    char from[NUMBERED_BYTES], to[NUMBERED_BYTES];
    struct stat file;

    if (!lstat(path, &file))
        return;
    for (uint64_t number = 1; number <= last; number++)
        rename(moved(path, number, keep, from), numbered(path, number - 1, to));
}

/* -- one file --------------------------------------------------------------------------------- */

static struct mrl_rotation *rotation_of(const struct mrl_sink *sink)
{
    return (struct mrl_rotation *)(uintptr_t)sink;
}

static int init(struct mrl_rotation *rotation,
                const struct mrl_sink_target *target,
                struct mrl_error *error)
{
    int err;

    if (target->options)
        memcpy(&rotation->options, target->options, sizeof(rotation->options));
    rotation->opening = (struct mrl_opening){ rotation->options.mode, (gid_t)-1, !target->no_wait };
    rotation->name = strdup(target->destination);
    if (!rotation->name)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = mrl_opening__find_group(rotation->options.group, rotation->name, &rotation->opening.group,
                                  error);
    return err ? err : mrl_rotation__name(rotation->name, rotation->path, error);
}

int mrl_rotation__open(struct mrl_sink *sink,
                       const struct mrl_sink_target *target,
                       mrl_switch_fn *switch_to,
                       struct mrl_error *error)
{
    struct mrl_rotation *rotation = rotation_of(sink);
    int err;

    rotation->fd = -1;
    rotation->switch_to = switch_to;
    err = init(rotation, target, error);
    if (!err)
        err = switch_to(sink, rotation->path, error);
    return err < 0 ? err : 0;
}

void mrl_rotation__done(struct mrl_rotation *rotation)
{
    free(rotation->name);
    rotation->name = NULL;
}

int mrl_rotation__begin(struct mrl_rotation *rotation, int fd, struct mrl_error *error)
{
    const struct mrl_rotation_options *options = &rotation->options;
    struct stat file = { 0 };
    bool is_regular = !fstat(fd, &file) && S_ISREG(file.st_mode);

    if (!is_regular && (options->rotate_bytes || options->warn_bytes))
        return mrl_error__set(error, -EINVAL,
                              "%.256s: rotate= and warn-space= are for regular files",
                              rotation->path);
    rotation->size = is_regular ? (uint64_t)file.st_size : 0;
    rotation->end = options->rotate_bytes;
    return 0;
}

void mrl_rotation__settle(struct mrl_rotation *rotation, int fd, const char *path, bool created)
{
    mrl_sink__widen_pipe(fd);
    rotation->fd = fd;
    rotation->opening.waits = false;
    rotation->created = created;
    memmove(rotation->path, path, strlen(path) + 1);
}

bool mrl_rotation__is_quick(const struct mrl_sink *sink)
{
    return mrl_sink__is_quick_fd(rotation_of(sink)->fd);
}

uint64_t mrl_rotation__room(const struct mrl_sink *sink)
{
    const struct mrl_rotation *rotation = rotation_of(sink);

    if (!rotation->end)
        return UINT64_MAX;
    return rotation->size < rotation->end ? rotation->end - rotation->size : 0;
}

bool mrl_rotation__leads_to(const char *path, int fd)
{
    struct stat ours, there;

    return !fstat(fd, &ours) && !lstat(path, &there) && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

int mrl_rotation__reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    const struct mrl_rotation *rotation = rotation_of(sink);
    char path[PATH_MAX];
    int err = mrl_rotation__name(rotation->name, path, error);

    if (err || mrl_rotation__leads_to(path, rotation->fd)) /* it was not moved */
        return err;
    return rotation->switch_to(sink, path, error);
}

int mrl_rotation__rotate(struct mrl_sink *sink, struct mrl_error *error)
{
    struct mrl_rotation *rotation = rotation_of(sink);
    char path[PATH_MAX];
    int err = mrl_rotation__name(rotation->name, path, error);
    /* A path that leads elsewhere by now was moved by somebody else, or has a new time in its name:
     * then nothing is in the way. */
    bool is_ours = !err && mrl_rotation__leads_to(path, rotation->fd);
    uint64_t keep = rotation->options.keep, last = 0;

    rotation->end = rotation->size + rotation->options.rotate_bytes; /* should it fail */
    if (is_ours)
        err = mrl_rotation__set_aside(path, keep, &last, error);
    if (err)
        return err;
    err = rotation->switch_to(sink, path, error);
    if (err < 0 && is_ours)
        mrl_rotation__bring_back(path, keep, last);
    else
        mrl_rotation__let_go(path, keep, last);
    return err;
}

void mrl_rotation__take_back(const struct mrl_rotation *rotation)
{
    struct stat file;

    if (rotation->created && !fstat(rotation->fd, &file) && !file.st_size &&
        mrl_rotation__leads_to(rotation->path, rotation->fd))
        unlink(rotation->path);
}

int mrl_rotation__notice(struct mrl_sink *sink, struct mrl_error *note)
{
    struct mrl_rotation *rotation = rotation_of(sink);
    uint64_t wanted = rotation->options.warn_bytes, left;
    int64_t now_ns = wanted ? mrl_clock__ns(CLOCK_MONOTONIC_COARSE) : 0;
    bool was_low = rotation->is_low;
    struct statvfs system;

    if (!wanted || now_ns < rotation->look_ns)
        return 0;
    rotation->look_ns = now_ns + LOOK_INTERVAL_NS;
    if (fstatvfs(rotation->fd, &system))
        return 0;
    left = (uint64_t)system.f_bavail * system.f_frsize;
    rotation->is_low = left < wanted || (was_low && left - wanted < wanted / 8);
    if (was_low || !rotation->is_low)
        return 0;
    mrl_error__set(note, 0, "%.256s: %llu KiB of space are left", rotation->path,
                   (unsigned long long)(left >> 10));
    return 1;
}
