// SPDX-License-Identifier: Apache-2.0
/*
 * Directories of policies that Kubernetes fills. What a ConfigMap holds stands there in a directory
 * of its own; the link "..data" names it, and is exchanged when the ConfigMap has changed. So all
 * files change at once, and whoever sees another link may read them.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/stat.h>

#include "command/policy/policy.h"

enum { PATH_BYTES = 4096 };

/* A number is used again once its link is gone; its time is not. */
static uint64_t mix(uint64_t sum, const struct stat *link)
{
    const uint64_t parts[] = { link->st_dev, link->st_ino, (uint64_t)link->st_ctim.tv_sec,
                               (uint64_t)link->st_ctim.tv_nsec };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        sum = (sum ^ parts[i]) * UINT64_C(0x100000001b3);
    return sum;
}

uint64_t mrl_policy_mounts__look(const char *const *paths, unsigned int count)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < count; i++) {
        char path[PATH_BYTES];
        struct stat link;

        if (snprintf(path, sizeof(path), "%s/..data", paths[i]) < (int)sizeof(path) &&
            !fstatat(AT_FDCWD, path, &link, AT_SYMLINK_NOFOLLOW) && S_ISLNK(link.st_mode))
            sum = mix(sum + i + 1, &link);
    }
    return sum;
}
