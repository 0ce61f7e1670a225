// SPDX-License-Identifier: Apache-2.0
#include "why.h"

#include <string.h>

const struct line *why__line(const struct lines *lines,
                             const struct script *script,
                             unsigned int call)
{
    return line_of_call(lines, script, &script->calls[call]);
}

void why__assert(const struct lines *lines,
                 const struct script *script,
                 unsigned int call,
                 const char *outcome)
{
    const struct line *line = why__line(lines, script, call);

    assert_int_equal(json__signed(line->json, "returnValue"), script->calls[call].result);
    if (strcmp(release__text(line, "outcome"), outcome) != 0)
        fail_msg("not %s: %s", outcome, line->text);
}

struct call *why__release(struct script *script, uint64_t pidfd, uint64_t flags)
{
    return script__call(script, "process_mrelease", pidfd, flags, 0);
}

const struct lines *why__run(struct script *script, void (*act)(struct script *script))
{
    return release__run_extra(EXTRAS, "process_mrelease", script, act);
}
