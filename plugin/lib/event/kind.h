/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds table, for whoever defines fields beside those of the event table. */
#ifndef MRL_EVENT_KIND_H
#define MRL_EVENT_KIND_H

#include <mrelease/event.h>

enum mrl_kind_index {
#define MRL_KIND(symbol, ...) MRL_KIND_##symbol,
#include "event/kinds.def"
    MRL_KIND_COUNT
};

extern const struct mrl_kind mrl_kinds[MRL_KIND_COUNT];

#endif
