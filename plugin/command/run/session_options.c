// SPDX-License-Identifier: Apache-2.0
/* What --output, --record and the other options of a session may say. */
#include <errno.h>
#include <string.h>

#include "command/run/record.h"
#include "command/run/session.h"

static int set_output(void *target, const char *value, struct mrl_error *error)
{
    return mrl_outputs__add(&((struct mrl_session_options *)target)->outputs, value, error);
}

static int set_extra(void *target, const char *value, struct mrl_error *error)
{
    return mrl_extras__parse(value, &((struct mrl_session_options *)target)->extras, error);
}

static int set_count(void *target, const char *value, struct mrl_error *error)
{
    return mrl_parse_count(value, &((struct mrl_session_options *)target)->count, error);
}

static int set_duration(void *target, const char *value, struct mrl_error *error)
{
    struct mrl_session_options *options = target;
    int err = mrl_parse_duration(value, &options->duration_ns, error);

    if (!err && !options->duration_ns)
        err = mrl_error__set(error, -EINVAL, "'%.64s' is no time at all", value);
    return err;
}

static int set_record(void *target, const char *value, struct mrl_error *error)
{
    return mrl_record__add(&((struct mrl_session_options *)target)->outputs, value, error);
}

static const char *const log_levels[] = { "error", "warning", "info", "debug" };

static int set_log(void *target, const char *value, struct mrl_error *error)
{
    const int count = sizeof(log_levels) / sizeof(log_levels[0]);

    for (int level = 0; level < count; level++) {
        if (!strcmp(log_levels[level], value)) {
            ((struct mrl_session_options *)target)->log_level = level;
            return 0;
        }
    }
    return mrl_error__unknown(error, "log level", value, log_levels, (unsigned int)count);
}

static const struct mrl_option rows[] = {
    { "output", 'o', "FORMAT[:DEST]", "json",
      "A format, and where to: stdout or a path. May be repeated. Settings follow the format: "
      "policy=block, drop-oldest or drop-newest; queue=SIZE, as json,policy=block:PATH. grpc:unix:PATH and "
      "grpc:tcp:HOST:PORT serve Tracee's gRPC API.",
      set_output },
    { "extra", '\0', "EXTRAS", NULL,
      "Further arguments in JSON, after Tracee's own; 'mrelease events' lists their fields. exe fills "
      "executable.path.",
      set_extra },
    { "record", '\0', "FILE", NULL,
      "Also write the records to this new file, for 'mrelease replay'; beside --output. Settings "
      "precede it, as policy=block,queue=64M:FILE.",
      set_record },
    { "count", 'n', "N", NULL, "End after N events.", set_count },
    { "duration", 'd', "TIME", NULL, "End after this time, like 500ms, 10s or 5m.", set_duration },
    { "log-level", '\0', "error|warning|info|debug", "info", "How much to say on standard error.",
      set_log },
};

const char *mrl_log_level__name(enum mrl_log_level level)
{
    return log_levels[level];
}

const struct mrl_option *mrl_session_options__rows(unsigned int *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
