// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into the program under test: the allocation whose number is MRELEASE_TEST_ALLOCATION
 * fails. At the end standard error is told how many there were, and how many blocks are left that
 * nobody freed.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own names of what is replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *block);

static atomic_ulong allocations;
static atomic_long left;
static unsigned long failing; /* 0: none */

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("MRELEASE_TEST_ALLOCATION");

    atomic_store(&allocations, 0);
    failing = number ? strtoul(number, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "allocations: %lu, left: %ld\n",
                        atomic_load(&allocations), atomic_load(&left));

    failing = 0;
    if (write(STDERR_FILENO, line, (size_t)size) != size)
        _exit(99);
}

static int fails(void)
{
    if (atomic_fetch_add(&allocations, 1) + 1 != failing)
        return 0;
    errno = ENOMEM;
    return 1;
}

static void *keep(void *block)
{
    atomic_fetch_add(&left, block != NULL);
    return block;
}

void *malloc(size_t size)
{
    return fails() ? NULL : keep(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : keep(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    void *block = fails() ? NULL : __libc_realloc(old, size);

    if (!old)
        keep(block);
    else if (!block && !size)
        atomic_fetch_sub(&left, 1); /* freed */
    return block;
}

void free(void *block)
{
    atomic_fetch_sub(&left, block != NULL);
    __libc_free(block);
}
