/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every line that a live test made the program write is judged: by `mrelease validate` at the end
 * of the test, and by another validator later. Only where the environment names a directory for
 * that. A build that has no validator judges nothing: the others do.
 */
#ifndef MRL_LIVE_COLLECT_H
#define MRL_LIVE_COLLECT_H

/**
 * Judges the JSON lines in all files below `directory`, and adds to a file below
 * $MRELEASE_TEST_LINES one line of each shape, for tests/schema/both.py. Returns 0, or -1 when a
 * line is not valid: that has been printed.
 */
int collect__directory(const char *directory);

#endif
