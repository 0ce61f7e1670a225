/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer calls, once per input. */
#ifndef MRL_TESTS_FUZZ_H
#define MRL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Holds also where assertions are compiled out. */
#define must(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/** The input as a string of its own; NULs in it end it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    must(text);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
