// SPDX-License-Identifier: Apache-2.0
#include "command/verify/numbers.h"

#include <stdlib.h>

struct mrl_lane *mrl_numbers__lane(struct mrl_numbers *numbers, uint32_t number, uint32_t lane)
{
    struct mrl_cpu *cpu = numbers->last;

    if (cpu && cpu->number == number)
        return &cpu->lanes[lane];
    HASH_FIND(hh, numbers->cpus, &number, sizeof(number), cpu);
    if (!cpu) {
        cpu = calloc(1, sizeof(*cpu));
        if (!cpu)
            return NULL;
        cpu->number = number;
        HASH_ADD(hh, numbers->cpus, number, sizeof(cpu->number), cpu);
        if (!cpu->hh.tbl) {
            free(cpu);
            return NULL;
        }
    }
    numbers->last = cpu;
    return &cpu->lanes[lane];
}

/* A number of the last gap that was not found yet. Of two that are the same only one can be. */
static bool fills_gap(const struct mrl_lane *lane, uint64_t seq)
{
    return lane->gap_left && seq >= lane->gap_from && seq < lane->gap_to;
}

enum mrl_step mrl_lane__step(struct mrl_lane *lane, uint64_t seq)
{
    if (seq < lane->next) {
        if (!fills_gap(lane, seq))
            return MRL_STEP_BEHIND;
        lane->gap_left--;
        return MRL_STEP_MOVED;
    }
    if (seq > lane->next) {
        lane->gap_from = lane->next;
        lane->gap_to = seq;
        lane->gap_left = seq - lane->next;
        lane->gaps++;
        lane->next = seq + 1;
        return MRL_STEP_GAP;
    }
    lane->next = seq + 1;
    return MRL_STEP_NEXT;
}

static int compare(const struct mrl_cpu *a, const struct mrl_cpu *b)
{
    return (a->number > b->number) - (a->number < b->number);
}

void mrl_numbers__sort(struct mrl_numbers *numbers)
{
    HASH_SORT(numbers->cpus, compare);
}

void mrl_numbers__done(struct mrl_numbers *numbers)
{
    struct mrl_cpu *cpu, *next;

    HASH_ITER(hh, numbers->cpus, cpu, next) {
        HASH_DEL(numbers->cpus, cpu);
        free(cpu);
    }
    numbers->last = NULL;
}
