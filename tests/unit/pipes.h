/* SPDX-License-Identifier: Apache-2.0 */
/* FIFOs whose both ends a test holds: so it says when they are full. Failures end the test. */
#ifndef MRL_UNIT_PIPES_H
#define MRL_UNIT_PIPES_H

#include <stdbool.h>

/** Makes a FIFO, in place of what is there, and opens both its ends. The descriptor never waits,
 * and is the caller's to close. */
int test_pipe__new(const char *path);

/** Nothing more goes in. */
void test_pipe__fill(int both);

/** Takes out all that is in it. */
void test_pipe__drain(int both);

/** Whether a text comes out of it within seconds, in one piece. */
bool test_pipe__says_soon(int both, const char *text);

#endif
