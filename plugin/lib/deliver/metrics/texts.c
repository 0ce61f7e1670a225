// SPDX-License-Identifier: Apache-2.0
/* The texts of labels: what runs, outputs, side programs, policies; each once. */
#include <errno.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>

#include "base/memstream.h"
#include "base/tame.h"
#include "deliver/metrics/rows.h"

enum { NAME_BYTES = 500 /* with "#16" still less than is shown of a label */ };

/* As it is shown: two that look the same there would be one row twice, and readers refuse that. */
static void copy_name(const struct mrl_pipeline *pipeline,
                      unsigned int output,
                      char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s", mrl_pipeline__output_name(pipeline, output));
    mrl_tame(name);
}

static bool is_called(const struct mrl_pipeline *pipeline, unsigned int output, const char *name)
{
    char own[NAME_BYTES];

    copy_name(pipeline, output, own);
    return !strcmp(own, name);
}

/* How many outputs before it have the same name. */
static unsigned int count_namesakes(const struct mrl_pipeline *pipeline,
                                    unsigned int output,
                                    const char *name)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < output; i++)
        count += !mrl_pipeline__output_is_gone(pipeline, i) && is_called(pipeline, i, name);
    return count;
}

static bool has_successor(const struct mrl_pipeline *pipeline,
                          unsigned int output,
                          const char *name)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        if (i != output && is_called(pipeline, i, name) &&
            (i > output || !mrl_pipeline__output_is_gone(pipeline, i)))
            return true;
    return false;
}

static void write_outputs(const struct mrl_pipeline *pipeline, FILE *to, struct mrl_sample *sample)
{
    char name[NAME_BYTES];

    for (unsigned int i = 0; i < sample->output_count; i++) {
        const bool is_gone = mrl_pipeline__output_is_gone(pipeline, i);
        unsigned int before;

        copy_name(pipeline, i, name);
        before = is_gone ? 0 : count_namesakes(pipeline, i, name);
        if (is_gone && has_successor(pipeline, i, name))
            sample->hidden |= 1U << i;
        fputs(name, to);
        if (before)
            fprintf(to, "#%u", before + 1);
        fputc('\0', to);
    }
}

/* Copies: an output may go, and the rows may be kept. */
int mrl_metrics__copy_texts(struct mrl_metrics *metrics,
                            const struct mrl_metrics_sources *sources,
                            struct mrl_sample *sample)
{
    const char *rung = sources->plugin ? mrl_plugin__rung(sources->plugin) : "";
    size_t size = 0;
    FILE *to = open_memstream(&metrics->own, &size);
    const char *at;

    if (!to)
        return -ENOMEM;
    fprintf(to, "%s%c%s%c%s%c", mrl_version(), 0, rung, 0, sample->plugin.coverage, 0);
    if (sources->pipeline)
        write_outputs(sources->pipeline, to, sample);
    for (unsigned int i = 0; i < sources->side_count; i++)
        fprintf(to, "%s%c", sources->sides[i].name, 0);
    for (unsigned int i = 0; i < sample->policy_count; i++)
        fprintf(to, "%s%c", sample->policies[i].name, 0);
    if (mrl_memstream__close(to, &metrics->own))
        return -ENOMEM;
    metrics->text_count = 0;
    for (at = metrics->own; at < metrics->own + size; at += strlen(at) + 1)
        metrics->texts[metrics->text_count++] = at;
    return 0;
}
