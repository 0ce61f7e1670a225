/* SPDX-License-Identifier: Apache-2.0 */
/* The peer of the JSON encoders: the same objects, built and dumped with jansson. */
#ifndef MRL_BENCH_PEER_H
#define MRL_BENCH_PEER_H

#include <jansson.h>
#include <mrelease/event.h>

/** The object of an event in the dialect called `format`, keys in Tracee's order; new. */
json_t *bench_peer__build(const struct mrl_event *event, const char *format);

/** Dumps it into a buffer, compact and in order; returns the bytes. */
size_t bench_peer__dump(const json_t *object, char *buffer, size_t size);

/** The object of the dialect of Tracee's main branch; new. */
json_t *bench_peer__build_v1beta1(const struct mrl_event *event);

#endif
