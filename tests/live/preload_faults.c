// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into the program under test: write() to the file that MRELEASE_TEST_FAULTY ends with
 * fails in turn with what MRELEASE_TEST_FAULTS lists: "eintr", "eio", "enospc", "epipe", "short"
 * (half is written), "ok".
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

static const struct {
    const char *name;
    int err;
} faults[] = { { "eintr", EINTR }, { "eio", EIO }, { "enospc", ENOSPC }, { "epipe", EPIPE } };

static int is_faulty(int fd)
{
    const char *wanted = getenv("MRELEASE_TEST_FAULTY");
    char link[64], path[PATH_MAX];
    ssize_t size;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof(path));
    return wanted && size >= (ssize_t)strlen(wanted) &&
           !memcmp(path + size - strlen(wanted), wanted, strlen(wanted));
}

/* The word whose turn it is. */
static void next_fault(char *word, size_t size)
{
    static const char *at;
    const char *list = getenv("MRELEASE_TEST_FAULTS");
    size_t length;

    if (!at || !*at)
        at = list ? list : "ok";
    length = strcspn(at, ",");
    snprintf(word, size, "%.*s", (int)length, at);
    at += length + (at[length] == ',');
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    char word[16] = "ok";

    if (is_faulty(fd))
        next_fault(word, sizeof(word));
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (!strcmp(word, faults[i].name)) {
            errno = faults[i].err;
            return -1;
        }
    }
    if (!strcmp(word, "short") && size > 1)
        size /= 2;
    return syscall(SYS_write, fd, bytes, size);
}
