// SPDX-License-Identifier: Apache-2.0
/* Any bytes from the main process: the side program's end gives its sink whole items, and ends when
 * a rule is broken. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "fuzz.h"
#include "side/common/program.h"
#include "side_messages.h"

enum { OPTION_BYTES = 8 };

struct mrl_sink {
    int nothing;
};

static struct mrl_sink the_sink;

static int fuzz_open(const struct mrl_sink_target *target,
                     struct mrl_error *error,
                     struct mrl_sink **ret_sink)
{
    must(strlen(target->destination) + strlen(target->format) < MRL_SIDE_MESSAGE_MAX);
    if (*target->destination == 'x')
        return mrl_error__set(error, -EINVAL, "no");
    *ret_sink = &the_sink;
    return 0;
}

static int fuzz_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    size_t sum = 0;

    must(sink == &the_sink);
    for (size_t i = 0; i < chunk->events; i++)
        sum += chunk->sizes[i];
    must(!chunk->events || sum == chunk->size);
    *ret_events = chunk->events / 2;
    return chunk->events > 1 ? -EIO : 0;
}

static int fuzz_close(struct mrl_sink *sink)
{
    must(sink == &the_sink);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mrl_sink_ops sink = { .name = "x",
                                              .option_bytes = OPTION_BYTES,
                                              .open = fuzz_open,
                                              .write = fuzz_write,
                                              .close = fuzz_close };
    static const struct mrl_side_program program = { .sink = &sink };
    int pair[2];

    must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    must(dup2(pair[0], MRL_SIDE_SOCKET) == MRL_SIDE_SOCKET);
    if (pair[0] != MRL_SIDE_SOCKET)
        close(pair[0]);
    if (pair[1] == MRL_SIDE_SOCKET)
        return 0;
    say_all(pair[1], data, size);
    shutdown(pair[1], SHUT_WR);
    mrl_side__serve(&program);
    close(pair[1]);
    close(MRL_SIDE_SOCKET);
    return 0;
}
