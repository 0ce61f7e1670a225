// SPDX-License-Identifier: Apache-2.0
/*
 * A cache from cgroup numbers to containers. The probes fill it. For a cgroup that they did not get
 * to describe, the file system is asked: the number is the inode of the cgroup's directory, and a
 * kernfs file handle holds just that, so the kernel opens the directory by its number, without a
 * search and without a process to ask. Without CAP_DAC_READ_SEARCH the tree is walked instead.
 */
#include "enrich/cgroups.h"

#include <abi/record.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"

#define INITIAL_NAMESPACE "cgroup:[4026531835]" /* PROC_CGROUP_INIT_INO, linux/proc_ns.h */

enum {
    CACHE_MAX = 8192, /* more than the probes remember to have described */
    WALK_AGAIN_NS = 100 * 1000 * 1000,
    FILEID_KERNFS = 0xfe, /* include/linux/exportfs.h */
};

/* A cgroup that was described. Both ids are empty on the host. */
struct known_cgroup {
    uint64_t id;
    UT_hash_handle hh;
    uint8_t size, outer_size;
    bool is_claim, confirmed; /* struct mrl_container_path */
    bool is_part;             /* nobody knows what is around */
    bool used;                /* since it was last considered for being forgotten */
    uint8_t hint;             /* enum mrl_runtime */
    char container[MRL_CONTAINER_ID_BYTES];
    char outer[MRL_CONTAINER_ID_BYTES];
    struct mrl_names_place place;
};

struct mrl_cgroups {
    int root; /* descriptor of the hierarchy's root, -1: not mounted */
    char root_path[PATH_MAX];
    bool hidden;     /* are_hidden() */
    uint64_t missed; /* the last one that a walk did not find, and until when it is not sought */
    int64_t missed_until_ns;
    struct known_cgroup *known;
    struct known_cgroup *last; /* found: events come in rows from one cgroup */
};

bool mrl_cgroups__find_root(bool v1, char path[PATH_MAX])
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

/* Whether a cgroup namespace hides the paths of the others from this process. */
static bool are_hidden(void)
{
    char link[64];
    ssize_t size = readlink("/proc/self/ns/cgroup", link, sizeof(link) - 1);

    if (size < 0) /* no such namespaces */
        return false;
    link[size] = '\0';
    return strcmp(link, INITIAL_NAMESPACE) != 0;
}

