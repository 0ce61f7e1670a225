/* SPDX-License-Identifier: Apache-2.0 */
/* A file, pipe or FIFO read through a bounded buffer, by a wait that can be interrupted. */
#ifndef MRL_READ_INPUT_H
#define MRL_READ_INPUT_H

#include <mrelease/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MRL_INPUT_BYTES = 64 * 1024, MRL_INPUT_ALIGN = 8 };

struct mrl_input {
    int fd;
    int wake; /* eventfd of interrupt() */
    bool ended;
    uint64_t offset;    /* in the input, of bytes[first] */
    size_t first, last; /* bytes[first..last) were read, and not taken yet */
    _Alignas(MRL_INPUT_ALIGN) char bytes[MRL_INPUT_BYTES];
};

/** Opens a path, or standard input for "-". May block (a FIFO without writer). -errno, with a line
 * in `error`; done() is due either way. */
int mrl_input__open(struct mrl_input *input, const char *path, struct mrl_error *error);

void mrl_input__done(struct mrl_input *input);

/**
 * Waits for bytes up to `timeout_ms` (-1: for ever) and adds some to those that were not taken,
 * which must not fill the buffer. Returns 1, also when the input has `ended`; 0: time-out or
 * interrupted; -errno.
 */
int mrl_input__read(struct mrl_input *input, int timeout_ms);

/** Bytes that can be taken begin here; aligned to MRL_INPUT_ALIGN when only multiples were taken.
 */
static inline const char *mrl_input__at(const struct mrl_input *input)
{
    return input->bytes + input->first;
}

static inline size_t mrl_input__size(const struct mrl_input *input)
{
    return input->last - input->first;
}

static inline void mrl_input__take(struct mrl_input *input, size_t size)
{
    input->first += size;
    input->offset += size;
}

/** Ends a wait, now or the next. Any thread, and signal handlers. */
void mrl_input__interrupt(struct mrl_input *input);

#endif
