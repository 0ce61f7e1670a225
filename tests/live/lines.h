/* SPDX-License-Identifier: Apache-2.0 */
/* A file of JSON lines, read back. */
#ifndef MRL_LIVE_LINES_H
#define MRL_LIVE_LINES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "script.h"

struct line {
    const char *text; /* without its newline */
    json_t *json;     /* numbers above the signed range are strings that begin with BIG */
};

struct lines {
    size_t count;
    struct line *at;
};

#define BIG "unsigned:"

/**
 * Reads `path` whole. The test fails unless every line is one JSON object that begins as Tracee's
 * readers want it and ends with a newline. Valid until the test ends.
 */
const struct lines *lines__load(const char *path);

/** The same for what a program wrote to its standard output. */
const struct lines *lines__parse(const char *text);

/** How many lines come from tasks that made calls in this script. */
size_t lines__of_script(const struct lines *lines, const struct script *script);

/** The n-th line, from 0, of `event` made by task `host_tid`; the test fails when there is none. */
const struct line *lines__find(const struct lines *lines,
                               const char *event,
                               uint32_t host_tid,
                               size_t n);

/** How many lines are of `event`, by task `host_tid`, or by anyone when that is 0. */
size_t lines__count(const struct lines *lines, const char *event, uint32_t host_tid);

/** How many of `event` the events_lost lines say are missing for `cause`, or for any when it is
 * NULL. */
uint64_t lines__lost(const struct lines *lines, const char *event, const char *cause);

/** Newlines in a file, which may be written just now. */
size_t lines__count_of_file(const char *path);

/** Members of an object, by name; the test fails when it has no such number, text or truth. */
uint64_t json__number(const json_t *object, const char *key);
int64_t json__signed(const json_t *object, const char *key);
const char *json__text(const json_t *object, const char *key);
int json__truth(const json_t *object, const char *key);

#endif
