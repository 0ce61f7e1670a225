// SPDX-License-Identifier: Apache-2.0
/* The row of "otlp": OpenTelemetry's logs, by HTTP or gRPC. */
#include <errno.h>
#include <string.h>

#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const char *url = target->destination;
    int err = mrl_http__check(target, "http https grpc grpcs", error);
    const char *path = err ? NULL : strchr(strstr(url, "://") + 3, '/');

    if (!err && !strncmp(url, "grpc", 4) && path && path[1])
        err = mrl_error__set(error, -EINVAL, "'%.64s': gRPC has its own path", url);
    return err;
}

const struct mrl_sink_ops mrl_sink_otlp = {
    .name = "otlp",
    .doc = "An OpenTelemetry collector, or what speaks as one.",
    .usage = "otlp+http[s]://HOST[:PORT][/PATH] or otlp+grpc[s]://HOST[:PORT]",
    .formats = (const char *const[]){ "otlp", NULL },
    .schemes = (const char *const[]){ "otlp+", NULL },
    .preset = "http://localhost:4318", /* where collectors listen */
    .check = check,
    MRL_HTTP_OPS,
};
