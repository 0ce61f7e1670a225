// SPDX-License-Identifier: Apache-2.0
/* The probe ladder: which rungs there are, trying one, and saying why none works. */
#include "sources/ladder.h"

#include <abi/record.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "sources/proof.h"
#include "sources/skeleton.h"
#include "sources/tracefs.h"

/* By tax, as measured on a getppid loop. A rung's programs are called <rung>__sys_{enter,exit}. */
static const struct mrl_rung rungs[] = {
    { .name = "tracepoint",
      .doc =
          "Classic syscalls:sys_{enter,exit}_X. Taxes every system call by 53-62 ns; int 0x80 evades it.",
      .sees_blocked = true,
      .per_syscall = true },
    { .name = "tp_btf",
      .doc = "BTF tracepoints sys_enter and sys_exit. Taxes every system call by 120-145 ns.",
      .sees_compat = true,
      .sees_blocked = true },
    { .name = "raw_tp",
      .doc = "Raw tracepoints sys_enter and sys_exit. Taxes every system call by 155-180 ns.",
      .sees_compat = true,
      .sees_blocked = true },
};

enum { RUNG_COUNT = sizeof(rungs) / sizeof(rungs[0]), NAME_MAX_BYTES = 64 };

const struct mrl_rung *mrl_rung__all(unsigned int *ret_count)
{
    *ret_count = RUNG_COUNT;
    return rungs;
}

/* -- one try ---------------------------------------------------------------------------------- */

/* The system calls whose exit yields one of the chosen events. */
static uint32_t syscalls_of(uint32_t events)
{
    uint32_t syscalls = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__count(); j++)
            if ((events & (1U << i)) && mrl_event_def__at(j)->is_syscall &&
                !strcmp(mrl_event_def__at(i)->syscall, mrl_event_def__at(j)->name))
                syscalls |= 1U << j;
    return syscalls;
}

static bool belongs(const struct bpf_program *program, const struct mrl_rung *rung)
{
    const char *name = bpf_program__name(program);
    size_t size = strlen(rung->name);

    return !strncmp(name, rung->name, size) && !strncmp(name + size, "__", 2);
}

static bool lane_is_used(uint32_t events, enum mrl_lane lane)
{
    static const enum mrl_lane lanes[] = {
#define LANE_RARE  MRL_LANE_RARE
#define LANE_MLOCK MRL_LANE_MLOCK
#define LANE_NONE  MRL_LANE_NONE
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, ...)                                                          \
    lane,
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, ...) lane,
#include <abi/events.def>
    };

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        if ((events & (1U << i)) && lanes[i] == lane)
            return true;
    return false;
}

/* A lane that no chosen event uses keeps the smallest ring there is. */
static void size_ring(struct bpf_map *map, uint32_t events, enum mrl_lane lane, uint64_t bytes)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    bpf_map__set_max_entries(map, (uint32_t)(lane_is_used(events, lane) ? bytes : page));
}

static int load(struct mrl_probes *probes,
                const struct mrl_rung *rung,
                const struct mrl_source_options *options,
                bool cgroup_v1)
{
    struct bpf_program *program;
    uint64_t cookie;

    probes->rung = rung;
    probes->object = mrelease_bpf__open();
    if (!probes->object)
        return -errno;
    bpf_object__for_each_program(program, probes->object->obj)
        bpf_program__set_autoload(program, belongs(program, rung));
    size_ring(probes->object->maps.rare_records, options->events, MRL_LANE_RARE,
              options->rare_ring_bytes);
    size_ring(probes->object->maps.mlock_records, options->events, MRL_LANE_MLOCK,
              options->mlock_ring_bytes);
    if (getrandom(&cookie, sizeof(cookie), 0) != sizeof(cookie))
        return -errno;
    probes->object->rodata->settings.self_cookie = cookie | 1ULL
                                                                << 63; /* never a 32-bit argument */
    probes->object->rodata->settings.events = options->events;
    probes->object->rodata->settings.cgroup_v1 = cgroup_v1;
    return mrelease_bpf__load(probes->object);
}

static int keep_link(struct mrl_probes *probes, struct bpf_link *link)
{
    if (!link)
        return -errno;
    if (probes->link_count == MRL_LINKS_MAX) {
        bpf_link__destroy(link);
        return -E2BIG;
    }
    probes->links[probes->link_count++] = link;
    return 0;
}

static int attach_tracepoint(struct mrl_probes *probes,
                             struct bpf_program *program,
                             const char *name)
{
    int event = mrl_tracepoint__open("syscalls", name), err;

    if (event < 0)
        return event;
    err = keep_link(probes, bpf_program__attach_perf_event(program, event)); /* the link owns it */
    if (err)
        close(event);
    return err;
}

