/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload of an event: a capture of one event, without the checksums of frames
 * (docs/adr/0006). What a capture of Falco holds is read again by this, and by later versions.
 */
#ifndef MRL_FALCO_PAYLOAD_H
#define MRL_FALCO_PAYLOAD_H

#include <mrelease/event.h>

#include "enrich/cgroups.h"
#include "event/batch.h"
#include "event/capture_format.h"

enum { MRL_PAYLOAD_CONFIRMED = 1 << 15 };

/** Of mrl_payload.kind: the run stands behind all else, MRL_PAYLOAD_RUN_BYTES without a NUL. */
enum { MRL_PAYLOAD_HAS_RUN = 1 << 8, MRL_PAYLOAD_RUN_BYTES = MRL_RUN_BYTES - 1 };

/** And behind that the frames of names (struct mrl_frame_names) of caller and target, each of which
 * may be empty, and their two sizes, in 16 bits each. */
enum {
    MRL_PAYLOAD_HAS_NAMES = 1 << 9,
    MRL_PAYLOAD_NAMES_MAX = 2 * (MRL_FRAME_NAMES_MAX + sizeof(uint16_t))
};

enum mrl_payload_kind { MRL_PAYLOAD_RECORD = 1, MRL_PAYLOAD_LOST = 2, MRL_PAYLOAD_STATE = 3 };

/** First in a payload. Then `body_size` bytes, and the containers of caller and target. */
struct mrl_payload {
    struct mrl_capture_header header; /* of whoever made it */
    struct mrl_frame_host host;
    uint32_t body_size;
    uint16_t kind; /* enum mrl_payload_kind: a record and what follows it, struct mrl_frame_lost,
                      struct mrl_packed_state and its detail; and MRL_PAYLOAD_HAS_… */
    uint8_t caller_container_size;
    uint8_t target_container_size;
    uint32_t failures;      /* mrl_failures__count() of the call */
    uint16_t caller_lookup; /* 0: not said; else enum mrl_lookup + 1, and MRL_PAYLOAD_CONFIRMED */
    uint16_t target_lookup;
};

enum {
    MRL_PAYLOAD_MAX = sizeof(struct mrl_payload) + MRL_RECORD_BYTES_MAX + 2 * MRL_CONTAINER_BYTES +
                      MRL_PAYLOAD_RUN_BYTES + MRL_PAYLOAD_NAMES_MAX
};

_Static_assert(sizeof(struct mrl_payload) == 80, "payloads are a file format");

/** Writes the payload of an event, at most MRL_PAYLOAD_MAX bytes. Returns its size; 0 for an event
 * that no source makes. */
size_t mrl_payload__put(void *at, const struct mrl_event *event, uint32_t failures);

/** Adds the run of a call to its payload of `size` bytes, for its id. Returns the new size. Of
 * events_lost and sensor_state there is none to add: who would number them is an output. */
size_t mrl_payload__add_run(void *at, size_t size, const struct mrl_event *event);

/** Adds the names of the containers of a call, where names are on; after the run, if that is added.
 * Returns the new size. */
size_t mrl_payload__add_names(void *at, size_t size, const struct mrl_event *event);

/** The last payload that was read. Some 250 KB; zeroed before its first use. One thread. */
struct mrl_reader {
    _Alignas(8) char bytes[MRL_PAYLOAD_MAX];
    uint32_t failures;
    struct mrl_named names[2]; /* of caller and target; their texts are in `bytes` */
    bool has_names[2];
    char id[MRL_EVENT_ID_BYTES];
    struct mrl_batch batch;
};

/**
 * Reads a payload, which may be any bytes. Returns its event, valid until the next call, or
 * NULL with a line in `error`: it is no payload, is damaged, or was made by a newer version or on
 * another machine. Allocates nothing.
 */
const struct mrl_event *mrl_reader__read(struct mrl_reader *reader,
                                         const void *payload,
                                         size_t size,
                                         struct mrl_error *error);

#endif
