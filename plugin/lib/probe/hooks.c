// SPDX-License-Identifier: Apache-2.0
/* The hooks of the rungs, one row each in the table at the end. */
#include <linux/bpf.h>

#include "probe/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "probe/skeleton.h"
#include "probe/tracefs.h"

enum { NAME_MAX_BYTES = 64 };

static const char *const moments[MRL_MOMENT_COUNT] = {
    [MRL_MOMENT_EXIT] = "sys_exit",
    [MRL_MOMENT_ENTER] = "sys_enter",
};

static struct bpf_program *find_program(const struct mrl_probes *probes, const char *name)
{
    return bpf_object__find_program_by_name(probes->object->obj, name);
}

static struct bpf_program *moment_program(const struct mrl_probes *probes,
                                          const char *rung,
                                          enum mrl_moment moment)
{
    char name[NAME_MAX_BYTES];

    snprintf(name, sizeof(name), "%s__%s", rung, moments[moment]);
    return find_program(probes, name);
}

struct bpf_program *mrl_hook__exit_program(const struct mrl_probes *probes, const char *rung)
{
    return moment_program(probes, rung, MRL_MOMENT_EXIT);
}

static int keep_link(struct mrl_probes *probes, struct bpf_link *link, int syscall)
{
    if (!link)
        return -errno;
    if (probes->link_count == MRL_LINKS_MAX) {
        bpf_link__destroy(link);
        return -E2BIG;
    }
    probes->links[probes->link_count++] = (struct mrl_attached){ link, syscall };
    return 0;
}

int mrl_hook__attach_program(struct mrl_probes *probes, struct bpf_program *program, int syscall)
{
    return keep_link(probes, bpf_program__attach(program), syscall);
}

/* -- two programs that every system call passes ------------------------------------------------ */

static int choose_pair(struct mrl_probes *probes, uint32_t syscalls)
{
    (void)syscalls;
    for (int moment = 0; moment < MRL_MOMENT_COUNT; moment++)
        bpf_program__set_autoload(
            moment_program(probes, probes->rung->name, (enum mrl_moment)moment), true);
    return 0;
}

/* Once for all of them. */
static int attach_pair(struct mrl_probes *probes, enum mrl_moment moment, uint32_t syscalls)
{
    struct bpf_program *program = moment_program(probes, probes->rung->name, moment);

    (void)syscalls;
    return probes->syscalls ? 0 : mrl_hook__attach_program(probes, program, MRL_ALL_SYSCALLS);
}

/* -- classic tracepoints ------------------------------------------------------------------------
 */

static int attach_event(struct mrl_probes *probes,
                        struct bpf_program *program,
                        int event,
                        int syscall)
{
    int err = keep_link(probes, bpf_program__attach_perf_event(program, event), syscall);
    /* which then owns it */

    if (err)
        close(event);
    return err;
}

static int attach_tracepoint(struct mrl_probes *probes,
                             struct bpf_program *program,
                             const char *name,
                             int syscall)
{
    int event = mrl_tracepoint__open("syscalls", name);

    return event < 0 ? event : attach_event(probes, program, event, syscall);
}

static int attach_tracepoints(struct mrl_probes *probes, enum mrl_moment moment, uint32_t syscalls)
{
    struct bpf_program *program = moment_program(probes, probes->rung->name, moment);
    char name[NAME_MAX_BYTES];
    int err = 0;

    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++) {
        if (!(syscalls & (1U << i)))
            continue;
        snprintf(name, sizeof(name), "%s_%s", moments[moment], mrl_event_def__at(i)->name);
        err = attach_tracepoint(probes, program, name, (int)i);
    }
    return err;
}

/* -- functions -----------------------------------------------------------------------------------
 */

/* The ways into a system call: each is a function of its own. */
enum entry { NATIVE, COMPAT, ENTRY_COUNT };