/* `moment` is "sys_enter" or "sys_exit". */
static int attach_moment(struct mrl_probes *probes, const char *moment, uint32_t syscalls)
{
    struct bpf_program *program;
    char name[NAME_MAX_BYTES];
    int err = 0;

    snprintf(name, sizeof(name), "%s__%s", probes->rung->name, moment);
    program = bpf_object__find_program_by_name(probes->object->obj, name);
    if (!program)
        return -ENOENT;
    if (!probes->rung->per_syscall)
        return keep_link(probes, bpf_program__attach(program));
    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++) {
        if (!(syscalls & (1U << i)))
            continue;
        snprintf(name, sizeof(name), "%s_%s", moment, mrl_event_def__at(i)->name);
        err = attach_tracepoint(probes, program, name);
    }
    return err;
}

/*
 * Exits first: an exit program ends the state of each call that it sees, so none is left open by a
 * call that returned between the two. Nothing is reported before both are there.
 */
static int attach(struct mrl_probes *probes, uint32_t syscalls)
{
    int err = attach_moment(probes, "sys_exit", syscalls);

    if (!err)
        err = attach_moment(probes, "sys_enter", syscalls);
    if (!err)
        __atomic_store_n(&probes->object->bss->armed, 1, __ATOMIC_RELEASE);
    return err;
}

static int prove(struct mrl_probes *probes, uint32_t events, uint32_t syscalls)
{
    uint64_t cookie = probes->object->rodata->settings.self_cookie;
    int err = mrl_proof__call(syscalls, cookie);

    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++) {
        struct mrl_event_counts counts;

        if (!(events & syscalls & (1U << i)))
            continue;
        err = mrl_probes__counters(probes, i, &counts);
        if (!err && !counts.self)
            err = -ENODATA;
    }
    return err;
}

/* -- choosing --------------------------------------------------------------------------------- */

struct attempt {
    const char *stage;
    int err;
    char said[256]; /* by libbpf: its last warning */
};

/* libbpf's print function has no context, so the attempt in progress is the thread's. */
static __thread struct attempt *current_attempt;

__attribute__((format(printf, 2, 0))) static int hear_libbpf(enum libbpf_print_level level,
                                                             const char *format,
                                                             va_list arguments)
{
    char line[sizeof(current_attempt->said)];

    if (level != LIBBPF_WARN || !current_attempt)
        return 0;
    vsnprintf(line, sizeof(line), format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (!current_attempt->said[0])
        memcpy(current_attempt->said, line, sizeof(line));
    return 0;
}

static int try_rung(struct mrl_probes *probes,
                    const struct mrl_rung *rung,
                    const struct mrl_source_options *options,
                    bool cgroup_v1,
                    struct attempt *attempt)
{
    uint32_t syscalls = syscalls_of(options->events);

    *attempt = (struct attempt){ .stage = "load" };
    attempt->err = load(probes, rung, options, cgroup_v1);
    if (!attempt->err) {
        attempt->stage = "attach";
        attempt->err = attach(probes, syscalls);
    }
    if (!attempt->err) {
        attempt->stage = "proof";
        attempt->err = prove(probes, options->events, syscalls);
    }
    if (attempt->err)
        mrl_probes__close(probes);
    return attempt->err;
}

static bool fits(const struct mrl_rung *rung, const struct mrl_source_options *options)
{
    if (options->rung)
        return !strcmp(rung->name, options->rung);
    if (!strcmp(options->coverage, "native"))
        return true;
    return rung->sees_compat && (rung->sees_blocked || strcmp(options->coverage, "all") != 0);
}

static bool has_capability(unsigned int capability)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (syscall(SYS_capget, &header, data))
        return false;
    return data[capability / 32].effective & (1U << (capability % 32));
}

/* CAP_SYS_ADMIN includes both. 0 when nothing is missing. */
static int missing_capabilities(struct mrl_error *error)
{
    bool bpf = has_capability(CAP_BPF) || has_capability(CAP_SYS_ADMIN);
    bool perfmon = has_capability(CAP_PERFMON) || has_capability(CAP_SYS_ADMIN);

    if (bpf && perfmon)
        return 0;
    return mrl_error__set(error, -EPERM,
                          "missing %s%s%s: run as root, or give them with "
                          "'setcap cap_bpf,cap_perfmon+ep PROGRAM'",
                          bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ",
                          perfmon ? "" : "CAP_PERFMON");
}

