// SPDX-License-Identifier: Apache-2.0
#include "unit/folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

const struct stream_line folder_lines[FOLDER_WHOLE] = {
    { .kind = STREAM_STARTED, .so_far = 0 },       { .kind = STREAM_EVENT, .seq = 0, .lane = 1 },
    { .kind = STREAM_ALIVE, .so_far = 1 },         { .kind = STREAM_ALIVE, .so_far = 1 },
    { .kind = STREAM_EVENT, .seq = 1, .lane = 1 }, { .kind = STREAM_STOPPED, .so_far = 2 },
};

int folder__set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    assert_non_null(folder);
    stream__make_directory(folder->path);
    *state = folder;
    return 0;
}

int folder__tear_down(void **state)
{
    struct folder *folder = *state;

    stream__remove_directory(folder->path);
    for (unsigned int i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder);
    return 0;
}

const char *folder__name(struct folder *folder, const char *text)
{
    char **path = &folder->paths[folder->count++];

    assert_in_range(folder->count, 1, FOLDER_FILES_MAX);
    assert_true(asprintf(path, "%s/%s", folder->path, text) > 0);
    return *path;
}

void folder__assert_verdict(struct folder *folder, bool whole, int status, const char *says)
{
    char *alone[] = { folder->path, NULL }, *said;
    int got = stream__verify(whole ? alone : folder->paths, "table", &said);

    if (got != status || !strstr(said, says))
        fail_case("%d, and no '%s' in: %s", got, says, said);
    free(said);
}
