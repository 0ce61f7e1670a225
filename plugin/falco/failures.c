// SPDX-License-Identifier: Apache-2.0
#include "falco/failures.h"

#include <stdbool.h>

#define SECOND_NS 1000000000U

/* Five places per process id: processes with neighbouring ids do not collide, nor do the few system
 * calls that one process fails in at a time. */
static struct mrl_failing *place_of(struct mrl_failures *failures, const struct mrl_event *event)
{
    return &failures
                ->places[(event->host_process_id * 5 + event->def->index) % MRL_FAILURES_PLACES];
}

/* Events of different processors come a little out of order. One that is older than the start of
 * the running second belongs to that second, and must not begin another. */
static bool goes_on(const struct mrl_failing *failing, const struct mrl_event *event)
{
    return failing->count && failing->host_pid == event->host_process_id &&
           failing->start_ns == event->process_start_ns && failing->event == event->def->index &&
           (event->exit_ns < failing->begin_ns || event->exit_ns - failing->begin_ns < SECOND_NS);
}

uint32_t mrl_failures__count(struct mrl_failures *failures, const struct mrl_event *event)
{
    struct mrl_failing *failing = place_of(failures, event);

    if (event->return_value >= 0)
        return 0;
    if (!goes_on(failing, event))
        *failing = (struct mrl_failing){
            .begin_ns = event->exit_ns,
            .start_ns = event->process_start_ns,
            .host_pid = event->host_process_id,
            .event = (uint16_t)event->def->index,
        };
    if (failing->count < UINT32_MAX)
        failing->count++;
    return failing->count;
}
