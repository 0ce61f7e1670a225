/* SPDX-License-Identifier: Apache-2.0 */
/* The peer of the JSON encoder: the same object, built and dumped with jansson. */
#ifndef MRL_BENCH_PEER_H
#define MRL_BENCH_PEER_H

#include <jansson.h>
#include <mrelease/event.h>

/** The classic object of an event, keys in Tracee's order; new. */
json_t *bench_peer__build(const struct mrl_event *event);

/** Dumps it into a buffer, compact and in order; returns the bytes. */
size_t bench_peer__dump(const json_t *object, char *buffer, size_t size);

#endif
