/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Extract: the process that a pidfd of the current task points to. These calls are rare and the
 * objects are not reached through BTF pointers alone, so reads go through probe_read: any of them
 * may be freed under our eyes, and then yields zero or garbage but no fault.
 */
#ifndef MRL_LIB_PIDFD_H
#define MRL_LIB_PIDFD_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "exe.h"
#include "types.h"

#define MRL_PIDFS_MAGIC        0x50494446 /* include/uapi/linux/magic.h: "PIDF" */
#define MRL_PIDFD_SELF_THREAD  -10000     /* include/uapi/linux/pidfd.h, 6.15 */
#define MRL_PIDFD_SELF_THREADS -10001
#define MRL_PIDFD_SELF_FIRST   -20000    /* what the last one was called in 6.15 */
#define MRL_PIDFD_NAME         "[pidfd]" /* the anonymous inode's dentry before pidfs */

static __always_inline bool file_is_old_pidfd(struct file *file)
{
    char name[sizeof(MRL_PIDFD_NAME)] = {};

    bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
    return !__builtin_memcmp(name, MRL_PIDFD_NAME, sizeof(name));
}

/* 6.9 moved pidfds to pidfs, whose inodes hold the struct pid; before, the file itself held it. */
static __always_inline struct pid *pid_of_file(struct file *file)
{
    if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == MRL_PIDFS_MAGIC)
        return BPF_CORE_READ(file, f_inode, i_private);
    if (file_is_old_pidfd(file))
        return BPF_CORE_READ(file, private_data);
    return NULL;
}

static __always_inline struct task_struct *task_of_pid(struct pid *pid)
{
    struct hlist_node *first = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);

    return first ? mrl_container(first, struct task_struct, pid_links[PIDTYPE_TGID]) : NULL;
}

static __always_inline struct pid *pid_of_descriptor(struct task_struct *current, int pidfd)
{
    struct file **slots, *file = NULL;
    struct fdtable *table;

    if (pidfd < 0)
        return NULL;
    table = BPF_CORE_READ(current, files, fdt);
    if ((__u32)pidfd >= BPF_CORE_READ(table, max_fds))
        return NULL;
    slots = BPF_CORE_READ(table, fd);
    bpf_probe_read_kernel(&file, sizeof(file), slots + pidfd);
    return file ? pid_of_file(file) : NULL;
}

/*
 * The thread group leader behind a descriptor of the current task, or NULL; then `ret_flags` says
 * what there is instead.
 */
static __always_inline struct task_struct *task_of_pidfd(struct task_struct *current,
                                                         int pidfd,
                                                         __u32 *ret_flags)
{
    struct task_struct *task;
    struct pid *pid;

    if (pidfd == MRL_PIDFD_SELF_THREAD || pidfd == MRL_PIDFD_SELF_THREADS ||
        pidfd == MRL_PIDFD_SELF_FIRST)
        return BPF_CORE_READ(current, group_leader);
    pid = pid_of_descriptor(current, pidfd);
    if (!pid)
        return NULL;
    task = task_of_pid(pid);
    if (!task)
        *ret_flags |=
            BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first) ? MRL_TARGET_THREAD : MRL_TARGET_GONE;
    return task;
}

#endif
