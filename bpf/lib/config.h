/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space may change at any time; one definition per object. */
#ifndef MRL_LIB_CONFIG_H
#define MRL_LIB_CONFIG_H

#include <bpf/bpf_helpers.h>

#include "abi/config.h"

struct mrl_configs configs SEC(".data.configs");

/* Of the whole call: two looks could see two configurations. */
static __always_inline __u32 config_generation(void)
{
    return *(volatile __u32 *)&configs.generation;
}

static __always_inline const struct mrl_config *config_of(__u32 generation)
{
    return &configs.slots[generation & 1];
}

/*
 * A map of maps, of which nothing is ever read. When user space has put something in there, the
 * kernel returns only when all programs that run now have ended (maybe_wait_bpf_programs()).
 */
struct one_number {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} nothing SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct one_number);
} all_ended SEC(".maps") = { .values = { &nothing } };

#endif
