// SPDX-License-Identifier: Apache-2.0
/* Any text as a size, a duration and a count: a number, or one line that says why not. */
#include <errno.h>
#include <mrelease/option.h>

#include "fuzz.h"

typedef int (*parse_fn)(const char *text, uint64_t *ret_number, struct mrl_error *error);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const parse_fn parsers[] = { mrl_parse_bytes, mrl_parse_duration, mrl_parse_count };
    char *text = fuzz_string(data, size);

    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        struct mrl_error error = { "" };
        uint64_t number = 4711;
        int err = parsers[i](text, &number, &error);

        must(!err || err == -EINVAL || err == -ERANGE);
        must(!err || (number == 4711 && error.text[0]));
    }
    free(text);
    return 0;
}
