/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that walk a table and name everything that is wrong with it before they fail. */
#ifndef MRL_TESTS_PROBLEMS_H
#define MRL_TESTS_PROBLEMS_H

#include "unit/unit.h"

static unsigned int problems;

#define problem(format, ...)                \
    do {                                    \
        problems++;                         \
        print_error(format, ##__VA_ARGS__); \
        print_error("\n");                  \
    } while (0)

#define for_each_event(event)     \
    for (unsigned int index_ = 0; \
         index_ < mrl_event_def__count() && ((event) = mrl_event_def__at(index_), 1); index_++)

static int forget_problems(void **state)
{
    (void)state;
    problems = 0;
    return 0;
}

#endif
