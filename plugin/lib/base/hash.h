// SPDX-License-Identifier: Apache-2.0
/* uthash for a library: out of memory, it would call exit(). Here HASH_ADD leaves the element out
 * of the table then, and the element's hh.tbl is NULL. */
#ifndef MRL_BASE_HASH_H
#define MRL_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
