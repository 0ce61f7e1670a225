// SPDX-License-Identifier: Apache-2.0
/* The probe ladder: which rungs there are, choosing one, and saying why none works. */
#include "probe/ladder.h"

#include <abi/record.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/append.h"
#include "probe/cpus.h"
#include "probe/hooks.h"
#include "probe/proof.h"
#include "probe/proof_args.h"
#include "probe/reaper.h"

void mrl_probe_options__log(const struct mrl_probe_options *options,
                            enum mrl_log_level level,
                            const char *format,
                            ...)
{
    va_list arguments;
    char line[512];

    if (!options->log)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    options->log(options->log_context, level, line);
}

/* By tax, as measured on a getppid loop. A rung's programs are called <rung>__sys_{enter,exit}…. */
static const struct mrl_rung rungs[] = {
    { .name = "fentry",
      .doc = "fentry and fexit on the functions of the system calls. No tax on other system calls.",
      .sees_compat = true,
      .per_syscall = true,
      .beside = "tp_btf" },
    { .name = "kprobe",
      .doc = "kprobe and kretprobe on the functions of the system calls. No tax on other system "
             "calls.",
      .sees_compat = true,
      .per_syscall = true,
      .beside = "tp_btf",
      .by_perf_events = true },
    { .name = "tracepoint",
      .doc = "Classic syscalls:sys_{enter,exit}_X. Tax on every system call: about 60 ns. int 0x80 "
             "evades it.",
      .sees_blocked = true,
      .per_syscall = true,
      .by_perf_events = true },
    { .name = "tp_btf",
      .doc = "BTF tracepoints sys_enter and sys_exit. Tax on every system call: about 140 ns.",
      .sees_compat = true,
      .sees_blocked = true },
    { .name = "raw_tp",
      .doc = "Raw tracepoints sys_enter and sys_exit. Tax on every system call: about 170 ns.",
      .sees_compat = true,
      .sees_blocked = true },
};

enum { RUNG_COUNT = sizeof(rungs) / sizeof(rungs[0]) };

const struct mrl_rung *mrl_rung__all(unsigned int *ret_count)
{
    *ret_count = RUNG_COUNT;
    return rungs;
}

struct attempt {
    const char *stage;
    int err;
    char said[256]; /* by libbpf: its first warning */
};

/* libbpf's print function has no context, so the attempt in progress is the thread's. */
static __thread struct attempt *current_attempt;

/* The print function itself is the process's: two plugins that open at once must not save each
 * other's. */
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

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

