// SPDX-License-Identifier: Apache-2.0
/* What the probes have counted: of each event, of who lost any, of their own missed runs. */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "event/raw.h"
#include "probe/missed_runs.h"
#include "probe/probes.h"
#include "probe/reaper.h"
#include "probe/skeleton.h"

int mrl_probes__read_counters(const struct mrl_probes *probes,
                              unsigned int event,
                              struct mrl_event_counters *ret_counters,
                              unsigned int cpus)
{
    return bpf_map__lookup_elem(probes->object->maps.event_counters, &event, sizeof(event),
                                ret_counters, cpus * sizeof(*ret_counters), 0);
}

int mrl_probes__read_culprits(const struct mrl_probes *probes,
                              struct mrl_culprit_key ret_keys[MRL_CULPRITS_MAX],
                              struct mrl_culprit ret_culprits[MRL_CULPRITS_MAX],
                              unsigned int *ret_count)
{
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    __u32 count = MRL_CULPRITS_MAX, next;

    if (bpf_map_lookup_batch(bpf_map__fd(probes->object->maps.culprits), NULL, &next, ret_keys,
                             ret_culprits, &count, &options) &&
        errno != ENOENT)
        return -errno;
    *ret_count = count;
    return 0;
}

int mrl_probes__missed(const struct mrl_probes *probes, uint64_t *ret_missed)
{
    uint64_t missed =
        __atomic_load_n(&probes->missed_by_links, __ATOMIC_RELAXED) + probes->reaper_missed;
    struct bpf_program *program;
    int err = 0;

    bpf_object__for_each_program(program, probes->object->obj) {
        uint64_t of_program = 0;

        if (!err && bpf_program__autoload(program))
            err = mrl_missed_runs__of_program(program, &of_program);
        missed += of_program;
    }
    if (!err)
        err = mrl_reaper__missed(probes->reaper, &missed);
    if (!err)
        *ret_missed = missed;
    return err;
}

int mrl_probes__counters(const struct mrl_probes *probes,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts)
{
    int cpus = libbpf_num_possible_cpus(), err;
    struct mrl_event_counters *each;

    if (cpus < 0)
        return cpus;
    each = calloc((size_t)cpus, sizeof(*each));
    if (!each)
        return -ENOMEM;
    /* One row per CPU, so that probes on two CPUs never write to the same one; the sum is made
     * here. */
    err = mrl_probes__read_counters(probes, event, each, (unsigned int)cpus);
    if (!err)
        *ret_counts = (struct mrl_event_counts){ 0 };
    for (int cpu = 0; !err && cpu < cpus; cpu++) {
        ret_counts->seen += each[cpu].seen;
        ret_counts->submitted += each[cpu].submitted;
        ret_counts->self += each[cpu].self;
        ret_counts->filtered += each[cpu].filtered;
        for (enum mrl_cause cause = 0; cause < MRL_CAUSE_COUNT; cause++) {
            const struct mrl_cause_def *def = mrl_cause_def__of(cause);

            if (def->in_kernel != MRL_UNCOUNTED)
                *mrl_counter__at(ret_counts, def->in_counts) +=
                    *mrl_counter__at(&each[cpu], def->in_kernel);
        }
    }
    free(each);
    return err;
}
