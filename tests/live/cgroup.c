// SPDX-License-Identifier: Apache-2.0
/* Cgroups for the tests. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "caller.h"
#include "cleanup.h"

enum { SMALL_BYTES = 4096, DIRECTORY_MODE = 0755 };

#define ROOT "/sys/fs/cgroup"

static bool is_v1(void)
{
    struct statfs root;

    return statfs(ROOT, &root) || root.f_type != CGROUP2_SUPER_MAGIC;
}

/* Where it is mounted. */
static bool find_mount(bool v1, char path[PATH_MAX])
{
    char buffer[SMALL_BYTES];
    struct mntent entry;
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    bool found = false;

    if (!mounts)
        return false;
    while (!found && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
        found = v1 ? !strcmp(entry.mnt_type, "cgroup") && hasmntopt(&entry, "cpuset")
                   : !strcmp(entry.mnt_type, "cgroup2");
        if (found)
            snprintf(path, PATH_MAX, "%s", entry.mnt_dir);
    }
    endmntent(mounts);
    return found;
}

/* The line of /proc/self/cgroup is NUMBER:cpuset:/path, or 0::/path. */
uint64_t cgroup__id_of_self(void)
{
    char lines[SMALL_BYTES], mount[PATH_MAX], path[2 * PATH_MAX];
    const char *mark = is_v1() ? ":cpuset:" : "0::";
    struct stat directory;
    char *at;

    if (!caller__read("/proc/thread-self/cgroup", lines, sizeof(lines)) ||
        !find_mount(is_v1(), mount))
        return 0;
    at = strstr(lines, mark);
    if (!at)
        return 0;
    at += strlen(mark);
    at[strcspn(at, "\n")] = '\0';
    snprintf(path, sizeof(path), "%s%s", mount, at);
    return stat(path, &directory) ? 0 : directory.st_ino;
}

static bool put(const char *directory, const char *file, const char *text)
{
    char path[2 * PATH_MAX + 32];
    bool written;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return written;
}

/* A new v1 cpuset takes no process before it has processors and memory nodes: its parent's. */
static bool inherit(const char *parent, const char *directory, const char *file)
{
    char path[2 * PATH_MAX + 32], value[SMALL_BYTES];

    snprintf(path, sizeof(path), "%s/%s", parent, file);
    return caller__read(path, value, sizeof(value)) && put(directory, file, value);
}

static bool make_one(bool v1, const char *parent, const char *directory, bool is_last)
{
    if (mkdir(directory, DIRECTORY_MODE)) {
        if (!is_last && errno == EEXIST) /* an earlier one was made within it */
            return true;
        printf("# %s: %s\n", directory, strerror(errno));
        return false;
    }
    cleanup__directory(directory);
    if (v1 && (!inherit(parent, directory, "cpuset.cpus") ||
               !inherit(parent, directory, "cpuset.mems"))) {
        printf("# %s: takes no processors or memory nodes: %s\n", directory, strerror(errno));
        return false;
    }
    return true;
}

static const char *make(bool v1, const char *path)
{
    char parent[2 * PATH_MAX], prefix[32];
    char *directory = calloc(1, 2 * PATH_MAX);

    cleanup__add(free, directory);
    if (!directory || !find_mount(v1, directory))
        return NULL;
    snprintf(prefix, sizeof(prefix), "mrelease-%d-", getpid());
    for (const char *before = prefix; *path; before = "") {
        size_t size = strcspn(path, "/"), used = strlen(directory);

        snprintf(parent, sizeof(parent), "%s", directory);
        snprintf(directory + used, 2 * PATH_MAX - used, "/%s%.*s", before, (int)size, path);
        if (!make_one(v1, parent, directory, !path[size]))
            return NULL;
        path += size + (path[size] == '/');
    }
    return directory;
}

const char *cgroup__make(const char *path)
{
    return make(is_v1(), path);
}

const char *cgroup__make_v2(const char *path)
{
    return make(false, path);
}

uint64_t cgroup__id(const char *directory)
{
    struct stat status;

    return stat(directory, &status) ? 0 : status.st_ino;
}

bool cgroup__enter(const char *directory)
{
    return put(directory, "cgroup.procs", "0");
}
