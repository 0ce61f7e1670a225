/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What these tests know of Tracee's events, written down a second time and on purpose: ids, numbers
 * and arguments from Tracee's and the kernel's sources, not from the table under test.
 */
#ifndef MRL_LIVE_EVENT_H
#define MRL_LIVE_EVENT_H

#include <stddef.h>
#include <stdint.h>

enum { ARGS_MAX = 3, ARG_TEXT_BYTES = 32 };

enum arg_width { WIDTH_S32, WIDTH_U32, WIDTH_U64 };

struct arg_row {
    const char *name;
    const char *type;
    enum arg_width width;
};

struct event_row {
    const char *name;
    const char *id; /* as the JSON has it */
    long number, compat_number;
    unsigned int arg_count;
    struct arg_row args[ARGS_MAX];
};

enum { EVENT_ROWS = 6 };
extern const struct event_row event_rows[EVENT_ROWS];

/** The row called `name`; there must be one. */
const struct event_row *event__find(const char *name);

/** The decimal number that an argument must be shown as, given its whole register. */
void event__arg_text(enum arg_width width, uint64_t register_value, char text[ARG_TEXT_BYTES]);

#endif
