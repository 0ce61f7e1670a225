/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the destinations of this program have in common. Each is one file, whose struct mrl_sink is
 * its own, and which ends in one struct mrl_stream_destination; sink.c lists them.
 */
#ifndef MRL_SIDE_STREAM_SINK_H
#define MRL_SIDE_STREAM_SINK_H

#include <mrelease/sink.h>

#include "side/ship/files.h"
#include "side/ship/serve.h"
#include "side/stream/link.h"
#include "sinks/stream/options.h"

/** Static. Members as those of struct mrl_sink_ops and struct mrl_ship_program; `reopen` and
 * `look` may be NULL. */
struct mrl_stream_destination {
    const struct mrl_sink_ops *row;
    int (*open)(const struct mrl_sink_target *target,
                struct mrl_error *error,
                struct mrl_sink **ret_sink);
    void (*deliver)(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *ret_delivery);
    int (*look)(struct mrl_sink *sink, const int *stop, struct mrl_error *error);
    int (*close)(struct mrl_sink *sink);
    int (*reopen)(struct mrl_sink *sink, const int *fds, struct mrl_error *error);
};

extern const struct mrl_stream_destination mrl_stream_fluent, mrl_stream_journald,
    mrl_stream_syslog;

/** What the program serves. */
extern const struct mrl_ship_program mrl_stream_program;

/** The size of an item without the newline at its end. */
size_t mrl_stream__size(const struct mrl_item *item);

/** A link to the destination of `target`, not connected, and the files of the target, which are
 * closed. `ret_link` and `files` are as they were after an error: -EINVAL, -ENOMEM, with a line. */
int mrl_stream__open_link(const struct mrl_sink_target *target,
                          const char *port,
                          struct mrl_files *files,
                          struct mrl_error *error,
                          struct mrl_link **ret_link);

/** Connects, and closes again. -errno, with a line. */
int mrl_stream__look(struct mrl_link *link, const int *stop, struct mrl_error *error);

/** Files as they are by now, in place of what `files` holds, for the link too, which is closed.
 * `fd` stays the caller's. Errors, with a line: -EINVAL, -ENOMEM; then those of before stay in use.
 */
int mrl_stream__take_files(struct mrl_link *link,
                           int fd,
                           struct mrl_files *files,
                           struct mrl_error *error);

#endif
