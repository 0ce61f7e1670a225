// SPDX-License-Identifier: Apache-2.0
#include "event/exe_path.h"

#include <string.h>

/*
 * The record has the components innermost first; the path wants them the other way round. A path
 * whose outer components are missing must not look like a whole one.
 */
struct mrl_text mrl_exe_path__of(struct mrl_arena *arena, struct mrl_text steps, bool cut)
{
    size_t at = cut ? 3 : 0, start, end;
    char *path = steps.size ? mrl_arena__take(arena, at + steps.size) : NULL;

    if (!path)
        return (struct mrl_text){ "", 0 };
    memcpy(path, "...", at);
    for (end = steps.size - 1; end != SIZE_MAX; end = start ? start - 1 : SIZE_MAX) {
        start = end;
        while (start && steps.bytes[start - 1])
            start--;
        path[at++] = '/';
        memcpy(path + at, steps.bytes + start, end - start);
        at += end - start;
    }
    return (struct mrl_text){ path, at };
}
