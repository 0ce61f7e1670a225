// SPDX-License-Identifier: Apache-2.0
/* Any text as a cgroup path: no container, or one that is a part of a component of the path. */
#include "enrich/cgroups.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = fuzz_string(data, size);
    struct mrl_text id = mrl_container_of_path(path);

    if (id.size) {
        must(id.bytes >= path && id.bytes + id.size <= path + strlen(path));
        must(!memchr(id.bytes, '/', id.size));
    }
    free(path);
    return 0;
}
