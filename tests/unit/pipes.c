// SPDX-License-Identifier: Apache-2.0
#include "unit/pipes.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "unit/unit.h"

int test_pipe__new(const char *path)
{
    int both;

    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    both = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(both >= 0);
    return both;
}

void test_pipe__fill(int both)
{
    char block[4096] = "";

    while (write(both, block, sizeof(block)) > 0)
        ;
    while (write(both, block, 1) > 0)
        ;
}

void test_pipe__drain(int both)
{
    char block[4096];

    while (read(both, block, sizeof(block)) > 0)
        ;
}

bool test_pipe__says_soon(int both, const char *text)
{
    char block[4096];

    for (int tries = 0; tries < 500; tries++) {
        ssize_t size = read(both, block, sizeof(block));

        if (size > 0 && memmem(block, (size_t)size, text, strlen(text)))
            return true;
        if (size < 0)
            usleep(10000);
    }
    return false;
}
