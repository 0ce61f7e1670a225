// SPDX-License-Identifier: Apache-2.0
/* The row of "victorialogs": VictoriaLogs. */
#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
};

const struct mrl_sink_ops mrl_sink_victorialogs = {
    .name = "victorialogs",
    .doc = "VictoriaLogs, by lines of JSON.",
    .usage = "victorialogs+http[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "victorialogs+", NULL },
    .check = mrl_http__check_lines,
    MRL_HTTP_OPS,
};
