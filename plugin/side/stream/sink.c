// SPDX-License-Identifier: Apache-2.0
#include "side/stream/sink.h"

#include <string.h>
#include <unistd.h>

static const struct mrl_stream_destination *const destinations[] = { &mrl_stream_fluent,
                                                                     &mrl_stream_journald,
                                                                     &mrl_stream_syslog };

static const struct mrl_stream_destination *served; /* one output, one program */

static const struct mrl_sink_ops *row(const char *name)
{
    static struct mrl_sink_ops ops;

    for (size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
        if (strcmp(destinations[i]->row->name, name) != 0)
            continue;
        served = destinations[i];
        ops = *served->row;
        ops.open = served->open;
        ops.deliver = served->deliver;
        ops.look = served->look;
        ops.close = served->close;
        return &ops;
    }
    return NULL;
}

static int reopen(struct mrl_sink *sink, const int *fds, struct mrl_error *error)
{
    return served->reopen ? served->reopen(sink, fds, error) : 0;
}

const struct mrl_ship_program mrl_stream_program = { row, reopen };

size_t mrl_stream__size(const struct mrl_item *item)
{
    return item->size && item->bytes[item->size - 1] == '\n' ? item->size - 1 : item->size;
}

/* What follows a connection, as a handshake of the protocol, is deliver()'s. */
int mrl_stream__look(struct mrl_link *link, const int *stop, struct mrl_error *error)
{
    int err;

    mrl_link__begin(link, stop);
    err = mrl_link__open(link);
    if (err < 0)
        return mrl_error__set(error, err, "%s", mrl_link__why(link));
    mrl_link__close(link);
    return 0;
}

int mrl_stream__take_files(struct mrl_link *link,
                           int fd,
                           struct mrl_files *files,
                           struct mrl_error *error)
{
    struct mrl_files found;
    int err = mrl_files__read(fd, &found);

    if (err)
        return mrl_error__set(error, err, "files: %s", strerror(-err));
    err = mrl_link__take_files(link, &found, error);
    mrl_files__done(err ? &found : files);
    if (!err)
        *files = found;
    return err;
}

int mrl_stream__open_link(const struct mrl_sink_target *target,
                          const char *port,
                          struct mrl_files *files,
                          struct mrl_error *error,
                          struct mrl_link **ret_link)
{
    const struct mrl_stream_options *options = target->options;
    int fd = target->fds ? target->fds[0] : -1;
    struct mrl_link *link = NULL;
    int err = target->ops->check(target, error);

    if (!err)
        err = mrl_link__new(target->destination, port, options->timeout_ns, error, &link);
    if (!err)
        err = mrl_stream__take_files(link, fd, files, error);
    if (fd >= 0)
        close(fd);
    if (err)
        mrl_link__free(link);
    else
        *ret_link = link;
    return err;
}
