// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a line: both ways of judging it agree, and its dialect can be told. */
#include "command/schema/check.h"
#include "fuzz.h"

enum { DIALECTS_MAX = 8 };

static struct mrl_check *checks[DIALECTS_MAX];
static unsigned int check_count;

/* Here, as it takes longer than one input may. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct mrl_dialect *const *all = mrl_dialect__all(&check_count);

    must(check_count <= DIALECTS_MAX);
    for (unsigned int i = 0; i < check_count; i++)
        must(!mrl_check__new(all[i], NULL, &checks[i]));
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data;
    struct mrl_fault fault;

    mrl_dialect__detect(line, size);
    for (unsigned int i = 0; i < check_count; i++) {
        bool surely = mrl_schema__surely_holds(mrl_check__schema(checks[i]), line, size);
        int valid = mrl_check__line_slowly(checks[i], line, size, &fault);

        must(valid == 0 || valid == 1);
        must(!surely || valid);
        must(valid || *fault.reason);
    }
    return 0;
}
