/* SPDX-License-Identifier: Apache-2.0 */
/* What the rungs hook: which programs each one loads, and to what they are attached. */
#ifndef MRL_PROBE_HOOKS_H
#define MRL_PROBE_HOOKS_H

#include "probe/attached.h"

/** The ends of a call that are probed. */
enum mrl_moment { MRL_MOMENT_EXIT, MRL_MOMENT_ENTER, MRL_MOMENT_COUNT };

struct mrl_hook {
    const char *rung;
    /** Marks the programs that the load takes. Nothing else is marked before. */
    int (*choose)(struct mrl_probes *probes, uint32_t syscalls);
    /** Attaches the programs of one end of the calls, beside those of probes->syscalls, and keeps
     * the links in `probes`. */
    int (*attach)(struct mrl_probes *probes, enum mrl_moment moment, uint32_t syscalls);
    /** After the links are gone: undoes what attach() did beside them. NULL: nothing. */
    void (*clean)(void);
};

/** The hook of a rung that the ladder knows. Static. */
const struct mrl_hook *mrl_hook__of(const struct mrl_rung *rung);

/** Whether the kernel's types name the function of this call. False also where they cannot be read.
 * Takes some 20 ms. */
bool mrl_hook__has_function(const struct mrl_event_def *event);

/** The program `<rung>__sys_exit`, which stands beside another rung; NULL: there is none. */
struct bpf_program *mrl_hook__exit_program(const struct mrl_probes *probes, const char *rung);

/** Attaches one program as it says itself, for a call or MRL_ALL_SYSCALLS. */
int mrl_hook__attach_program(struct mrl_probes *probes, struct bpf_program *program, int syscall);

/** Keeps libbpf from a search that wants CAP_SYS_ADMIN. A load must follow, which frees what it
 * reads. */
void mrl_hook__skip_modules(struct mrelease_bpf *object);

#endif
