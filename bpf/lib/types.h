/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the probes read, with only the members they read. CO-RE relocates every
 * access to the running kernel's layout, so order and size here mean nothing. Variants of one type
 * carry a ___suffix, which CO-RE ignores; features.h says which kernel has which.
 */
#ifndef MRL_LIB_TYPES_H
#define MRL_LIB_TYPES_H

#include <linux/types.h>

#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long bp, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
    unsigned long long regs[31];
};
struct pt_regs {
    struct user_pt_regs user_regs;
    unsigned long long orig_x0;
    int syscallno;
};
#endif

struct thread_info {
    unsigned long flags;
    unsigned int status;
};

struct ns_common {
    unsigned int inum;
};

struct pid_namespace {
    struct ns_common ns;
    struct task_struct *child_reaper;
    unsigned int level;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct hlist_node {
    struct hlist_node *next;
};

struct hlist_head {
    struct hlist_node *first;
};

struct list_head {
    struct list_head *next;
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_COUNT };

struct pid {
    unsigned int level;
    struct hlist_head tasks[PIDTYPE_COUNT];
    struct upid numbers[1];
};

struct kuid {
    unsigned int val;
};

struct user_namespace {
    struct ns_common ns;
    struct user_namespace *parent;
    struct kuid owner;
};

typedef struct {
    __u32 cap[2];
} mrl_capabilities;

struct cred {
    struct kuid uid;
    mrl_capabilities cap_effective;
    struct user_namespace *user_ns;
};

struct mnt_namespace {
    struct ns_common ns;
};

struct new_utsname {
    char nodename[65];
};

struct uts_namespace {
    struct new_utsname name;
};

struct nsproxy {
    struct uts_namespace *uts_ns;
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
};

struct kernfs_node {
    __u64 id;
    const char *name;
    struct kernfs_node *parent;
};

struct kernfs_node___since_6_15 {
    struct kernfs_node *__parent;
};

struct cgroup_root;

struct cgroup {
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
};

struct css_set {
    struct cgroup_subsys_state *subsys[1];
    struct cgroup *dfl_cgrp;
};

struct qstr {
    const unsigned char *name;
};

struct super_block {
    unsigned long s_magic;
};

struct inode {
    void *i_private;
    struct super_block *i_sb;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    void *private_data;
    struct inode *f_inode;
    struct path f_path;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

typedef struct {
    long counter;
} mrl_atomic_long;

typedef struct {
    int counter;
} mrl_atomic;

struct percpu_counter {
    __s64 count;
    __s32 *counters;
};

struct mm_struct {
    unsigned long flags;
    mrl_atomic mm_users;
    void *pgd;
    struct task_struct *owner;
    unsigned long locked_vm;
    mrl_atomic_long pgtables_bytes;
    struct file *exe_file;
    struct percpu_counter rss_stat[4];
};

struct mm_rss_stat {
    mrl_atomic_long count[4];
};

struct mm_struct___before_6_2 {
    struct mm_rss_stat rss_stat;
};

typedef struct {
    unsigned long __mm_flags[1];
} mm_flags_t;

struct mm_struct___since_6_18 {
    mm_flags_t flags;
};

struct bpf_array {
    void *pptrs[1];
};

struct core_state;

struct mm_struct___before_5_16 {
    struct core_state *core_state;
};

struct rlimit {
    unsigned long rlim_cur;
};

struct signal_struct {
    int nr_threads;
    struct list_head thread_head;
    int group_exit_code;
    unsigned int flags;
    struct core_state *core_state;
    struct rlimit rlim[16];
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int pid;
    int tgid;
    char comm[16];
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    struct hlist_node pid_links[PIDTYPE_COUNT];
    struct list_head thread_node;
    __u64 start_boottime;
    __u64 self_exec_id;
    const struct cred *real_cred;
    const struct cred *cred;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct css_set *cgroups;
    struct mm_struct *mm;
};

struct task_rss_stat {
    int count[4];
};

struct task_struct___before_6_2 {
    struct task_rss_stat rss_stat;
};

/*
 * Contexts of the classic tracepoints of one system call. The number is an int: a wider read ends
 * past the context of a call without arguments, and the kernel then refuses to attach (EACCES).
 */
struct syscall_trace_enter {
    int nr;
};

struct syscall_trace_exit {
    int nr;
    long ret;
};

#pragma clang attribute pop

#endif
