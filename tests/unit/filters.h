/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of tests, and the call that they are asked about. */
#ifndef MRL_TESTS_FILTERS_H
#define MRL_TESTS_FILTERS_H

#include "filter/filter.h"
#include "unit/records.h"

enum { TEST_TEXTS_MAX = 4 };

/** A filter of up to four texts of --events, and as many of --scope. As mrl_filter__new(). */
int test_filter__make(const char *const events[TEST_TEXTS_MAX],
                      const char *const scopes[TEST_TEXTS_MAX],
                      struct mrl_error *error,
                      struct mrl_filter **ret_filter);

/** mlock(4096, 8192) = -12 by uid 1000, process 7 and thread 8 in their namespace, 70 and 80 here,
 * in a container and a pod. */
struct mrl_event test_filter__call(struct test_decoder *decoder);

#endif
