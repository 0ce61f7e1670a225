/* SPDX-License-Identifier: Apache-2.0 */
/* The values of options, for option.c, which has the rows. */
#ifndef MRL_BASE_OPTION_VALUE_H
#define MRL_BASE_OPTION_VALUE_H

#include <mrelease/option.h>

/** Bytes of the member of a row; of one that may be given several times, of each. 0: its own. */
size_t mrl_option_value__size(const struct mrl_option *row);

/** Stores `text` in `member` as the type of the row says; NULL is a switch that is on. Errors: as
 * mrl_option__set(). */
int mrl_option_value__put(const struct mrl_option *row,
                          void *member,
                          const char *text,
                          struct mrl_error *error);

#endif