static bool fits(const struct mrl_rung *rung, const struct mrl_probe_options *options)
{
    if (options->rung)
        return !strcmp(rung->name, options->rung);
    if (!strcmp(options->coverage, "native"))
        return true;
    return rung->sees_compat &&
           (rung->sees_blocked || rung->beside || strcmp(options->coverage, "all") != 0);
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

bool mrl_ladder__knows_reap_kill(int answer)
{
    return answer == -EBADF;
}

/*
 * One question, without a descriptor: ENOSYS, and nothing else, tells that the call does not exist.
 * Who watches only the older calls does not need it. The flags are what the kernel looks at first.
 */
static int ask_for_syscall(uint32_t syscalls, bool *ret_reap_kill, struct mrl_error *error)
{
    const struct mrl_event_def *event = mrl_event_def__at(MRL_EVENT_PROCESS_MRELEASE);
    uint64_t args[MRL_ARGS_MAX];
    int answer = 0;

    *ret_reap_kill = false;
    if (!(syscalls & (1U << event->index)))
        return 0;
    /* For another sensor it is no event. */
    mrl_proof__make(false, 0, args);
    if (syscall(event->id, args[0], MRL_PROCESS_MRELEASE_REAP_KILL, args[2], args[3], args[4],
                args[5]) < 0)
        answer = -errno;
    *ret_reap_kill = mrl_ladder__knows_reap_kill(answer);
    /* A filter that knows less than the kernel says so as well. */
    if (answer != -ENOSYS || (mrl_proof__is_filtered() && mrl_hook__has_function(event)))
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

/* Only root may read tracefs, unless it is mounted for others; no capability of BPF helps. Debian's
 * kernels keep perf events for CAP_SYS_ADMIN as well. */
static int unreadable_tracefs(const struct attempt attempts[RUNG_COUNT], struct mrl_error *error)
{
    for (unsigned int i = 0; i < RUNG_COUNT; i++)
        if (!strcmp(rungs[i].name, "tracepoint") &&
            (attempts[i].err == -EPERM || attempts[i].err == -EACCES) && attempts[i].stage &&
            !strcmp(attempts[i].stage, "attach"))
            return mrl_error__set(
                error, -EPERM,
                faccessat(AT_FDCWD, "/sys/kernel/tracing/events", R_OK, AT_EACCESS)
                    ? "rung %s must read tracefs: run as root, or mount it at "
                      "/sys/kernel/tracing with gid= and mode=750"
                    : "rung %s wants perf events, which kernel.perf_event_paranoid keeps for root: "
                      "run as root, or take another rung",
                rungs[i].name);
    return 0;
}

static int no_rung(const struct attempt attempts[RUNG_COUNT], struct mrl_error *error)
{
    struct mrl_error reasons = { "" };
    size_t used = 0;
    int err;

    for (unsigned int i = 0; i < RUNG_COUNT; i++)
        if (attempts[i].err)
            mrl_append(reasons.text, sizeof(reasons.text), &used, "%s%s: %s: %s%s%s%s",
                       used ? "; " : "", rungs[i].name, attempts[i].stage,
                       strerror(-attempts[i].err), attempts[i].said[0] ? " (" : "",
                       attempts[i].said, attempts[i].said[0] ? ")" : "");
    /* The likeliest cause first: one that the user can mend says more than what each rung ran
     * into. */
    err = missing_capabilities(error);
    if (!err)
        err = unreadable_tracefs(attempts, error);
    if (!err)
        err = missing_btf(error);
    if (err)
        return err;
    return mrl_error__set(error, -EOPNOTSUPP, "no probe works here: %s", reasons.text);
}

/* When memory runs out, the rung is not at fault: the next one would only hide that, at a higher
 * tax. libelf reads an object that is part of this program and cannot be damaged, so its errors
 * mean a lack of memory too. */
static bool is_memory(int err)
{
    return err == -ENOMEM || err == -LIBBPF_ERRNO__LIBELF;
}

static int no_memory(const struct mrl_rung *rung,
                     const struct attempt *attempt,
                     struct mrl_error *error)
{
    return mrl_error__set(error, -ENOMEM, "rung %s: %s: out of memory%s%s%s", rung->name,
                          attempt->stage, attempt->said[0] ? " (" : "", attempt->said,
                          attempt->said[0] ? ")" : "");
}

/* It is the first that is tried, where it is tried at all. */
static bool fentry_failed(const struct attempt attempts[RUNG_COUNT])
{
    for (unsigned int i = 0; i < RUNG_COUNT; i++)
        if (!strcmp(rungs[i].name, "fentry") && attempts[i].err)
            return true;
    return false;
}

#define LIKELY_FILTER                                                                                \
    "likely SystemCallFilter= of a unit of systemd, whose @system-service has no process_mrelease, " \
    "its SystemCallArchitectures=, or the seccomp profile of a container"

/* Its proof could not be made: that is no fault of the rung. */
static bool was_refused(const struct attempt *attempt)
{
    return attempt->err == -EACCES && attempt->stage && !strcmp(attempt->stage, "proof");
}

static void explain_filter(struct attempt *attempt)
{
    if (was_refused(attempt))
        snprintf(attempt->said, sizeof(attempt->said),
                 "a seccomp filter refuses the call to this process: " LIKELY_FILTER);
}

/* What a filter kept from being proven: rungs that were passed over, and ways of the one taken. */
static void say_what_is_unproven(const struct mrl_probe_options *options,
                                 const struct attempt attempts[RUNG_COUNT],
                                 const struct mrl_probes *probes)
{
    char passed_over[64] = "";
    size_t used = 0;

    for (unsigned int i = 0; i < RUNG_COUNT; i++)
        if (was_refused(&attempts[i]))
            mrl_append(passed_over, sizeof(passed_over), &used, "%s%s", used ? ", " : "",
                       rungs[i].name);
    if (used)
        mrl_probe_options__log(options, MRL_LOG_WARNING,
                               "passed over %s, which cannot be proven: a seccomp filter refuses "
                               "the call to this process (" LIKELY_FILTER
                               "). With %s all other system calls pay more",
                               passed_over, probes->rung->name);
    /* Who is kept from the calls of other architectures alone, as a unit of systemd usually is,
     * knows of it: no start need warn of that. */
    if (*probes->unproven)
        mrl_probe_options__log(options,
                               strstr(probes->unproven, mrl_proof_way__name(MRL_PROOF_NATIVE))
                                   ? MRL_LOG_WARNING
                                   : MRL_LOG_INFO,
                               "rung %s is not proven to see these calls of others: %s; a seccomp "
                               "filter refuses them to this process (" LIKELY_FILTER ")",
                               probes->rung->name, probes->unproven);
}

static void say_what_evades(const struct mrl_probe_options *options, const struct mrl_rung *rung)
{
    if (!rung->sees_compat)
        mrl_probe_options__log(
            options, MRL_LOG_WARNING,
            "rung %s does not see 32-bit calls (int 0x80%s): they evade this sensor", rung->name,
            options->x32 ? ", x32" : "");
    if (!rung->sees_blocked && strcmp(options->coverage, "all") != 0)
        mrl_probe_options__log(
            options, MRL_LOG_INFO,
            "rung %s does not see calls that seccomp refuses; with coverage all they are seen",
            rung->name);
}

int mrl_ladder__climb(const struct mrl_probe_options *options,
                      bool cgroup_v1,
                      struct mrl_error *error,
                      struct mrl_probes *ret_probes)
{
    struct attempt attempts[RUNG_COUNT] = { 0 };
    struct mrl_probe_options own = *options;
    struct mrl_cpus cpus = { 0 };
    struct mrl_probes probes;
    libbpf_print_fn_t print;
    int err = ask_for_syscall(mrl_probes__syscalls(options->may_watch), &own.reap_kill, error);

    if (err)
        return err;
    pthread_mutex_lock(&print_lock);
    print = libbpf_set_print(hear_libbpf);
    if (mrl_probe_options__want_target(options))
        mrl_cpus__find(&cpus);
    own.cpus = &cpus;
    own.x32 = mrl_proof__may_have_x32();
    err = -EOPNOTSUPP;
    for (unsigned int i = 0; err && !is_memory(err) && i < RUNG_COUNT; i++) {
        if (!fits(&rungs[i], options))
            continue;
        /* What libbpf says from here on is about this rung, and is its reason in no_rung(). */
        current_attempt = &attempts[i];
        err = mrl_probes__open(&rungs[i], &own, cgroup_v1, &attempts[i].stage, &probes);
        attempts[i].err = err;
        explain_filter(&attempts[i]);
        if (is_memory(err))
            no_memory(&rungs[i], &attempts[i], error);
        if (err)
            mrl_probe_options__log(options, MRL_LOG_DEBUG, "rung %s: %s: %s", rungs[i].name,
                                   attempts[i].stage, strerror(-err));
    }
    current_attempt = NULL;
    if (!err && mrl_probe_options__want_target(options)) {
        /* It may be NULL, which is no error: the target is then told as it was seen at entry. Where
         * fentry was refused it is not tried again, which spares the time of a load. */
        probes.reaper = mrl_reaper__open(probes.object, !fentry_failed(attempts));
        mrl_probe_options__log(options, MRL_LOG_DEBUG, "probes around the reaping itself: %s",
                               mrl_reaper__way(probes.reaper));
    }
    libbpf_set_print(print);
    pthread_mutex_unlock(&print_lock);
    if (is_memory(err))
        return -ENOMEM;
    if (err)
        return no_rung(attempts, error);
    say_what_evades(&own, probes.rung);
    say_what_is_unproven(options, attempts, &probes);
    *ret_probes = probes;
    return 0;
}

int mrl_ladder__configure(struct mrl_probes *probes,
                          uint32_t events,
                          const struct mrl_filter *filter,
                          struct mrl_error *error)
{
    struct attempt attempt = { 0 };
    libbpf_print_fn_t print;
    int err;

    pthread_mutex_lock(&print_lock);
    print = libbpf_set_print(hear_libbpf);
    current_attempt = &attempt;
    err = mrl_probes__configure(probes, events, filter);
    current_attempt = NULL;
    libbpf_set_print(print);
    pthread_mutex_unlock(&print_lock);
    if (!err)
        return 0;
    return mrl_error__set(error, err, "rung %s: %s%s%s%s", probes->rung->name, strerror(-err),
                          attempt.said[0] ? " (" : "", attempt.said, attempt.said[0] ? ")" : "");
}
