// SPDX-License-Identifier: Apache-2.0
/* The row of "splunk": Splunk's HTTP Event Collector. */
#include <errno.h>
#include <string.h>

#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
    MRL_HTTP_TEXT("index", index, "Where events go; else where the token says."),
    { .name = "no-acks",
      .type = MRL_OPTION_SWITCH,
      .offset = MRL_HTTP_AT(no_acks),
      .what = "value of no-acks",
      .preset = "false",
      .doc = "What was parsed counts as delivered: for tokens without acknowledgement." },
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const struct mrl_http_options *options = target->options;
    int err = mrl_http__check_lines(target, error);

    if (!err && (!options || !*options->files[MRL_FILE_TOKEN]))
        err = mrl_error__set(error, -EINVAL, "splunk wants token-file=");
    return err;
}

const struct mrl_sink_ops mrl_sink_splunk = {
    .name = "splunk",
    .doc = "Splunk's HTTP Event Collector; what it has indexed counts.",
    .usage = "splunk+http[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "splunk+", NULL },
    .check = check,
    MRL_HTTP_OPS,
};
