/* SPDX-License-Identifier: Apache-2.0 */
/* MRELEASE_TEST_FILTER: a pattern of the tests of a program that are run. */
#ifndef MRL_TESTS_FILTER_H
#define MRL_TESTS_FILTER_H

#include <stdlib.h>

__attribute__((constructor)) static void filter_tests(void)
{
    cmocka_set_test_filter(getenv("MRELEASE_TEST_FILTER"));
}

#endif
