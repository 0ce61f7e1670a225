/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as a run with --extra seq writes them, made up line by line, in files packed or not. */
#ifndef MRL_TESTS_STREAMS_H
#define MRL_TESTS_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stream_kind {
    STREAM_EVENT,
    STREAM_LOST, /* one event of its lane */
    STREAM_STARTED,
    STREAM_ALIVE,
    STREAM_STOPPED
};

struct stream_line {
    enum stream_kind kind;
    unsigned int run, file; /* which run wrote it, into which file */
    unsigned int output;    /* of a sensor_state: of the run, as its detail names it; 0: not */
    unsigned int cpu, lane;
    uint64_t seq;
    uint64_t so_far; /* of a sensor_state: events of its run before it */
};

enum stream_packing { STREAM_PLAIN, STREAM_GZIP, STREAM_ZSTD, STREAM_PACKINGS };

/** Writes lines to a new file; of the last one, `torn` bytes are cut off. */
void stream__write(const char *path,
                   enum stream_packing packing,
                   const struct stream_line *lines,
                   unsigned int count,
                   unsigned int torn);

/** Writes bytes to a new file. */
void stream__write_bytes(const char *path,
                         enum stream_packing packing,
                         const char *bytes,
                         size_t size);

/** Runs verify on files, in this process. Returns its exit status; `*ret_said` is new. */
int stream__verify(char *const *paths, const char *format, char **ret_said);

/** A new directory, and its removal with all that is in it. */
void stream__make_directory(char path[64]);
void stream__remove_directory(const char *path);

#endif