int mrl_cgroups__new(bool v1, struct mrl_cgroups **ret_cgroups)
{
    struct mrl_cgroups *cgroups = calloc(1, sizeof(*cgroups));

    if (!cgroups)
        return -ENOMEM;
    cgroups->root = -1;
    cgroups->hidden = are_hidden();
    if (mrl_cgroups__find_root(v1, cgroups->root_path))
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

/* -- what is known ---------------------------------------------------------------------------- */

/* The longest unused one: what is in use comes to the end of the list instead, and is spared. */
static void forget_one(struct mrl_cgroups *cgroups)
{
    struct known_cgroup *known;

    cgroups->last = NULL;
    while ((known = cgroups->known)->used) {
        known->used = false;
        HASH_DEL(cgroups->known, known);
        HASH_ADD(hh, cgroups->known, id, sizeof(known->id), known);
        if (!known->hh.tbl) { /* no memory to move it */
            free(known);
            return;
        }
    }
    HASH_DEL(cgroups->known, known);
    free(known);
}

static struct known_cgroup *find(struct mrl_cgroups *cgroups, uint64_t id)
{
    struct known_cgroup *known = cgroups->last;

    if (known && known->id == id)
        return known;
    HASH_FIND(hh, cgroups->known, &id, sizeof(id), known);
    cgroups->last = known;
    return known;
}

static struct known_cgroup *find_or_add(struct mrl_cgroups *cgroups, uint64_t id)
{
    struct known_cgroup *known = find(cgroups, id);

    if (known)
        return known;
    if (HASH_COUNT(cgroups->known) >= CACHE_MAX)
        forget_one(cgroups);
    known = calloc(1, sizeof(*known));
    if (!known)
        return NULL;
    known->id = id;
    HASH_ADD(hh, cgroups->known, id, sizeof(known->id), known);
    if (!known->hh.tbl) {
        free(known);
        return NULL;
    }
    return known;
}

/* It is in the one around it, or in none; or nobody knows. */
static void give_up_claim(struct known_cgroup *known)
{
    memcpy(known->container, known->outer, known->outer_size);
    known->size = known->outer_size;
    known->is_claim = false;
    known->hint = MRL_RUNTIME_UNKNOWN;
    known->place = (struct mrl_names_place){ .found = NULL };
}

/* Of two cgroups with one id, of which one only claims it, the other has it. */
static void settle_claims(struct mrl_cgroups *cgroups, struct known_cgroup *one)
{
    for (struct known_cgroup *other = cgroups->known; other; other = other->hh.next)
        if (other->is_claim != one->is_claim && other->size == one->size &&
            !memcmp(other->container, one->container, one->size))
            give_up_claim(one->is_claim ? one : other);
}

static struct mrl_membership membership_of(struct known_cgroup *known)
{
    return (struct mrl_membership){ .id = { known->container, known->size },
                                    .lookup = known->size      ? MRL_LOOKUP_KNOWN
                                              : known->is_part ? MRL_LOOKUP_UNREADABLE
                                                               : MRL_LOOKUP_HOST,
                                    .confirmed = known->confirmed,
                                    .is_claim = known->is_claim,
                                    .hint = (enum mrl_runtime)known->hint,
                                    .place = &known->place };
}

static struct mrl_membership unknown(enum mrl_lookup lookup)
{
    return (struct mrl_membership){ .id = { "", 0 }, .lookup = lookup };
}

/* Remembers what a path says. `is_whole`: nothing is missing at its front. `is_part`: what is
 * missing may be a container, and whoever is in there have chosen the rest: an id is a claim. */
static struct mrl_membership remember(
    struct mrl_cgroups *cgroups, uint64_t id, const char *path, bool is_whole, bool is_part)
{
    struct mrl_container_path found = mrl_container_path__parse(path);
    struct known_cgroup *known;

    /* What would make it a container may be in the missing part. */
    if (!found.id.size && !is_whole)
        return unknown(MRL_LOOKUP_UNREADABLE);
    known = find_or_add(cgroups, id);
    if (!known)
        return unknown(MRL_LOOKUP_UNREADABLE);
    known->size = (uint8_t)found.id.size;
    known->outer_size = (uint8_t)found.outer.size;
    known->is_part = is_part && !found.outer.size;
    known->is_claim = found.is_claim || is_part;
    known->confirmed = found.confirmed && is_whole;
    known->hint = (uint8_t)found.hint;
    memcpy(known->container, found.id.bytes, found.id.size);
    memcpy(known->outer, found.outer.bytes, found.outer.size);
    known->place = (struct mrl_names_place){ .found = NULL };
    if (known->size)
        settle_claims(cgroups, known);
    return membership_of(known);
}

/* -- what the probes say ---------------------------------------------------------------------- */

static size_t put_node(char *path, const char *name)
{
    size_t size = strnlen(name, MRL_CGROUP_NAME_BYTES);

    path[0] = '/';
    memcpy(path + 1, name, size);
    return size + 1;
}

int mrl_cgroups__path(const void *description,
                      size_t size,
                      char path[MRL_DESCRIBED_PATH_BYTES],
                      bool *ret_is_whole)
{
    const struct mrl_cgroup_names *names = description;
    bool is_whole;
    size_t used = 0;

    if (size < sizeof(*names) || names->size != sizeof(*names) ||
        names->event != MRL_RECORD_CGROUP || !names->count || names->count > MRL_CGROUP_NODES)
        return -EBADMSG;
    is_whole = names->flags & MRL_CGROUP_WHOLE;
    for (unsigned int i = names->count; i-- > 0;) {
        /* A name that was cut may have been anything. */
        is_whole &= strnlen(names->nodes[i], MRL_CGROUP_NAME_BYTES) < MRL_CGROUP_NAME_BYTES - 1;
        used += put_node(path + used, names->nodes[i]);
    }
    path[used] = '\0';
    *ret_is_whole = is_whole;
    return 0;
}

/* -- what the file system says ---------------------------------------------------------------- */

/* The walk takes long where there are many cgroups: not for each event of one that is gone. */
static int path_by_slow_walk(struct mrl_cgroups *cgroups, uint64_t id, char path[PATH_MAX])
{
    int64_t now = mrl_clock__ns(CLOCK_MONOTONIC);
    int err;

    if (cgroups->missed == id && now < cgroups->missed_until_ns)
        return -ESTALE;
    err = path_by_walk(cgroups->root_path, id, path);
    if (err == -ESTALE) {
        cgroups->missed = id;
        cgroups->missed_until_ns = now + WALK_AGAIN_NS;
    }
    return err;
}

/* An error is no answer, and is not remembered: the next event asks again. */
static struct mrl_membership look_up(struct mrl_cgroups *cgroups, uint64_t id)
{
    char path[PATH_MAX];
    int err = cgroups->root < 0 ? -ENODEV : path_by_handle(cgroups->root, id, path);

    if (err == -EPERM || err == -EOPNOTSUPP)
        err = path_by_slow_walk(cgroups, id, path);
    if (err)
        return unknown(err == -ESTALE || err == -ENOENT ? MRL_LOOKUP_NOT_FOUND
                                                        : MRL_LOOKUP_UNREADABLE);
    /* Within a cgroup namespace of its own, a path shows nothing of what is around the namespace;
     * and is "/" for a cgroup beside it. */
    return remember(cgroups, id, path, !cgroups->hidden, false);
}

/* A cgroup that lies deeper than the probes tell has a path that is whole as long as it is there.
 */
int mrl_cgroups__describe(struct mrl_cgroups *cgroups, const void *description, size_t size)
{
    const struct mrl_cgroup_names *names = description;
    char path[MRL_DESCRIBED_PATH_BYTES];
    bool is_whole;
    int err = mrl_cgroups__path(description, size, path, &is_whole);

    if (!err && (is_whole || look_up(cgroups, names->cgroup_id).lookup > MRL_LOOKUP_KNOWN))
        remember(cgroups, names->cgroup_id, path, is_whole, !is_whole);
    return err;
}

struct mrl_membership mrl_cgroups__container(struct mrl_cgroups *cgroups, uint64_t cgroup_id)
{
    struct known_cgroup *known = find(cgroups, cgroup_id);

    if (!known)
        return look_up(cgroups, cgroup_id);
    known->used = true;
    return membership_of(known);
}
