// SPDX-License-Identifier: Apache-2.0
/*
 * A cache from cgroup numbers to containers. The number is the inode of the cgroup's directory, and
 * a kernfs file handle holds just that: the kernel opens the directory by its number, without a
 * search and without a process to ask. Without CAP_DAC_READ_SEARCH the tree is walked instead.
 */
#include "enrich/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/hash.h"

enum {
    CACHE_MAX = 4096,
    FILEID_KERNFS = 0xfe, /* include/linux/exportfs.h */
};

struct known_cgroup {
    uint64_t id;
    uint32_t size;
    UT_hash_handle hh;
    char container[MRL_CONTAINER_BYTES];
};

struct mrl_cgroups {
    int root; /* descriptor of the hierarchy's root, -1: not mounted */
    char root_path[PATH_MAX];
    struct known_cgroup *known;
};

/* Where the hierarchy is mounted whose cgroups the probes number. */
static bool find_root(bool v1, char path[PATH_MAX])
{
    struct mntent entry;
    char buffer[4096];
    bool found = false;
    FILE *mounts = setmntent("/proc/self/mounts", "re");

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

int mrl_cgroups__new(bool v1, struct mrl_cgroups **ret_cgroups)
{
    struct mrl_cgroups *cgroups = calloc(1, sizeof(*cgroups));

    if (!cgroups)
        return -ENOMEM;
    cgroups->root = -1;
    if (find_root(v1, cgroups->root_path))
        cgroups->root = open(cgroups->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *ret_cgroups = cgroups;
    return 0;
}

static void forget_all(struct mrl_cgroups *cgroups)
{
    struct known_cgroup *known, *next;

    HASH_ITER(hh, cgroups->known, known, next) {
        HASH_DEL(cgroups->known, known);
        free(known);
    }
}

void mrl_cgroups__free(struct mrl_cgroups *cgroups)
{
    if (!cgroups)
        return;
    forget_all(cgroups);
    if (cgroups->root >= 0)
        close(cgroups->root);
    free(cgroups);
}

/* 0, or -errno: -EPERM without the capability, -ESTALE when the cgroup is gone. */
static int path_by_handle(int root, uint64_t id, char path[PATH_MAX])
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + sizeof(id)];
    } file = { .handle = { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS } };
    char link[32];
    ssize_t size;
    int fd;

    memcpy(file.handle.f_handle, &id, sizeof(id));
    fd = open_by_handle_at(root, &file.handle, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, PATH_MAX - 1);
    close(fd);
    if (size < 0)
        return -errno;
    path[size] = '\0';
    return 0;
}

static int path_by_walk(char *root_path, uint64_t id, char path[PATH_MAX])
{
    char *const roots[] = { root_path, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    int err = -ESTALE;
    FTSENT *entry;

    if (!tree)
        return -errno;
    while (err && (entry = fts_read(tree))) {
        if (entry->fts_info == FTS_D && entry->fts_statp->st_ino == id) {
            snprintf(path, PATH_MAX, "%s", entry->fts_path);
            err = 0;
        }
    }
    fts_close(tree);
    return err;
}

static struct mrl_text look_up(struct mrl_cgroups *cgroups, uint64_t id, char path[PATH_MAX])
{
    int err = cgroups->root < 0 ? -ENOENT : path_by_handle(cgroups->root, id, path);

    if (err && err != -ESTALE && err != -ENOENT)
        err = path_by_walk(cgroups->root_path, id, path);
    return err ? (struct mrl_text){ "", 0 } : mrl_container_of_path(path);
}

struct mrl_text mrl_cgroups__container(struct mrl_cgroups *cgroups, uint64_t cgroup_id)
{
    struct known_cgroup *known;
    struct mrl_text container;
    char path[PATH_MAX];

    HASH_FIND(hh, cgroups->known, &cgroup_id, sizeof(cgroup_id), known);
    if (known)
        return (struct mrl_text){ known->container, known->size };
    container = look_up(cgroups, cgroup_id, path);
    if (HASH_COUNT(cgroups->known) >= CACHE_MAX)
        forget_all(cgroups);
    known = calloc(1, sizeof(*known));
    if (!known)
        return (struct mrl_text){ "", 0 };
    known->id = cgroup_id;
    known->size =
        (uint32_t)(container.size < MRL_CONTAINER_BYTES ? container.size : MRL_CONTAINER_BYTES);
    memcpy(known->container, container.bytes, known->size);
    HASH_ADD(hh, cgroups->known, id, sizeof(known->id), known);
    if (!known->hh.tbl) {
        free(known);
        return (struct mrl_text){ "", 0 };
    }
    return (struct mrl_text){ known->container, known->size };
}
