/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations that are a stream of messages: what their rows have in common. What is sent is in a
 * side program (plugin/side/stream).
 */
#ifndef MRL_SINKS_STREAM_OPTIONS_H
#define MRL_SINKS_STREAM_OPTIONS_H

#include "sinks/elsewhere.h"
#include "sinks/files.h"

enum {
    MRL_STREAM_TIMEOUT_S = 60,
    MRL_STREAM_CONNECT_S = 10,
    MRL_SYSLOG_MAX_BYTES = 8000,   /* rsyslog cuts what is longer, unless told otherwise */
    MRL_APP_BYTES = 49,            /* RFC 5424 has 48 */
    MRL_SYSLOG_ENTERPRISE = 32473, /* RFC 5612: of examples */
};

/** The options of all rows; each takes a part of them. Zeroed means as if nothing was said. */
struct mrl_stream_options {
    char files[MRL_FILES][MRL_FILE_PATH_MAX];
    uint64_t timeout_ns;     /**< 0: MRL_STREAM_TIMEOUT_S */
    uint64_t max_bytes;      /**< syslog: of a message; 0: MRL_SYSLOG_MAX_BYTES */
    uint64_t enterprise;     /**< syslog: a private enterprise number; 0: MRL_SYSLOG_ENTERPRISE */
    int facility;            /**< syslog, journald: an index of mrl_stream_facilities */
    char user[64];           /**< fluent */
    char tag[64];            /**< fluent; "": mrelease */
    int is_plain;            /**< fluent: what is sent is not compressed */
    char app[MRL_APP_BYTES]; /**< syslog, journald: who says it; "": mrelease */
};

#define MRL_STREAM_AT(member) offsetof(struct mrl_stream_options, member)

#define MRL_STREAM_TIMEOUT                                                                   \
    {                                                                                        \
        .name = "timeout", .type = MRL_OPTION_DURATION, .offset = MRL_STREAM_AT(timeout_ns), \
        .preset = "60s", .min = 1000000000, .max = 600 * 1000000000ULL,                      \
        .doc = "How long the other end may take what it is sent; then it is sent again."     \
    }

/** What syslog and the journal both want to know. */
#define MRL_STREAM_ORIGIN_ROWS                                                             \
    { .name = "facility",                                                                  \
      .type = MRL_OPTION_CHOICE,                                                           \
      .offset = MRL_STREAM_AT(facility),                                                   \
      .words = mrl_stream_facilities,                                                      \
      .what = "facility",                                                                  \
      .value = "WORD",                                                                     \
      .preset = "audit",                                                                   \
      .doc = "Which facility an event is of: audit, auth, authpriv, daemon, user or "      \
             "local0 to local7." },                                                        \
    {                                                                                      \
        .name = "app", .type = MRL_OPTION_COPY, .offset = MRL_STREAM_AT(app),              \
        .size = MRL_APP_BYTES, .preset = "mrelease", .doc = "The name of the application." \
    }

/** What every row says alike. */
#define MRL_STREAM_OPS                                                  \
    .side = "stream", .takes_items = true, .keeps = true,               \
    .option_bytes = sizeof(struct mrl_stream_options), .options = rows, \
    .option_count = sizeof(rows) / sizeof(rows[0]), MRL_ELSEWHERE_OPS

/** Names of facilities, ended by NULL, and their numbers. */
extern const char *const mrl_stream_facilities[];
unsigned int mrl_stream_facility__number(int index);

/** Whether `url` is one of the schemes ("udp tcp"), a HOST or HOST:PORT, and no more. Error:
 * -EINVAL, with a line. */
int mrl_stream__check(const struct mrl_sink_target *target,
                      const char *schemes,
                      struct mrl_error *error);

/** Whether app= is a name. Error: -EINVAL, with a line. */
int mrl_stream__check_app(const struct mrl_sink_target *target, struct mrl_error *error);

extern const struct mrl_sink_ops mrl_sink_fluent, mrl_sink_journald, mrl_sink_syslog;

#endif
