// SPDX-License-Identifier: Apache-2.0
/* The row of "victorialogs": VictoriaLogs. */
#include <errno.h>
#include <string.h>

#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    int err = mrl_http__check(target, "http https", error);

    return err ? err : mrl_http__check_json(target, error);
}

const struct mrl_sink_ops mrl_sink_victorialogs = {
    .name = "victorialogs",
    .doc = "VictoriaLogs, by lines of JSON.",
    .usage = "victorialogs+http[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "victorialogs+", NULL },
    .check = check,
    MRL_HTTP_OPS,
};
