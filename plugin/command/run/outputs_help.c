// SPDX-License-Identifier: Apache-2.0
/* What help says of --output, as the sinks say it of themselves. */
#include <stdio.h>

#include "command/options/usage.h"
#include "command/run/outputs.h"

static void print_rows(const struct mrl_option *rows, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        mrl_usage__print_setting(&rows[i]);
}

const char *mrl_outputs__usage(const struct mrl_sink_ops *sink, char text[MRL_SINK_USAGE_BYTES])
{
    snprintf(text, MRL_SINK_USAGE_BYTES, "%s%s%s", sink->formats ? sink->formats[0] : "",
             sink->formats ? ":" : "", sink->usage ? sink->usage : sink->name);
    return text;
}

static void print_sink(const struct mrl_sink_ops *sink)
{
    char text[MRL_SINK_USAGE_BYTES];

    mrl_usage__print_text(mrl_outputs__usage(sink, text), sink->doc);
    print_rows(sink->options, sink->option_count);
}

void mrl_outputs__print_help(void)
{
    unsigned int count;
    const struct mrl_sink_ops *const *sinks = mrl_sink__all(&count);
    const struct mrl_option *rows;

    printf("\nDestinations of --output, and the settings of each:\n");
    for (unsigned int i = 0; i < count; i++)
        if (!sinks[i]->option)
            print_sink(sinks[i]);
    for (unsigned int i = 0; i < count; i++)
        if (sinks[i]->option) {
            printf("\nSettings of --%s, as NAME=VALUE:%s, beside those of every output:\n",
                   sinks[i]->option, sinks[i]->usage);
            print_rows(sinks[i]->options, sinks[i]->option_count);
        }
    rows = mrl_output_spec__rows(&count);
    printf("\nSettings of every output, as FORMAT,NAME=VALUE:DESTINATION:\n");
    print_rows(rows, count);
}
