/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink that lives in a side program does where nobody starts side programs: nothing. */
#ifndef MRL_SINKS_ELSEWHERE_H
#define MRL_SINKS_ELSEWHERE_H

#include <mrelease/sink.h>

#define MRL_ELSEWHERE_OPS \
    .open = mrl_elsewhere__open, .write = mrl_elsewhere__write, .close = mrl_elsewhere__close

/** As the members of struct mrl_sink_ops. */
int mrl_elsewhere__open(const struct mrl_sink_target *target,
                        struct mrl_error *error,
                        struct mrl_sink **ret_sink);
int mrl_elsewhere__write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events);
int mrl_elsewhere__reopen(struct mrl_sink *sink, struct mrl_error *error);
int mrl_elsewhere__close(struct mrl_sink *sink);

#endif
