/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs to files that come and go, and events that are numbered, so that what a file lacks, or
 * has twice, can be read off it. Failures end the test. */
#ifndef MRL_UNIT_CHANGES_H
#define MRL_UNIT_CHANGES_H

#include <mrelease/pipeline.h>

#include "unit/records.h"

enum { CHANGES_EVENTS = 100 };

extern const struct mrl_sink_ops mrl_sink_file;

struct changes {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    char directory[64], path[128];
    uint64_t given;
};

/** As cmocka wants them: the state is a struct changes, of a directory of its own. */
int changes__set_up(void **state);
int changes__tear_down(void **state);

/** The path of a file in the directory. Valid until the next one. */
const char *changes__path_of(struct changes *fixture, const char *name);

/** Those of an output to the file `name`, which blocks. */
struct mrl_output_options changes__options_for(struct changes *fixture,
                                               const char *name,
                                               const char *format);

/** Adds an output before there is a change. */
void changes__begin_with(struct changes *fixture, const char *name);

/** Delivers CHANGES_EVENTS events, numbered from 0. */
void changes__deliver(struct changes *fixture);

/** A new change of the pipeline. */
struct mrl_change *changes__change_of(struct changes *fixture);

/** An output comes with a change. */
void changes__come(struct changes *fixture,
                   struct mrl_change *change,
                   const char *name,
                   const char *format);

/** Starts and applies a change. */
void changes__apply(struct mrl_change *change);

/** An output leaves with a change. */
void changes__leave(struct changes *fixture, struct mrl_change *change, const char *name);

/** How many lines of a file stand before one whose number is 0, and is not the first. */
uint64_t changes__lines_before_a_new_beginning(struct changes *fixture, const char *name);

/** How many lines a file has, of which each follows on the one before. */
uint64_t changes__lines_in_order(struct changes *fixture, const char *name);

/** What became of the events of an output. */
struct mrl_output_counts changes__counts(struct changes *fixture, unsigned int output);

/** Of each output: all that was given is accounted for. */
void changes__assert_accounted(struct changes *fixture);

#endif
