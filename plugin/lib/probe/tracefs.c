// SPDX-License-Identifier: Apache-2.0
/*
 * Classic tracepoints, by name, and probes at the end of functions. perf_event_open() wants the
 * number of an event, which only tracefs tells; many small systems do not mount it, and mounting it
 * for good is not ours to do.
 */
#include "probe/tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const mount_points[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* A mount that exists as a descriptor only, or -errno. */
static int mount_detached(void)
{
    int context = fsopen("tracefs", FSOPEN_CLOEXEC), mount = -1, err = 0;

    if (context < 0)
        return -errno;
    if (!fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
        mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
    if (mount < 0)
        err = -errno;
    close(context);
    return err ? err : mount;
}

static int open_id(int root, const char *category, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "events/%s/%s/id", category, name);
    fd = openat(root, path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool is_tracefs(int root)
{
    struct stat events;

    /* No access(): that asks with the real user and without the capabilities of this one. */
    return !fstatat(root, "events", &events, 0);
}

/* Wherever it is mounted, or a mount of our own. A descriptor, or -errno. */
static int open_root(void)
{
    for (unsigned int i = 0; i < sizeof(mount_points) / sizeof(mount_points[0]); i++) {
        int root = open(mount_points[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (root >= 0 && is_tracefs(root))
            return root;
        if (root >= 0)
            close(root);
    }
    return mount_detached();
}

static int open_tracepoint(int root, const char *category, const char *name)
{
    struct perf_event_attr event = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(event) };
    char id[32];
    ssize_t size;
    int fd = open_id(root, category, name);

    if (fd < 0)
        return fd;
    size = read(fd, id, sizeof(id) - 1);
    close(fd);
    if (size <= 0)
        return size < 0 ? -errno : -ENOENT;
    id[size] = '\0';
    event.config = strtoull(id, NULL, 10);
    fd = (int)syscall(SYS_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int mrl_tracepoint__open(const char *category, const char *name)
{
    int root = open_root(), fd;

    if (root < 0)
        return root;
    fd = open_tracepoint(root, category, name);
    close(root);
    return fd;
}

/* -- probes at the end of functions -------------------------------------------------------------
 */

#define GROUP "mrelease"

/* KRETPROBE_MAXACTIVE_MAX of kernel/trace/trace_kprobe.c. */
enum { CALLS_MAX = 4096 };

static int command(int root, const char *text)
{
    int fd = openat(root, "kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        err = -errno;
    close(fd);
    return err;
}

int mrl_retprobe__open(const char *function, int key)
{
    char name[64], text[160];
    int root = open_root(), fd;

    if (root < 0)
        return root;
    snprintf(name, sizeof(name), "p%d_%d_%s", (int)getpid(), key, function);
    snprintf(text, sizeof(text), "r%d:" GROUP "/%s %s\n", CALLS_MAX, name, function);
    fd = command(root, text);
    if (!fd)
        fd = open_tracepoint(root, GROUP, name);
    close(root);
    return fd;
}

/* Those that are in use refuse to go. */
void mrl_retprobe__sweep(void)
{
    int root = open_root(), fd = -1;
    char name[64], text[80];
    struct dirent *entry;
    DIR *directory;

    if (root < 0)
        return;
    fd = openat(root, "events/" GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    directory = fd < 0 ? NULL : fdopendir(fd);
    while (directory && (entry = readdir(directory))) {
        if (sscanf(entry->d_name, "%63[a-z0-9_]", name) != 1 || name[0] != 'p')
            continue;
        snprintf(text, sizeof(text), "-:" GROUP "/%s\n", name);
        command(root, text);
    }
    if (directory)
        closedir(directory);
    else if (fd >= 0)
        close(fd);
    close(root);
}
