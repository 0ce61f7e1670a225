// SPDX-License-Identifier: Apache-2.0
/* The row of "elasticsearch": what Elasticsearch and OpenSearch take by _bulk. */
#include <errno.h>
#include <string.h>

#include "sinks/http/options.h"

static const struct mrl_option rows[] = {
    MRL_HTTP_ROWS,
    MRL_HTTP_COMPRESS,
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    int err = mrl_http__check_lines(target, error);
    const char *index = strrchr(target->destination, '/');

    if (!err && (!index || index[-1] == '/' || !index[1]))
        err = mrl_error__set(
            error, -EINVAL,
            "'%.64s' names no index or data stream: it is elasticsearch+http://HOST/INDEX",
            target->destination);
    if (!err && (strpbrk(index, "?*,%&=") || strpbrk(index, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
        err = mrl_error__set(error, -EINVAL, "'%.64s' is no name of an index or data stream",
                             index + 1);
    return err;
}

/* A store that guesses types refuses what differs from its first guess: of Tracee's dialects most
 * events, and without this line nobody knew why. */
static int prepare(const struct mrl_sink_target *target,
                   void *options,
                   int *fds,
                   struct mrl_error *error,
                   void **ret_prepared)
{
    int err = mrl_files__prepare(target, options, fds, error, ret_prepared);

    if (!err && !*error->text && !strncmp(target->format, "json", strlen("json")))
        mrl_error__set(error, 0,
                       "%.32s needs the index template of packaging/opensearch: with dynamic "
                       "mapping many events are refused; ecs goes in as it is",
                       target->format);
    return err;
}

const struct mrl_sink_ops mrl_sink_elasticsearch = {
    .name = "elasticsearch",
    .doc = "Elasticsearch or OpenSearch, by _bulk: what it takes is there once, by its id.",
    .usage = "elasticsearch+http[s]://HOST[:PORT]/INDEX",
    .schemes = (const char *const[]){ "elasticsearch+", NULL },
    .check = check,
    .prepare = prepare,
    .renew = mrl_files__renew,
    .unprepare = mrl_files__unprepare,
    MRL_HTTP_OPS_BUT_FILES,
};
