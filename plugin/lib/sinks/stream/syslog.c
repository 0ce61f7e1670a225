// SPDX-License-Identifier: Apache-2.0
/* The row of "syslog": RFC 5424 by UDP, TCP or TLS. */
#include "sinks/stream/options.h"

static const struct mrl_option rows[] = {
    MRL_FILE_TLS_ROWS,
    MRL_STREAM_TIMEOUT,
    MRL_STREAM_ORIGIN_ROWS,
    { .name = "enterprise",
      .type = MRL_OPTION_COUNT,
      .offset = MRL_STREAM_AT(enterprise),
      .preset = "32473",
      .max = UINT32_MAX,
      .doc = "The private enterprise number behind the name of the structured data." },
    { .name = "max-size",
      .type = MRL_OPTION_BYTES,
      .offset = MRL_STREAM_AT(max_bytes),
      .preset = "8000",
      .min = 480,
      .max = 1024 * 1024,
      .doc = "How long a message may be: receivers cut what is longer than they are set for." },
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    return mrl_stream__check(target, "udp tcp tls", error);
}

const struct mrl_sink_ops mrl_sink_syslog = {
    .name = "syslog",
    .doc = "A syslog server, by RFC 5424. It acknowledges nothing.",
    .usage = "syslog+udp|tcp|tls://HOST[:PORT]",
    .schemes = (const char *const[]){ "syslog+", NULL },
    .check = check,
    MRL_FILE_OPS,
    MRL_STREAM_OPS,
};
