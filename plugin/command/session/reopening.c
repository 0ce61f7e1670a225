// SPDX-License-Identifier: Apache-2.0
#include "command/session/reopening.h"

#include "base/append.h"

static const struct {
    enum mrl_reopened what;
    const char *words;
} parts[] = {
    { MRL_REOPEN_MOVED, "reopened: " },
    { MRL_REOPEN_SAME, "not moved: " },
    { MRL_REOPEN_FAILED, "not reopened: " },
    { MRL_REOPEN_WAITS, "still writing, reopened after that: " },
};

bool mrl_reopening__waits(const struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        if (mrl_pipeline__reopened(pipeline, i) == MRL_REOPEN_WAITS)
            return true;
    return false;
}

/* All outputs of which the same is to be said. */
static void append_part(char text[MRL_REOPENING_BYTES],
                        size_t *used,
                        const struct mrl_pipeline *pipeline,
                        enum mrl_reopened what,
                        const char *words)
{
    bool is_first = true;

    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        if (mrl_pipeline__reopened(pipeline, i) != what)
            continue;
        mrl_append(text, MRL_REOPENING_BYTES, used, "%s%s%s", is_first && *used ? "; " : "",
                   is_first ? words : ", ", mrl_pipeline__output_name(pipeline, i));
        is_first = false;
    }
}

const char *mrl_reopening__line(const struct mrl_pipeline *pipeline, char text[MRL_REOPENING_BYTES])
{
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        append_part(text, &used, pipeline, parts[i].what, parts[i].words);
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(pipeline, i);

        if (sink && !mrl_pipeline__output_is_gone(pipeline, i) &&
            mrl_pipeline__reopened(pipeline, i) == MRL_REOPEN_NONE)
            mrl_append(text, MRL_REOPENING_BYTES, &used, "%s%s (%s) stays", used ? "; " : "",
                       mrl_pipeline__output_name(pipeline, i), sink->name);
    }
    if (!used)
        mrl_append(text, MRL_REOPENING_BYTES, &used, "nothing to reopen");
    return text;
}
