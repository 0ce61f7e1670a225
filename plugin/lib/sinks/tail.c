// SPDX-License-Identifier: Apache-2.0
/* What an earlier run left at the end of a file of lines. */
#include "sinks/tail.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAIL_BYTES = 32 * 1024 /* more than a line of ours */ };

#define LINE_START "{\"timestamp\":"

static bool same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Reads up to `size` bytes before the end. The descriptor that writes cannot read. */
static ssize_t read_tail(const char *path, const struct stat *file, char *tail, size_t size)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat same;
    ssize_t count = -1;

    if (fd < 0)
        return -1;
    /* The path may lead to another file by now, of which nothing must be believed. */
    if (!fstat(fd, &same) && same_file(file, &same)) {
        if ((off_t)size > file->st_size)
            size = (size_t)file->st_size;
        count = pread(fd, tail, size, file->st_size - (off_t)size);
    }
    close(fd);
    return count;
}

/* Half a line of ours is cut off; what others left is ended, so that no line of ours joins it. */
void mrl_tail__repair(int fd, const char *path, const struct stat *file, struct mrl_error *note)
{
    char tail[TAIL_BYTES];
    ssize_t size = read_tail(path, file, tail, sizeof(tail));
    const char *newline, *line;
    size_t torn, start = sizeof(LINE_START) - 1;

    if (size <= 0 || tail[size - 1] == '\n')
        return;
    newline = memrchr(tail, '\n', (size_t)size);
    line = newline ? newline + 1 : tail;
    torn = (size_t)(tail + size - line);
    start = torn < start ? torn : start;
    if ((newline || size == file->st_size) && !memcmp(line, LINE_START, start)) {
        if (!ftruncate(fd, file->st_size - (off_t)torn))
            mrl_error__set(note, 0, "%.256s ended with half a line: %zu bytes were cut off", path,
                           torn);
    } else if (write(fd, "\n", 1) == 1) {
        mrl_error__set(note, 0, "%.256s ended without a newline, which was added", path);
    }
}

/* A time as the dialects write it: ns, or RFC 3339 in UTC between quotes. 0: it is none. */
static uint64_t parse_time(const char *text)
{
    struct tm date = { 0 };
    double second = 0;
    int end = 0;

    if (isdigit((unsigned char)*text))
        return strtoull(text, NULL, 10);
    if (sscanf(text, "\"%4d-%2d-%2dT%2d:%2d:%lfZ\"%n", &date.tm_year, &date.tm_mon, &date.tm_mday,
               &date.tm_hour, &date.tm_min, &second, &end) != 6 ||
        !end || second < 0 || second > 61)
        return 0;
    date.tm_year -= 1900;
    date.tm_mon--;
    return (uint64_t)timegm(&date) * 1000000000 + (uint64_t)(second * 1e9);
}

uint64_t mrl_tail__time_ns(const char *path)
{
    char tail[TAIL_BYTES + 1];
    struct stat file;
    ssize_t size = lstat(path, &file) || !S_ISREG(file.st_mode)
                       ? -1
                       : read_tail(path, &file, tail, TAIL_BYTES);
    uint64_t time_ns = 0;

    for (char *line = size > 0 ? tail : NULL, *next; line; line = next) {
        tail[size] = '\0';
        next = memchr(line, '\n', (size_t)(tail + size - line));
        next = next ? next + 1 : NULL;
        /* The first may be half a line, and so may the last. */
        if (next && (line > tail || size == file.st_size) &&
            !strncmp(line, LINE_START, sizeof(LINE_START) - 1))
            time_ns = parse_time(line + sizeof(LINE_START) - 1);
    }
    return time_ns;
}