/*
 * arch/x86/include/asm/syscall_wrapper.h and arch/arm64/include/asm/syscall_wrapper.h: arm64 has
 * one function for both, x86 two, which are one and the same when the call has no arguments
 * (SYSCALL_DEFINE0). Probed twice, that one would report each call twice; the proof would notice.
 */
static bool name_function(const struct mrl_event_def *event,
                          enum entry entry,
                          char name[NAME_MAX_BYTES])
{
#if defined(__x86_64__)
    const char *const prefixes[ENTRY_COUNT] = { "__x64_sys_",
                                                event->field_count ? "__ia32_sys_" : NULL };
#else
    const char *const prefixes[ENTRY_COUNT] = { "__arm64_sys_", NULL };
#endif

    if (prefixes[entry])
        snprintf(name, NAME_MAX_BYTES, "%s%s", prefixes[entry], event->name);
    return prefixes[entry];
}

bool mrl_hook__has_function(const struct mrl_event_def *event)
{
    struct btf *types = btf__load_vmlinux_btf();
    char name[NAME_MAX_BYTES];
    bool found = types && name_function(event, NATIVE, name) &&
                 btf__find_by_name_kind(types, name, BTF_KIND_FUNC) > 0;

    btf__free(types);
    return found;
}

/* A kernel without 32-bit calls lacks their functions. One that is missed is found by the proof. */
static bool may_lack(enum entry entry, int err)
{
    return entry == COMPAT && (err == -ENOENT || err == -ESRCH);
}

typedef int (*function_fn)(struct mrl_probes *probes,
                           enum mrl_moment moment,
                           const struct mrl_event_def *event,
                           enum entry entry,
                           const char *function);

static int each_function(struct mrl_probes *probes,
                         enum mrl_moment moment,
                         uint32_t syscalls,
                         function_fn act)
{
    char function[NAME_MAX_BYTES];
    int err = 0;

    for (unsigned int i = 0; !err && i < mrl_event_def__count() * ENTRY_COUNT; i++) {
        const struct mrl_event_def *event = mrl_event_def__at(i / ENTRY_COUNT);
        enum entry entry = (enum entry)(i % ENTRY_COUNT);

        if (!(syscalls & (1U << event->index)) || !name_function(event, entry, function))
            continue;
        err = act(probes, moment, event, entry, function);
        if (may_lack(entry, err))
            err = 0;
    }
    return err;
}

/* A program of fentry belongs to one function. */
static struct bpf_program *function_program(const struct mrl_probes *probes,
                                            enum mrl_moment moment,
                                            const struct mrl_event_def *event,
                                            enum entry entry)
{
    char name[NAME_MAX_BYTES];

    snprintf(name, sizeof(name), "%s__%s_%s%s", probes->rung->name, moments[moment], event->name,
             entry == COMPAT ? "_compat" : "");
    return find_program(probes, name);
}

static int choose_fentry(struct mrl_probes *probes,
                         enum mrl_moment moment,
                         const struct mrl_event_def *event,
                         enum entry entry,
                         const char *function)
{
    struct bpf_program *program = function_program(probes, moment, event, entry);
    /* Before the load: the verifier checks the program against the type of the function. */
    int err = bpf_program__set_attach_target(program, 0, function);

    if (!err)
        bpf_program__set_autoload(program, true);
    return err;
}

/*
 * Some kernels refuse every program of this type, whatever it is attached to. Asked with one that
 * has no function to attach to, they say EPERM as well, and others something else; that spares the
 * 60 ms of a load.
 */
static bool refuses_fentry(void)
{
    const struct bpf_insn nothing[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
                                        { .code = BPF_JMP | BPF_EXIT } };
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY);
    int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", nothing,
                           sizeof(nothing) / sizeof(nothing[0]), &options);

    if (fd >= 0)
        close(fd);
    return fd == -EPERM;
}

