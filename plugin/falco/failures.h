/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many calls of a process failed within a second. Falco's rules keep nothing between events, so
 * that a storm can only be told from a single failure where the events come from.
 */
#ifndef MRL_FALCO_FAILURES_H
#define MRL_FALCO_FAILURES_H

#include <mrelease/event.h>
#include <stdint.h>

/* Two processes may share a place, and then the later one takes it. So when more processes than
 * this fail within a second, some counts are too low; none is ever too high. */
enum { MRL_FAILURES_PLACES = 256 };

/** Zeroed at first. One thread at a time. */
struct mrl_failures {
    struct mrl_failing {
        uint64_t begin_ns; /* when the running second began */
        uint64_t start_ns; /* of the process, because numbers of processes are used again */
        uint32_t host_pid;
        uint16_t event; /* table index */
        uint32_t count;
    } places[MRL_FAILURES_PLACES];
};

/**
 * How many calls of the event's process failed since the first of the running second, of the same
 * system call and this one included; 0 when this one did not fail. The first failure after a second
 * begins the next.
 */
uint32_t mrl_failures__count(struct mrl_failures *failures, const struct mrl_event *event);

#endif
