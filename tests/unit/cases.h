/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptions of calls that tests/golden/encoder.py reads, as records. */
#ifndef MRL_TESTS_CASES_H
#define MRL_TESTS_CASES_H

#include <jansson.h>
#include <mrelease/encode.h>
#include <stdio.h>

#include "unit/records.h"

/** A description read. */
struct test_case {
    struct test_record record;
    struct mrl_host host; /* clock, pages and CPUs only */
    char container[128];  /* of the caller: no record names it */
    size_t container_size;
};

#define TEST_PYTHON "/usr/bin/python3"

/** Runs a program of tests/golden ("encoder.py --dialect …"); its output, for pclose(). */
FILE *test_python(const char *arguments);

/** The line of a description, as a new string. */
char *test_case__line(struct mrl_encoder *encoder, json_t *description);

/** Reads a description; fails the test where it is none. */
void test_case__read(struct test_case *test_case, json_t *description);

#endif
