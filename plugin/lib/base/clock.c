// SPDX-License-Identifier: Apache-2.0
/* The kernel's boot time, as the probes read it. */
#include <linux/bpf.h>

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { TRIES = 8 };

/*
 * A program of two instructions that tells the kernel's clock: the lower half, since that is all
 * that a run hands back. Its load time, which the kernel keeps on the same clock, has the rest.
 */
static int load_clock(uint64_t *ret_loaded_ns)
{
    const struct bpf_insn tell[] = {
        { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_boot_ns },
        { .code = BPF_JMP | BPF_EXIT },
    };
    struct bpf_prog_info info = { 0 };
    __u32 size = sizeof(info);
    int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", tell,
                           sizeof(tell) / sizeof(tell[0]), NULL);

    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size)) {
        close(fd);
        return -1;
    }
    *ret_loaded_ns = info.load_time;
    return fd;
}

/* What must be added to CLOCK_BOOTTIME of this process. The try with the shortest distance between
 * the two looks was not preempted; a shift that this distance explains is none. */
static bool find_shift(int64_t *ret_shift_ns)
{
    int64_t shortest = INT64_MAX;
    uint64_t loaded_ns = 0;
    int fd = load_clock(&loaded_ns);

    for (int i = 0; fd >= 0 && i < TRIES; i++) {
        LIBBPF_OPTS(bpf_test_run_opts, run);
        int64_t before = mrl_clock__ns(CLOCK_BOOTTIME), distance, shift;

        if (bpf_prog_test_run_opts(fd, &run))
            break;
        distance = mrl_clock__ns(CLOCK_BOOTTIME) - before;
        if (distance >= shortest)
            continue;
        shortest = distance;
        shift = (int64_t)(loaded_ns + (uint32_t)(run.retval - (uint32_t)loaded_ns)) -
                (before + distance / 2);
        *ret_shift_ns = shift > distance || shift < -distance ? shift : 0;
    }
    if (fd >= 0)
        close(fd);
    return shortest < INT64_MAX;
}

int64_t mrl_clock__boot_ns(void)
{
    /* Of the process, as its time namespace is: the kernel lets it change only by fork or exec. Who
     * may not load a program is told its own clock, and asks again: it may be given the right. */
    static atomic_llong shift_ns;
    static atomic_bool known;
    int64_t shift = 0;

    if (!atomic_load_explicit(&known, memory_order_acquire)) {
        if (find_shift(&shift)) {
            atomic_store(&shift_ns, shift);
            atomic_store_explicit(&known, true, memory_order_release);
        }
    }
    return mrl_clock__ns(CLOCK_BOOTTIME) + atomic_load_explicit(&shift_ns, memory_order_relaxed);
}
