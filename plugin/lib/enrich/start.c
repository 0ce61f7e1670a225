// SPDX-License-Identifier: Apache-2.0
/* The newest cgroup and the host's mount namespace, at the start. */
#include "enrich/start.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "enrich/cgroups.h"
#include "enrich/host.h"

#define FIRST_MOUNT_NAMESPACE 0xEFFFFFF8U /* MNT_NS_INIT_INO, linux/nsfs.h, of Linux 6.17 */

enum { DEPTH_MAX = 32 };

/* The largest number of a cgroup below this one, whose descriptor is closed. The kernel tells
 * numbers and kinds with the names: no file is looked at. */
static uint64_t newest_below(int fd, unsigned int depth)
{
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    uint64_t newest = 0;

    if (!directory && fd >= 0)
        close(fd);
    while (directory && (entry = readdir(directory))) {
        uint64_t below = 0;

        if (entry->d_type != DT_DIR || *entry->d_name == '.')
            continue;
        if (depth)
            below = newest_below(openat(dirfd(directory), entry->d_name,
                                        O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                                 depth - 1);
        newest = entry->d_ino > newest ? entry->d_ino : newest;
        newest = below > newest ? below : newest;
    }
    if (directory)
        closedir(directory);
    return newest;
}

/* Numbers are given in the order in which cgroups are made, also where a namespace hides others:
 * our own cgroup is one of the youngest then. */
static uint64_t newest_cgroup(void)
{
    char root[PATH_MAX];
    struct stat file;
    uint64_t newest;

    if (!mrl_cgroups__find_root(mrl_host__has_cgroup_v1(), root) || stat(root, &file))
        return 0;
    newest = newest_below(open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), DEPTH_MAX);
    return newest > file.st_ino ? newest : file.st_ino;
}

/* That of the first process. Where that one may not be looked at, our own may be it. */
static uint32_t host_mount_namespace(void)
{
    struct stat file;

    if (!stat("/proc/1/ns/mnt", &file))
        return (uint32_t)file.st_ino;
    return !stat("/proc/self/ns/mnt", &file) && file.st_ino == FIRST_MOUNT_NAMESPACE
               ? FIRST_MOUNT_NAMESPACE
               : 0;
}

void mrl_start__read(struct mrl_start *ret_start)
{
    *ret_start = (struct mrl_start){ .boot_ns = (uint64_t)mrl_clock__boot_ns(),
                                     .cgroup_id = newest_cgroup(),
                                     .mount_namespace = host_mount_namespace() };
}
