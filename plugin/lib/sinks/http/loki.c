// SPDX-License-Identifier: Apache-2.0
/* The row of "loki": Grafana Loki. */
#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
    MRL_HTTP_TEXT("tenant", tenant, "Whose logs they are, as X-Scope-OrgID."),
};

const struct mrl_sink_ops mrl_sink_loki = {
    .name = "loki",
    .doc = "Grafana Loki, by its push API.",
    .usage = "loki+http[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "loki+", NULL },
    .check = mrl_http__check_lines,
    MRL_HTTP_OPS,
};
