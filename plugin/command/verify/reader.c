// SPDX-License-Identifier: Apache-2.0
#include "command/verify/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 4 * MRL_READER_LINE_MAX };

struct mrl_reader {
    struct mrl_input *input;
    bool ended, failed;
    bool too_long; /* the line that is being read; of its bytes only the first are kept */
    size_t start, stop;
    char buffer[BUFFER_BYTES + 1]; /* the last one holds a newline where the file has none */
};

int mrl_reader__open(const char *path, struct mrl_reader **ret_reader)
{
    struct mrl_reader *reader = malloc(sizeof(*reader));
    int err;

    if (!reader)
        return -ENOMEM;
    memset(reader, 0, offsetof(struct mrl_reader, buffer));
    err = mrl_input__open(path, &reader->input);
    if (err)
        free(reader);
    else
        *ret_reader = reader;
    return err;
}

/* Makes room and reads on. What is beyond the longest line is let go of. */
static void read_on(struct mrl_reader *reader)
{
    ssize_t got;

    memmove(reader->buffer, reader->buffer + reader->start, reader->stop - reader->start);
    reader->stop -= reader->start;
    reader->start = 0;
    if (reader->stop > MRL_READER_LINE_MAX) {
        reader->too_long = true;
        reader->stop = MRL_READER_LINE_MAX;
    }
    got =
        mrl_input__read(reader->input, reader->buffer + reader->stop, BUFFER_BYTES - reader->stop);
    if (got > 0)
        reader->stop += (size_t)got;
    reader->ended = got <= 0;
    reader->failed = got < 0;
}

static void end_span(struct mrl_reader *reader, struct mrl_span *span)
{
    if (reader->too_long || span->size > MRL_READER_LINE_MAX)
        span->fault = "longer than any event";
    reader->too_long = false;
}

bool mrl_reader__next(struct mrl_reader *reader, struct mrl_span *ret_span)
{
    size_t searched = 0;
    char *end;

    for (;;) {
        char *start = reader->buffer + reader->start;
        size_t size = reader->stop - reader->start;

        end = size > searched ? memchr(start + searched, '\n', size - searched) : NULL;
        if (end || reader->ended)
            break;
        read_on(reader);
        searched = size < MRL_READER_LINE_MAX ? size : MRL_READER_LINE_MAX;
    }
    *ret_span = (struct mrl_span){ .bytes = reader->buffer + reader->start };
    if (!end) {
        if (reader->start == reader->stop)
            return false;
        ret_span->fault = "cut off: the file does not end with a newline";
        end = reader->buffer + reader->stop;
        *end = '\n';
        reader->stop++;
    }
    ret_span->size = (size_t)(end - ret_span->bytes);
    reader->start += ret_span->size + 1;
    end_span(reader, ret_span);
    return true;
}

const char *mrl_reader__fault(const struct mrl_reader *reader)
{
    return reader->failed ? mrl_input__fault(reader->input) : NULL;
}

uint64_t mrl_reader__position(const struct mrl_reader *reader)
{
    return mrl_input__position(reader->input);
}

void mrl_reader__close(struct mrl_reader *reader)
{
    if (!reader)
        return;
    mrl_input__close(reader->input);
    free(reader);
}
