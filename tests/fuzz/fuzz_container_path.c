// SPDX-License-Identifier: Apache-2.0
/* Any text as a cgroup path: no container, or one that is a part of a component of the path. */
#include <ctype.h>

#include "enrich/cgroups.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = fuzz_string(data, size);
    const struct mrl_container_path found = mrl_container_path__parse(path);
    const struct mrl_text ids[] = { found.id, found.outer };

    for (int i = 0; i < 2; i++) {
        if (!ids[i].size)
            continue;
        must(ids[i].bytes >= path && ids[i].bytes + ids[i].size <= path + strlen(path));
        must(ids[i].size <= MRL_CONTAINER_ID_BYTES);
        for (size_t j = 0; j < ids[i].size; j++)
            must(isxdigit((unsigned char)ids[i].bytes[j]) || ids[i].bytes[j] == '-');
    }
    must(!found.confirmed || (found.id.size && !found.outer.size));
    free(path);
    return 0;
}
