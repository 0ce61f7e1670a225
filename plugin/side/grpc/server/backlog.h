/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backlog: messages of the recent past, in blocks, kept once for all clients. Each client has a
 * place in it. One that falls behind the oldest block is told, per event and cause, how many it has
 * missed: those that it was too slow for, and what the gaps that it did not see would have told it.
 * So a slow client costs the others nothing, and no client needs a queue of its own.
 */
#ifndef MRL_GRPC_SERVER_BACKLOG_H
#define MRL_GRPC_SERVER_BACKLOG_H

#include <grpc/slice.h>
#include <mrelease/sink.h>
#include <stdbool.h>
#include <stdint.h>

#include "deliver/gap.h"

enum { MRL_BACKLOG_BYTES = 8 * 1024 * 1024 };

struct mrl_backlog;
struct mrl_chosen;

/** What a client wants. A set of bits. */
enum mrl_wants {
    MRL_WANTS_EVENTS = 1 << 0,
    MRL_WANTS_STATES = 1 << 1, /* sensor_state */
};

/** Counts since the beginning, by cause and event: an event counts as one that the queue was too
 * full for, an events_lost as many as it tells of, under its own cause. */
struct mrl_missable {
    uint64_t of[MRL_CAUSE_COUNT][MRL_EVENT_COUNT];
};

/** Where a client is. */
struct mrl_place {
    unsigned int wants;              /* set of enum mrl_wants: what is stepped over is no gap */
    const struct mrl_chosen *chosen; /* of the events, those of these policies; NULL: all */
    uint64_t block;
    uint32_t offset;            /* in the block */
    struct mrl_missable passed; /* up to here */
    uint64_t time_ns;           /* of the last message before here */
};

/** Error: -ENOMEM. */
int mrl_backlog__new(struct mrl_backlog **ret_backlog);

/** NULL is allowed. Slices that were taken live on. */
void mrl_backlog__free(struct mrl_backlog *backlog);

/** Appends frames (encode/grpc.h). One thread at a time. Where memory is short, what does not fit
 * is missed by all. */
void mrl_backlog__put(struct mrl_backlog *backlog, const struct mrl_chunk *chunk);

/** The place behind the newest message, of a client that wants the events. Any thread. */
void mrl_backlog__join(struct mrl_backlog *backlog, struct mrl_place *place);

/** Whether messages from this place on are gone already. Any thread. */
bool mrl_backlog__has_overtaken(struct mrl_backlog *backlog, const struct mrl_place *place);

/** How many events are there, or were missed, behind this place. Any thread. */
uint64_t mrl_backlog__behind(struct mrl_backlog *backlog, const struct mrl_place *place);

/**
 * Takes up to `max` messages into `slices`, which are the caller's to unref, and moves the place
 * behind them. What was missed before the first is added to `missing`. Returns how many;
 * `*ret_more` is whether others follow. Any thread.
 */
unsigned int mrl_backlog__take(struct mrl_backlog *backlog,
                               struct mrl_place *place,
                               grpc_slice *slices,
                               unsigned int max,
                               struct mrl_gap *missing,
                               bool *ret_more);

#endif
