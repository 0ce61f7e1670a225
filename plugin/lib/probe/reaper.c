// SPDX-License-Identifier: Apache-2.0
/* Probes around the function that releases memory: by fentry, else by kprobe, else not at all. */
#include "probe/reaper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "probe/skeleton.h"
#include "reap.skel.h"

#define KPROBES "/sys/bus/event_source/devices/kprobe"

struct mrl_reaper {
    struct reap_bpf *object;
    struct mrelease_bpf *probes;
    const char *way;
};

/* In the order of what they cost the call. */
enum { FENTRY, KPROBE, WAY_COUNT };

static const char *const ways[WAY_COUNT] = { [FENTRY] = "fentry", [KPROBE] = "kprobe" };

static bool belongs(const struct bpf_program *program, const char *way)
{
    return !strncmp(bpf_program__name(program), way, strlen(way));
}

static int prepare(struct reap_bpf *object, struct mrelease_bpf *probes, const char *way)
{
    struct bpf_program *program;

    bpf_object__for_each_program(program, object->obj)
        bpf_program__set_autoload(program, belongs(program, way));
    /* Each object has its own .rodata. The calls in flight must be the same ones, so their map is
     * shared. */
    object->rodata->settings = probes->rodata->settings;
    return bpf_map__reuse_fd(object->maps.target_calls, bpf_map__fd(probes->maps.target_calls));
}

static struct reap_bpf *attached(struct mrelease_bpf *probes, const char *way)
{
    struct reap_bpf *object = reap_bpf__open();
    int err;

    if (!object)
        return NULL;
    err = prepare(object, probes, way);
    if (!err)
        err = reap_bpf__load(object);
    if (!err)
        err = reap_bpf__attach(object);
    if (!err)
        return object;
    reap_bpf__destroy(object);
    return NULL;
}

struct mrl_reaper *mrl_reaper__open(struct mrelease_bpf *probes, bool try_fentry)
{
    struct mrl_reaper *reaper = calloc(1, sizeof(*reaper));

    if (!reaper)
        return NULL;
    reaper->probes = probes;
    for (int i = 0; !reaper->object && i < WAY_COUNT; i++) {
        reaper->way = ways[i];
        if (i == FENTRY ? try_fentry : !access(KPROBES, F_OK))
            reaper->object = attached(probes, reaper->way);
    }
    if (!reaper->object) {
        free(reaper);
        return NULL;
    }
    /* Not before both probes are attached: a call that is marked as watched, and of which they saw
     * nothing, means that the function did not run. close() clears it first for the same reason. */
    __atomic_store_n(&probes->bss->reaper_watched, 1, __ATOMIC_RELEASE);
    return reaper;
}

const char *mrl_reaper__way(const struct mrl_reaper *reaper)
{
    return reaper ? reaper->way : "none";
}

int mrl_reaper__missed(const struct mrl_reaper *reaper, uint64_t *missed)
{
    struct bpf_program *program;

    if (!reaper)
        return 0;
    bpf_object__for_each_program(program, reaper->object->obj) {
        struct bpf_prog_info info = { 0 };
        __u32 size = sizeof(info);

        if (!bpf_program__autoload(program))
            continue;
        if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
            return -errno;
        *missed += info.recursion_misses;
    }
    return 0;
}

void mrl_reaper__close(struct mrl_reaper *reaper)
{
    if (!reaper)
        return;
    __atomic_store_n(&reaper->probes->bss->reaper_watched, 0, __ATOMIC_RELEASE);
    reap_bpf__destroy(reaper->object);
    free(reaper);
}
