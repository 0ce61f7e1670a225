// SPDX-License-Identifier: Apache-2.0
/* Reading a file, pipe or FIFO through a bounded buffer. */
#include "read/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>

int mrl_input__open(struct mrl_input *input, const char *path, struct mrl_error *error)
{
    input->fd = STDIN_FILENO;
    input->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (input->wake < 0)
        return mrl_error__set(error, -errno, "preparing to read events: %s", strerror(errno));
    if (strcmp(path, "-") != 0)
        input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return input->fd < 0 ? mrl_error__set(error, -errno, "%.256s: %s", path, strerror(errno)) : 0;
}

void mrl_input__done(struct mrl_input *input)
{
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    if (input->wake >= 0)
        close(input->wake);
}

int mrl_input__read(struct mrl_input *input, int timeout_ms)
{
    struct pollfd waits[2] = { { .fd = input->fd, .events = POLLIN },
                               { .fd = input->wake, .events = POLLIN } };
    uint64_t times;
    ssize_t size;

    memmove(input->bytes, mrl_input__at(input), mrl_input__size(input));
    input->last = mrl_input__size(input);
    input->first = 0;
    if (poll(waits, 2, timeout_ms) < 0)
        return errno == EINTR ? 0 : -errno;
    if (waits[1].revents && read(input->wake, &times, sizeof(times)) > 0)
        return 0;
    if (!waits[0].revents)
        return 0;
    size = read(input->fd, input->bytes + input->last, sizeof(input->bytes) - input->last);
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    input->last += (size_t)size;
    input->ended = !size;
    return 1;
}

void mrl_input__interrupt(struct mrl_input *input)
{
    const uint64_t once = 1;
    ssize_t written = write(input->wake, &once, sizeof(once));

    (void)written; /* fails only when it is full of wake-ups already */
}
