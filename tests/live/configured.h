/* SPDX-License-Identifier: Apache-2.0 */
/* A sensor that reads a configuration file of the test's, and calls for it to see. */
#ifndef MRL_TESTS_LIVE_CONFIGURED_H
#define MRL_TESTS_LIVE_CONFIGURED_H

#include "harness.h"

/** Writes "mrelease.yaml", in place of what was there, as editors and tools of configuration do. */
void configured__write(const char *text);

/** Writes it, and starts the sensor with it. */
void configured__start(struct sensor *sensor, const char *text);

/** A munlock() and an mlock(), each of which fails. */
void configured__call(void);

/** How many lines of an event the file of this name has. */
size_t configured__lines(const char *name, const char *event);

/** Waits until the file is there and has so many. */
void configured__await_lines(const char *name, const char *event, size_t count);

#endif
