// SPDX-License-Identifier: Apache-2.0
/* Any text as --events: a set of known events, or one line that says why not. */
#include <mrelease/event.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *list = fuzz_string(data, size);
    struct mrl_error error = { "" };
    uint32_t events = 0;

    if (!mrl_events__parse(list, &events, &error))
        must(events && !(events >> mrl_event_def__count()));
    else
        must(!events && error.text[0]);
    free(list);
    return 0;
}
