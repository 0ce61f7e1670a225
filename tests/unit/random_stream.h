/* SPDX-License-Identifier: Apache-2.0 */
/* Streams made up at random, by random(): several runs, some of them killed, over several files. */
#ifndef MRL_TESTS_RANDOM_STREAM_H
#define MRL_TESTS_RANDOM_STREAM_H

#include "unit/streams.h"

enum { RANDOM_CPUS = 3, RANDOM_LANES = 2, RANDOM_RUNS = 4, RANDOM_LINES = 1024 };

struct random_stream {
    struct stream_line lines[RANDOM_LINES];
    unsigned int count, files, runs;
    bool killed[RANDOM_RUNS], losses;
    unsigned int torn_file, torn; /* bytes that are to be cut off there: none */
};

/** A number below `limit`. */
unsigned int random_stream__below(unsigned int limit);

/** Fills `*stream`: at most half of its lines. */
void random_stream__make(struct random_stream *stream);

#endif
