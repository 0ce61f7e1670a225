// SPDX-License-Identifier: Apache-2.0
#include "command/run/bar.h"

#include <unistd.h>

#include "command/options/progress.h"

enum { REPLAY_PARTS = 10000 }; /* of mrl_plugin__progress() */

/* Of a sink without a path: standard output. */
static bool is_table_there(const struct mrl_outputs *outputs)
{
    for (unsigned int i = 0; i < outputs->count && isatty(STDOUT_FILENO); i++) {
        const struct mrl_sink_ops *sink = outputs->specs[i].options.sink;

        if (sink && sink->columns && !sink->is_path)
            return true;
    }
    return false;
}

static void begin(const struct mrl_session_options *options, uint64_t total)
{
    mrl_progress__allow(options->log_level < MRL_LOG_INFO || is_table_there(&options->outputs));
    mrl_progress__begin(total, "events");
}

void mrl_bar__begin_replay(const struct mrl_session_options *options)
{
    if (options->plugin.replay)
        begin(options, REPLAY_PARTS);
}

void mrl_bar__replayed(struct mrl_plugin *plugin, uint64_t delivered)
{
    mrl_progress__at(mrl_plugin__progress(plugin), delivered);
}

static uint64_t left_in_rings(struct mrl_plugin *plugin)
{
    struct mrl_event_counts counts;
    uint64_t left = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (!mrl_plugin__counts(plugin, i, &counts))
            left += counts.submitted - counts.decoded - counts.malformed - counts.filtered_late;
    return left;
}

void mrl_bar__begin_drain(const struct mrl_session_options *options, struct mrl_plugin *plugin)
{
    if (!options->plugin.replay)
        begin(options, left_in_rings(plugin));
}
