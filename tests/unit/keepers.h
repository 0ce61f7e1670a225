/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline of tests whose outputs do as they are told, and keep what they get. The events of its
 * batch are numbered by their first argument, so that order, and the place of a gap, can be read
 * off an output's text.
 */
#ifndef MRL_TESTS_KEEPERS_H
#define MRL_TESTS_KEEPERS_H

#include <mrelease/pipeline.h>
#include <stdatomic.h>

#include "unit/records.h"

enum { TEST_KEEPERS = 4, TEST_EVENTS = 200 /* of a batch */, QUEUE_BYTES = 64 * 1024 };

/* Keeps what it gets. Its gate is a pipe: each write() first waits until there is something in it.
 */
struct mrl_sink {
    int gate[2];
    char *text;
    size_t size;
    atomic_int failures; /* so many writes fail from now on, */
    int err;             /* with this, */
    size_t taken;        /* after so many lines */
    atomic_uint writes, reopened;
};

extern struct mrl_sink test_keepers[TEST_KEEPERS];

/** Once open, it stays open. */
void test_keeper__open_gate(unsigned int index);

struct test_pipeline {
    struct test_decoder decoder;
    struct mrl_pipeline *pipeline;
    uint64_t given;
};

/** `*state` is a struct test_pipeline, without outputs. */
int test_pipeline__set_up(void **state);
int test_pipeline__tear_down(void **state);

/** `destination` is the number of a keeper; NULL: format none. */
void test_pipeline__add(struct test_pipeline *fixture,
                        const char *format,
                        const char *destination,
                        enum mrl_policy policy);

void test_pipeline__deliver(struct test_pipeline *fixture, unsigned int batches);
struct mrl_output_counts test_pipeline__counts(struct test_pipeline *fixture, unsigned int output);
uint64_t test_pipeline__dropped(struct test_pipeline *fixture, unsigned int output);

struct test_reading {
    uint64_t lines, told, gaps;
    uint64_t next; /* number that must follow, modulo TEST_EVENTS */
};

/** The lines are whole, in order, and a gap stands exactly where numbers are missing. */
struct test_reading test_keeper__read(unsigned int index);

/** Each event that was given is there, or told as dropped. */
void test_pipeline__assert_accounted(struct test_pipeline *fixture,
                                     unsigned int output,
                                     unsigned int keeper);

#endif
