// SPDX-License-Identifier: Apache-2.0
/*
 * Classic tracepoints, by name. perf_event_open() wants their number, which only tracefs tells;
 * many small systems do not mount it, and mounting it for good is not ours to do.
 */
#include "sources/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/mount.h>
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
    return !faccessat(root, "events", F_OK, 0);
}

static int open_id_somewhere(const char *category, const char *name)
{
    int root = -1, fd;

    for (unsigned int i = 0; root < 0 && i < sizeof(mount_points) / sizeof(mount_points[0]); i++) {
        root = open(mount_points[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root >= 0 && !is_tracefs(root)) {
            close(root);
            root = -1;
        }
    }
    if (root < 0)
        root = mount_detached();
    if (root < 0)
        return root;
    fd = open_id(root, category, name);
    close(root);
    return fd;
}

int mrl_tracepoint__open(const char *category, const char *name)
{
    struct perf_event_attr event = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(event) };
    char id[32];
    ssize_t size;
    int fd = open_id_somewhere(category, name);

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
