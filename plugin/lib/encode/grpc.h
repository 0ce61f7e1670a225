/* SPDX-License-Identifier: Apache-2.0 */
/* The format "grpc": events as protobuf messages, each behind a header that says what it is. */
#ifndef MRL_ENCODE_GRPC_H
#define MRL_ENCODE_GRPC_H

#include <stdint.h>

/** Before each message. Between processes of one build only. */
struct mrl_grpc_frame {
    uint32_t size;  /* of the message */
    uint32_t event; /* table index */
    uint64_t time_ns;
    uint64_t lost;       /* of an events_lost: how many are missing; 0: it is none */
    uint64_t from_ns;    /* of an events_lost: since when; time_ns is until when */
    uint32_t lost_event; /* table index */
    uint32_t lost_cause; /* enum mrl_cause */
};

#endif
