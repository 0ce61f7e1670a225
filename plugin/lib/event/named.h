/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of containers in events. Where they are kept they may be forgotten before the batch
 * goes: an event has a copy in its batch, which all events of one container share there.
 */
#ifndef MRL_EVENT_NAMED_H
#define MRL_EVENT_NAMED_H

#include "event/host.h"
#include "event/raw.h"

struct mrl_arena;

/** One of the names of an event's container. */
const struct mrl_text *mrl_event__name(const struct mrl_event *event, enum mrl_name name);

/** What a copy takes, its texts included. */
size_t mrl_named__bytes(const struct mrl_named *named);

/** Copies names, and the texts behind them, into `room` of mrl_named__bytes(). */
struct mrl_named *mrl_named__copy(const struct mrl_named *named, void *room);

/** Gives an event the names of its container. */
void mrl_named__put(const struct mrl_raw *raw, struct mrl_named *named, struct mrl_event *event);

/** The same of the container of its target. */
void mrl_named__put_target(const struct mrl_raw *raw,
                           const struct mrl_named *named,
                           struct mrl_event *event);

/** The last event of a batch is taken back, and with it what lies in the arena from `end` on: who
 * was to share it makes a copy of his own. Before anybody is asked for names again. */
void mrl_named__take_back(const struct mrl_event *event, const char *end);

#endif
