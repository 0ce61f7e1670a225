// SPDX-License-Identifier: Apache-2.0
/* Who is there, and how much they hold: /proc and the files of a cgroup v2. */
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"

enum { TEXT_BYTES = 8192 };

static bool read_text(const char *directory, const char *file, char text[TEXT_BYTES])
{
    char path[PATH_MAX];
    ssize_t size = -1;
    int fd = -1;

    if (snprintf(path, sizeof(path), "%s/%s", directory, file) < (int)sizeof(path))
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        size = read(fd, text, TEXT_BYTES - 1);
        close(fd);
    }
    text[size > 0 ? size : 0] = '\0';
    return size > 0;
}

/* PID (NAME) STATE …: the name may hold anything, also parentheses. START is the 22nd word and
 * RESIDENT, in pages, the 24th. */
bool member__read(pid_t pid, struct member *ret)
{
    char directory[32], text[TEXT_BYTES], *name, *end;
    unsigned long long pages = 0;

    snprintf(directory, sizeof(directory), "/proc/%d", (int)pid);
    if (!read_text(directory, "stat", text))
        return false;
    name = strchr(text, '(');
    end = strrchr(text, ')');
    if (!name || !end ||
        sscanf(end + 1,
               " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
               " %llu %*s %llu",
               &ret->start_ticks, &pages) != 2)
        return false;
    *end = '\0';
    snprintf(ret->name, sizeof(ret->name), "%s", name + 1);
    for (char *at = ret->name; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    ret->pid = pid;
    ret->resident_bytes = pages * (unsigned long long)sysconf(_SC_PAGESIZE);
    return true;
}

void look__add(struct look *look, pid_t pid)
{
    struct member member;

    if (!member__read(pid, &member))
        return;
    look->used_bytes += member.resident_bytes;
    look->found = look->found || pid == look->wanted;
    /* Number 0 stands for a process of another PID namespace, which has no number here. */
    if (pid > 1 && pid != getpid() && member.resident_bytes > look->biggest.resident_bytes)
        look->biggest = member;
}

static void add_procs(struct look *look, const char *path)
{
    FILE *procs = fopen(path, "re");
    int pid;

    while (procs && fscanf(procs, "%d", &pid) == 1)
        look__add(look, pid);
    if (procs)
        fclose(procs);
}

/* What the kernel charges to the cgroup, where it has the memory controller; but for the part of
 * the page cache that is taken back first: nobody need die for that. */
static bool read_charge(const char *cgroup, unsigned long long *ret_bytes)
{
    const char key[] = "\ninactive_file ", *at;
    unsigned long long charged, cached = 0;
    char text[TEXT_BYTES];

    if (!read_text(cgroup, "memory.current", text))
        return false;
    charged = strtoull(text, NULL, 10);
    read_text(cgroup, "memory.stat", text);
    at = strstr(text, key);
    if (at)
        cached = strtoull(at + strlen(key), NULL, 10);
    *ret_bytes = charged > cached ? charged - cached : 0;
    return true;
}

bool look__add_cgroup(struct look *look, const char *cgroup)
{
    char *const roots[] = { (char *)cgroup, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;

    if (!tree)
        return false;
    while ((entry = fts_read(tree)))
        if (!strcmp(entry->fts_name, "cgroup.procs"))
            add_procs(look, entry->fts_path);
    fts_close(tree);
    read_charge(cgroup, &look->used_bytes);
    return !access(cgroup, F_OK);
}
