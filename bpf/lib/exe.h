/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Extract: the path of an mm's executable, as its components. */
#ifndef MRL_LIB_EXE_H
#define MRL_LIB_EXE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi/record.h"
#include "types.h"

/* Owner of a list entry inside a struct whose layout is the kernel's. */
#define mrl_container(pointer, type, member) \
    ((type *)((void *)(pointer)-bpf_core_field_offset(type, member)))

/*
 * The executable's path as its components, innermost first: the kernel can only be asked upwards,
 * and user space turns them round. Mount points are crossed; the root of the namespace ends it.
 * Returns the bytes used of exe, which has room for MRL_EXE_BYTES and a step.
 */
static __always_inline __u64 target_path(struct mm_struct *mm, char *exe, bool *ret_cut)
{
    struct path path = BPF_CORE_READ(mm, exe_file, f_path);
    struct dentry *dentry = path.dentry, *root;
    struct mount *mount = mrl_container(path.mnt, struct mount, mnt);
    __u64 used = 0, at;
    long length;

    for (int i = 0; i < MRL_EXE_STEPS && dentry; i++) {
        struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
        struct mount *outer = BPF_CORE_READ(mount, mnt_parent);

        root = BPF_CORE_READ(mount, mnt.mnt_root);
        /* A file without a directory, like that of memfd_create(), is its own parent: it has a
         * name. */
        if (dentry == root || (dentry == parent && i)) {
            if (!outer || outer == mount)
                goto whole;
            dentry = BPF_CORE_READ(mount, mnt_mountpoint);
            mount = outer;
            continue;
        }
        if (used > MRL_EXE_BYTES - MRL_STEP_BYTES)
            break;
        /* The verifier of 6.1 forgets that bound when `used` goes through the stack. */
        at = used;
        asm volatile("" : "+r"(at));
        at &= MRL_EXE_BYTES - 1;
        length =
            bpf_probe_read_kernel_str(exe + at, MRL_STEP_BYTES, BPF_CORE_READ(dentry, d_name.name));
        if (length < 0)
            break;
        used += (__u32)length & (MRL_STEP_BYTES * 2 - 1);
        dentry = parent;
    }
    *ret_cut = true;
    return used;
whole:
    *ret_cut = false;
    return used;
}

#endif
