// SPDX-License-Identifier: Apache-2.0
/* Offsets of the CPUs. */
#include "probe/cpus.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cpus.skel.h"

/* As struct addresses of programs/cpus.bpf.c. */
struct result {
    uint64_t map;
    uint64_t of_cpu[MRL_CPUS_MAX];
    uint32_t found;
};

static void run(struct cpus_bpf *object, struct result *result)
{
    LIBBPF_OPTS(bpf_test_run_opts, options);
    const uint32_t first = 0;
    int err = bpf_prog_test_run_opts(bpf_program__fd(object->progs.cpus__offsets), &options);

    if (!err)
        err = bpf_map__lookup_elem(object->maps.results, &first, sizeof(first), result,
                                   sizeof(*result), 0);
    if (err)
        result->found = 0;
}

void mrl_cpus__find(struct mrl_cpus *cpus)
{
    int count = libbpf_num_possible_cpus();
    struct result result = { 0 };
    struct cpus_bpf *object;

    if (count <= 0 || count > MRL_CPUS_MAX)
        return;
    object = cpus_bpf__open();
    if (!object)
        return;
    object->rodata->cpus = (uint32_t)count;
    if (!cpus_bpf__load(object))
        run(object, &result);
    cpus_bpf__destroy(object);
    if (result.found != (uint32_t)count)
        return;
    cpus->count = result.found;
    memcpy(cpus->offsets, result.of_cpu, sizeof(cpus->offsets));
}
