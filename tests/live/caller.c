// SPDX-License-Identifier: Apache-2.0
/* What a task knows of itself. */
#include "caller.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "cgroup.h"

enum { STAT_BYTES = 1024, PATH_BYTES = 64, TRACEE_NAME_BYTES = 15 };

size_t caller__read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t part;

    if (fd < 0)
        return 0;
    while (done < size - 1 && (part = read(fd, text + done, size - 1 - done)) > 0)
        done += (size_t)part;
    close(fd);
    text[done] = '\0';
    return done;
}

/* Parent and start time; the name before them may hold anything, also a ')'. */
static bool read_stat(const char *path, uint32_t *ret_ppid, uint64_t *ret_ticks)
{
    char text[STAT_BYTES], *after;

    if (!caller__read(path, text, sizeof(text)))
        return false;
    after = strrchr(text, ')');
    /* Fields 3 and 4, then 17 others, then 22: state, parent, …, start time. */
    return after && sscanf(after,
                           ") %*c %" SCNu32 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                           "%*s %*s %*s %*s %" SCNu64,
                           ret_ppid, ret_ticks) == 2;
}

uint64_t caller__ticks(uint32_t host_pid)
{
    char path[PATH_BYTES];
    uint64_t ticks;
    uint32_t ppid;

    snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", host_pid);
    return read_stat(path, &ppid, &ticks) ? ticks : 0;
}

/* The link is resolved by the PID namespace of the mount, which is the host's. */
static bool take_host_ids(struct caller *caller)
{
    char link[PATH_BYTES] = "";

    if (readlink("/proc/thread-self", link, sizeof(link) - 1) < 0 ||
        sscanf(link, "%" SCNu32 "/task/%" SCNu32, &caller->host_pid, &caller->host_tid) != 2)
        return false;
    return read_stat("/proc/thread-self/stat", &caller->host_ppid, &caller->thread_ticks) &&
           (caller->process_ticks = caller__ticks(caller->host_pid)) != 0 &&
           (caller->parent_ticks = caller__ticks(caller->host_ppid)) != 0;
}

static bool take_namespaces(struct caller *caller)
{
    struct stat mount_namespace, pid_namespace;

    if (stat("/proc/thread-self/ns/mnt", &mount_namespace) ||
        stat("/proc/thread-self/ns/pid", &pid_namespace))
        return false;
    caller->mount_namespace = mount_namespace.st_ino;
    caller->pid_namespace = pid_namespace.st_ino;
    return true;
}

bool caller__take(struct caller *caller)
{
    struct utsname host;

    *caller = (struct caller){
        .pid = (uint32_t)syscall(SYS_getpid),
        .tid = (uint32_t)syscall(SYS_gettid),
        .ppid = (uint32_t)syscall(SYS_getppid),
        .uid = getuid(),
        .cgroup_id = cgroup__id_of_self(),
    };
    prctl(PR_GET_NAME, caller->name);
    uname(&host);
    memcpy(caller->host_name, host.nodename, TRACEE_NAME_BYTES);
    return caller->cgroup_id && take_host_ids(caller) && take_namespaces(caller);
}
