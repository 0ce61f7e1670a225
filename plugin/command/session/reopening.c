// SPDX-License-Identifier: Apache-2.0
#include "command/session/reopening.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    enum mrl_reopened what;
    const char *words;
} parts[] = {
    { MRL_REOPEN_MOVED, "reopened: " },
    { MRL_REOPEN_SAME, "not moved: " },
    { MRL_REOPEN_FAILED, "not reopened: " },
    { MRL_REOPEN_WAITS, "still writing, reopened after that: " },
};

struct line {
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(line->text + line->used, MRL_REOPENING_BYTES - line->used, format, arguments);
    va_end(arguments);
    line->used += size > 0 ? (size_t)size : 0;
    if (line->used >= MRL_REOPENING_BYTES)
        line->used = MRL_REOPENING_BYTES - 1;
}

bool mrl_reopening__waits(const struct mrl_pipeline *pipeline)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        if (mrl_pipeline__reopened(pipeline, i) == MRL_REOPEN_WAITS)
            return true;
    return false;
}

/* All outputs of which the same is to be said. */
static void append_part(struct line *line,
                        const struct mrl_pipeline *pipeline,
                        enum mrl_reopened what,
                        const char *words)
{
    bool is_first = true;

    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        if (mrl_pipeline__reopened(pipeline, i) != what)
            continue;
        if (is_first && line->used)
            append(line, "; ");
        append(line, "%s%s", is_first ? words : ", ", mrl_pipeline__output_name(pipeline, i));
        is_first = false;
    }
}

const char *mrl_reopening__line(const struct mrl_pipeline *pipeline, char text[MRL_REOPENING_BYTES])
{
    struct line line = { text, 0 };

    *text = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        append_part(&line, pipeline, parts[i].what, parts[i].words);
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(pipeline, i);

        if (sink && !mrl_pipeline__output_is_gone(pipeline, i) &&
            mrl_pipeline__reopened(pipeline, i) == MRL_REOPEN_NONE)
            append(&line, "%s%s (%s) stays", line.used ? "; " : "",
                   mrl_pipeline__output_name(pipeline, i), sink->name);
    }
    if (!line.used)
        append(&line, "nothing to reopen");
    return text;
}
