// SPDX-License-Identifier: Apache-2.0
/* Runs of probes that the kernel left out. */
#include <linux/bpf.h>

#include "probe/missed_runs.h"

#include <bpf/bpf.h>

/*
 * The head of struct bpf_link_info of Linux 6.9, of a link to a perf event: the headers that this
 * is built with may be older. An older kernel leaves at 0 what it does not know.
 */
struct perf_link_info {
    uint32_t link_type, link_id, program_id, padding;
    uint32_t event_type, more_padding;
    uint64_t name;
    uint32_t name_bytes, offset;
    uint64_t address, missed, cookie;
};

enum { LINK_PERF_EVENT = 7, EVENT_KPROBE = 3, EVENT_KRETPROBE = 4 }; /* include/uapi/linux/bpf.h */

int mrl_missed_runs__of_program(const struct bpf_program *program, uint64_t *ret_missed)
{
    struct bpf_prog_info info = { 0 };
    __u32 size = sizeof(info);
    int err = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);

    if (!err)
        *ret_missed = info.recursion_misses;
    return err;
}

uint64_t mrl_missed_runs__of_link(const struct bpf_link *link)
{
    struct perf_link_info info = { 0 };
    __u32 size = sizeof(info);

    if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) ||
        info.link_type != LINK_PERF_EVENT ||
        (info.event_type != EVENT_KPROBE && info.event_type != EVENT_KRETPROBE))
        return 0;
    return info.missed;
}
