/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event sensor_state: what became of the sensor. It has no record. On its way to an output it
 * stays a packed struct mrl_state, because `events_so_far` is the output's own count.
 */
#ifndef MRL_EVENT_STATE_H
#define MRL_EVENT_STATE_H

#include "event/batch.h"
#include "event/raw.h"

#define MRL_SENSOR_STATE_FIELDS MRL_FIELDS_OF_SENSOR_STATE

enum {
    MRL_STATE_DETAIL_MAX = 1024, /* bytes of `detail` */
    MRL_STATE_WORD_BYTES = 16,   /* of `what` in a packed one, filled up with NULs */
};

/** -1 in by_uid and by_pid: nobody brought it about. Of a uid, the field holds the lower 32 bits.
 * Times are ns since the epoch. */
struct mrl_state {
    enum mrl_what what;
    struct mrl_text detail; /* borrowed; at most MRL_STATE_DETAIL_MAX */
    int64_t by_uid, by_pid;
    uint64_t events_so_far;
    uint64_t from_ns, to_ns; /* both 0: it is about no interval */
    uint64_t time_ns;
};

/** Begins each detail: "run=BOOT-RUN", and "; MORE" unless `more` is NULL or empty. What is too
 * long is cut. Returns the bytes written to `detail`. */
size_t mrl_state__put_detail(const char *run, const char *more, char detail[MRL_STATE_DETAIL_MAX]);

/** Makes the event of a state. Both and `values`, which holds its fields, are borrowed by
 * `*ret_event`. */
void mrl_state__event(const struct mrl_state *state,
                      struct mrl_value values[MRL_SENSOR_STATE_FIELDS],
                      struct mrl_event *ret_event);

/** Appends the event of a state, which is copied, to a batch; it must have room for an event. */
void mrl_state__append(const struct mrl_state *state, struct mrl_batch *batch);

/** A state as queues, captures and payloads hold it; the detail follows. */
struct mrl_packed_state {
    uint64_t time_ns, from_ns, to_ns, events_so_far;
    int64_t by_uid, by_pid;
    char what[MRL_STATE_WORD_BYTES];
};

enum { MRL_PACKED_STATE_MAX = sizeof(struct mrl_packed_state) + MRL_STATE_DETAIL_MAX };

_Static_assert(sizeof(struct mrl_packed_state) == 64, "packed states are a file format");

/** Writes at most MRL_PACKED_STATE_MAX bytes. Returns how many. */
size_t mrl_state__pack(const struct mrl_state *state, void *at);

/** Reads any bytes; the detail is borrowed from them. Error: -EBADMSG nobody would write this. */
int mrl_state__unpack(const void *bytes, size_t size, struct mrl_state *ret_state);

#endif
