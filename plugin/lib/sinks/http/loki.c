// SPDX-License-Identifier: Apache-2.0
/* The row of "loki": Grafana Loki. */
#include <errno.h>
#include <string.h>

#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
    MRL_HTTP_TEXT("tenant", tenant, "Whose logs they are, as X-Scope-OrgID."),
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    int err = mrl_http__check(target, "http https", error);

    return err ? err : mrl_http__check_json(target, error);
}

const struct mrl_sink_ops mrl_sink_loki = {
    .name = "loki",
    .doc = "Grafana Loki, by its push API.",
    .usage = "loki+http[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "loki+", NULL },
    .check = check,
    MRL_HTTP_OPS,
};
