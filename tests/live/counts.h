// SPDX-License-Identifier: Apache-2.0
#ifndef MRL_TEST_LIVE_COUNTS_H
#define MRL_TEST_LIVE_COUNTS_H

#include <mrelease/mrelease.h>

#include "harness.h"

/** Fails the test unless an event's counts add up: what was seen went somewhere, and what was
 * submitted was read. The probes have come to rest. */
static inline void live__assert_adds_up(const struct mrl_event_counts *counts)
{
    assert_int_equal(counts->seen, counts->submitted + counts->refused + counts->suppressed +
                                       counts->no_memory + counts->exit_missed + counts->self +
                                       counts->filtered);
    assert_int_equal(counts->submitted,
                     counts->decoded + counts->malformed + counts->filtered_late);
}

#endif
