/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of files that `verify` looks at. Failures end the test. */
#ifndef MRL_UNIT_FOLDERS_H
#define MRL_UNIT_FOLDERS_H

#include <stdbool.h>

#include "unit/streams.h"

enum { FOLDER_FILES_MAX = 8 };

/** Exit statuses of verify. */
enum { FOLDER_COMPLETE = 0, FOLDER_CHANGED = 1, FOLDER_OPEN = 3 };

/** A run of two events; the two halves of its lines may be two files. */
enum { FOLDER_HALF = 3, FOLDER_WHOLE = 6 };
extern const struct stream_line folder_lines[FOLDER_WHOLE];

struct folder {
    char path[64];
    char *paths[FOLDER_FILES_MAX + 1];
    unsigned int count;
};

/** As cmocka wants them: the state is a struct folder, of a directory of its own. */
int folder__set_up(void **state);
int folder__tear_down(void **state);

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder__set_up, folder__tear_down)

/** Names a file of the folder, which need not be there. Valid until the end. */
const char *folder__name(struct folder *folder, const char *text);

/** What verify says of the folder as a whole, or of the files that were named. */
void folder__assert_verdict(struct folder *folder, bool whole, int status, const char *says);

#endif