static int choose_fentries(struct mrl_probes *probes, uint32_t syscalls)
{
    int err;

    if (refuses_fentry())
        return -EPERM;
    mrl_hook__skip_modules(probes->object); /* functions that vmlinux lacks are looked for here */
    err = each_function(probes, MRL_MOMENT_EXIT, syscalls, choose_fentry);
    return err ? err : each_function(probes, MRL_MOMENT_ENTER, syscalls, choose_fentry);
}

static int attach_fentry(struct mrl_probes *probes,
                         enum mrl_moment moment,
                         const struct mrl_event_def *event,
                         enum entry entry,
                         const char *function)
{
    struct bpf_program *program = function_program(probes, moment, event, entry);

    (void)function;
    return bpf_program__autoload(program)
               ? mrl_hook__attach_program(probes, program, (int)event->index)
               : 0;
}

static int attach_fentries(struct mrl_probes *probes, enum mrl_moment moment, uint32_t syscalls)
{
    return each_function(probes, moment, syscalls, attach_fentry);
}

#define KPROBE_EVENTS "/sys/bus/event_source/devices/kprobe/type"

/* Without them the load is spared, which takes some 30 ms. */
static int choose_kprobes(struct mrl_probes *probes, uint32_t syscalls)
{
    return access(KPROBE_EVENTS, F_OK) ? -errno : choose_pair(probes, syscalls);
}

/*
 * A call whose exit finds no room is lost, and mlock may wait long: hence the larger room of a
 * probe that tracefs defines. Without the right to define one, the small room must do, and what it
 * misses is counted.
 */
static int attach_kprobe(struct mrl_probes *probes,
                         enum mrl_moment moment,
                         const struct mrl_event_def *event,
                         enum entry entry,
                         const char *function)
{
    LIBBPF_OPTS(bpf_kprobe_opts, options, .retprobe = moment == MRL_MOMENT_EXIT);
    struct bpf_program *program = moment_program(probes, probes->rung->name, moment);
    int roomy = -ENOENT;

    (void)entry;
    if (options.retprobe)
        roomy = mrl_retprobe__open(function, bpf_program__fd(program));
    if (roomy >= 0)
        return attach_event(probes, program, roomy, (int)event->index);
    return keep_link(probes, bpf_program__attach_kprobe_opts(program, function, &options),
                     (int)event->index);
}

static int attach_kprobes(struct mrl_probes *probes, enum mrl_moment moment, uint32_t syscalls)
{
    if (moment == MRL_MOMENT_EXIT)
        mrl_retprobe__sweep();
    return each_function(probes, moment, syscalls, attach_kprobe);
}

/* -- the table ------------------------------------------------------------------------------------
 */

static const struct mrl_hook hooks[] = {
    { "fentry", choose_fentries, attach_fentries, NULL },
    { "kprobe", choose_kprobes, attach_kprobes, mrl_retprobe__sweep },
    { "tracepoint", choose_pair, attach_tracepoints, NULL },
    { "tp_btf", choose_pair, attach_pair, NULL },
    { "raw_tp", choose_pair, attach_pair, NULL },
};

const struct mrl_hook *mrl_hook__of(const struct mrl_rung *rung)
{
    /* No end is looked for: every rung of ladder.c has a row here. */
    const struct mrl_hook *hook = hooks;

    while (strcmp(hook->rung, rung->name) != 0)
        hook++;
    return hook;
}

/*
 * A kernel function that vmlinux lacks, as bpf_rdonly_cast before 6.2, is looked for by libbpf in
 * the modules as well. Only CAP_SYS_ADMIN may list these, and without it libbpf up to 1.1 refuses
 * to load the object, though the function is a weak symbol. It lists them once: here, where it
 * fails for a function that nobody wants. The types of vmlinux that it reads for that are freed by
 * the load alone: whatever is not loaded in the end must not come here.
 */
void mrl_hook__skip_modules(struct mrelease_bpf *object)
{
    __u32 id = 0;

    if (bpf_btf_get_next_id(0, &id) && errno == EPERM)
        bpf_program__set_attach_target(object->progs.tp_btf__sys_exit, 0, "");
}
