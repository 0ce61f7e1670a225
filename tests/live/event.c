// SPDX-License-Identifier: Apache-2.0
/* Tracee's events. */
#include "event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#    define ROW_NUMBER(x86_64, arm64) #    x86_64, x86_64
#    define COMPAT(i386, arm)         i386
#else
#    define ROW_NUMBER(x86_64, arm64) #    arm64, arm64
#    define COMPAT(i386, arm)         arm
#endif

const struct event_row event_rows[EVENT_ROWS] = {
    { "process_mrelease",
      ROW_NUMBER(448, 448),
      COMPAT(448, 448),
      2,
      { { "pidfd", "int", WIDTH_S32 }, { "flags", "unsigned int", WIDTH_U32 } } },
    { "mlock",
      ROW_NUMBER(149, 228),
      COMPAT(150, 150),
      2,
      { { "addr", "const void*", WIDTH_U64 }, { "len", "size_t", WIDTH_U64 } } },
    { "munlock",
      ROW_NUMBER(150, 229),
      COMPAT(151, 151),
      2,
      { { "addr", "const void*", WIDTH_U64 }, { "len", "size_t", WIDTH_U64 } } },
    { "mlockall", ROW_NUMBER(151, 230), COMPAT(152, 152), 1, { { "flags", "int", WIDTH_S32 } } },
    { "munlockall", ROW_NUMBER(152, 231), COMPAT(153, 153), 0, { { 0 } } },
    { "mlock2",
      ROW_NUMBER(325, 284),
      COMPAT(376, 390),
      3,
      { { "addr", "const void*", WIDTH_U64 },
        { "len", "size_t", WIDTH_U64 },
        { "flags", "int", WIDTH_S32 } } },
};

const struct event_row *event__find(const char *name)
{
    for (size_t i = 0; i < EVENT_ROWS; i++)
        if (!strcmp(event_rows[i].name, name))
            return &event_rows[i];
    fprintf(stderr, "# these tests know no event %s\n", name);
    abort();
}

void event__arg_text(enum arg_width width, uint64_t register_value, char text[ARG_TEXT_BYTES])
{
    if (width == WIDTH_S32)
        snprintf(text, ARG_TEXT_BYTES, "%" PRId32, (int32_t)register_value);
    else if (width == WIDTH_U32)
        snprintf(text, ARG_TEXT_BYTES, "%" PRIu32, (uint32_t)register_value);
    else
        snprintf(text, ARG_TEXT_BYTES, "%" PRIu64, register_value);
}
