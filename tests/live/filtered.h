/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts under filters. */
#ifndef MRL_TESTS_LIVE_FILTERED_H
#define MRL_TESTS_LIVE_FILTERED_H

#include "harness.h"

/** Ends the test where the sensor says that its accounts do not add up. */
void filtered__assert_accounted(const struct sensor *sensor);

/** Runs the script under these arguments; each call is there, or marked as unseen. */
void filtered__assert(const char *const *arguments,
                      struct script *script,
                      void (*act)(struct script *script));

#define ASSERT_FILTERED(script, act, ...) \
    filtered__assert((const char *const[]){ "run", "-o", "json", __VA_ARGS__, NULL }, script, act)

#endif
