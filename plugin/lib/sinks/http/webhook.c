// SPDX-License-Identifier: Apache-2.0
/* The row of "webhook": any server that takes POST. */
#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    { .name = "body",
      .type = MRL_OPTION_CHOICE,
      .offset = MRL_HTTP_AT(is_array),
      .words = (const char *const[]){ "lines", "array", NULL },
      .what = "value of body",
      .preset = "lines",
      .doc = "What a request holds: a line for each event, or one array." },
    { .name = "compress",
      .type = MRL_OPTION_CHOICE,
      .offset = MRL_HTTP_AT(is_compressed),
      .words = (const char *const[]){ "none", "gzip", NULL },
      .what = "value of compress",
      .preset = "none",
      .doc = "How requests are compressed." },
    MRL_FILE_ROW("signing-key-file",
                 MRL_FILE_SIGNING_KEY,
                 "Holds keys that requests are signed with, as Standard Webhooks has it."),
};

const struct mrl_sink_ops mrl_sink_webhook = {
    .name = "webhook",
    .doc = "Any server that takes POST, signed if it shall be.",
    .usage = "webhook+http[s]://HOST[:PORT]/PATH",
    .schemes = (const char *const[]){ "webhook+", NULL },
    .check = mrl_http__check_lines,
    MRL_HTTP_OPS,
};
