// SPDX-License-Identifier: Apache-2.0
#include "sinks/elsewhere.h"

#include <errno.h>

int mrl_elsewhere__open(const struct mrl_sink_target *target,
                        struct mrl_error *error,
                        struct mrl_sink **ret_sink)
{
    (void)ret_sink;
    return mrl_error__set(error, -ENOSYS,
                          "%.256s: a side program is for that, and nobody starts any",
                          target->destination);
}

int mrl_elsewhere__write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    (void)chunk;
    *ret_events = 0;
    return -EPIPE;
}

int mrl_elsewhere__reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)sink;
    return mrl_error__set(error, -ENOSYS, "a side program is for that");
}

int mrl_elsewhere__close(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}
