/* SPDX-License-Identifier: Apache-2.0 */
/* What this process takes, as the metrics have it that every exporter has. */
#ifndef MRL_DELIVER_METRICS_PROCESS_H
#define MRL_DELIVER_METRICS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct mrl_process {
    uint64_t cpu_us, start_ns /* since the epoch */, resident_bytes, virtual_bytes, open_fds,
        max_fds, threads;
};

/** Looks; any thread. Returns false where /proc cannot be read. */
bool mrl_process__look(struct mrl_process *ret_process);

#endif
