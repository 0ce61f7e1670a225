/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka, which wants other headers before it, and a few words. */
#ifndef MRL_TESTS_UNIT_H
#define MRL_TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "../filter.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** Fails, naming the case of a table of cases that went wrong. */
#define fail_case(format, ...)              \
    do {                                    \
        print_error(format, ##__VA_ARGS__); \
        print_error("\n");                  \
        fail();                             \
    } while (0)

/** Skips, saying what is missing. */
#define skip_because(format, ...)                                \
    do {                                                         \
        print_message("# skipped: " format "\n", ##__VA_ARGS__); \
        skip();                                                  \
    } while (0)

#endif