/* ENOSYS, and nothing else, tells that the call does not exist. */
static int missing_syscall(struct mrl_error *error)
{
    const struct mrl_event_def *event = mrl_event_def__at(MRL_EVENT_PROCESS_MRELEASE);

    if (syscall(event->id, -1, 0) >= 0 || errno != ENOSYS)
        return 0;
    return mrl_error__set(error, -ENOSYS, "this kernel has no %s: it came with Linux 5.15",
                          event->name);
}

static int missing_btf(struct mrl_error *error)
{
    if (!access("/sys/kernel/btf/vmlinux", R_OK))
        return 0;
    return mrl_error__set(
        error, -ENOSYS,
        "this kernel shows no types of its own at /sys/kernel/btf/vmlinux: it must be "
        "built with CONFIG_DEBUG_INFO_BTF");
}

static int no_rung(const struct attempt attempts[RUNG_COUNT], struct mrl_error *error)
{
    struct mrl_error reasons = { "" };
    size_t used = 0;
    int err;

    for (unsigned int i = 0; i < RUNG_COUNT && used < sizeof(reasons.text); i++)
        if (attempts[i].err)
            used += (size_t)snprintf(
                reasons.text + used, sizeof(reasons.text) - used, "%s%s: %s: %s%s%s%s",
                used ? "; " : "", rungs[i].name, attempts[i].stage, strerror(-attempts[i].err),
                attempts[i].said[0] ? " (" : "", attempts[i].said, attempts[i].said[0] ? ")" : "");
    err = missing_capabilities(error);
    if (!err)
        err = missing_btf(error);
    if (err)
        return err;
    return mrl_error__set(error, -EOPNOTSUPP, "no probe works here: %s", reasons.text);
}

int mrl_probes__open(const struct mrl_source_options *options,
                     bool cgroup_v1,
                     struct mrl_error *error,
                     struct mrl_probes *ret_probes)
{
    struct attempt attempts[RUNG_COUNT] = { 0 };
    struct mrl_probes probes = { 0 };
    libbpf_print_fn_t print;
    int err = missing_syscall(error);

    if (err)
        return err;
    print = libbpf_set_print(hear_libbpf);
    err = -EOPNOTSUPP;
    for (unsigned int i = 0; err && i < RUNG_COUNT; i++) {
        if (!fits(&rungs[i], options))
            continue;
        current_attempt = &attempts[i];
        err = try_rung(&probes, &rungs[i], options, cgroup_v1, &attempts[i]);
        if (err)
            mrl_source_options__log(options, MRL_LOG_DEBUG, "rung %s: %s: %s", rungs[i].name,
                                    attempts[i].stage, strerror(-err));
    }
    current_attempt = NULL;
    libbpf_set_print(print);
    if (err)
        return no_rung(attempts, error);
    if (!probes.rung->sees_compat)
        mrl_source_options__log(
            options, MRL_LOG_WARNING,
            "rung %s does not see 32-bit calls (int 0x80): they evade this sensor",
            probes.rung->name);
    *ret_probes = probes;
    return 0;
}

/* -- afterwards ------------------------------------------------------------------------------- */

int mrl_probes__counters(const struct mrl_probes *probes,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts)
{
    struct bpf_map *map = probes->object->maps.event_counters;
    int cpus = libbpf_num_possible_cpus(), err;
    struct mrl_event_counters *each;

    if (cpus < 0)
        return cpus;
    each = calloc((size_t)cpus, sizeof(*each));
    if (!each)
        return -ENOMEM;
    err = bpf_map__lookup_elem(map, &event, sizeof(event), each, (size_t)cpus * sizeof(*each), 0);
    if (!err)
        *ret_counts = (struct mrl_event_counts){ 0 };
    for (int cpu = 0; !err && cpu < cpus; cpu++) {
        ret_counts->seen += each[cpu].seen;
        ret_counts->submitted += each[cpu].submitted;
        ret_counts->refused += each[cpu].refused;
        ret_counts->no_memory += each[cpu].no_memory;
        ret_counts->self += each[cpu].self;
    }
    free(each);
    return err;
}

void mrl_probes__detach(struct mrl_probes *probes)
{
    if (!probes->link_count)
        return;
    for (unsigned int i = 0; i < probes->link_count; i++)
        bpf_link__destroy(probes->links[i]);
    probes->link_count = 0;
    /* A grace period: the programs that ran when the links went have ended, and counted. */
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void mrl_probes__close(struct mrl_probes *probes)
{
    if (!probes->object)
        return;
    mrl_probes__detach(probes);
    mrelease_bpf__destroy(probes->object);
    *probes = (struct mrl_probes){ 0 };
}
