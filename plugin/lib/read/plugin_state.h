/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a plugin share: plugin.c, which reads, and configuring.c, which changes it. */
#ifndef MRL_READ_PLUGIN_STATE_H
#define MRL_READ_PLUGIN_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "event/batch.h"
#include "filter/filter.h"
#include "read/source.h"
#include "read/states.h"

struct mrl_plugin {
    const struct mrl_source_ops *ops;
    struct mrl_source *source;
    struct mrl_pool *pool;
    struct mrl_filter *filter; /* of open() */
    bool wants_states;         /* whatever the filter names */
    bool switchable;
    char coverage[16];
    uint64_t started_ns; /* since the epoch */
    atomic_uint unseen;  /* mrl_plugin_status.unseen */
    struct mrl_start start;
    bool may_read_exe;    /* the probes can read the path of the executable */
    uint32_t may_watch;   /* the events whose programs are loaded */
    pthread_mutex_t lock; /* of the next three, when they change */
    uint32_t watched;
    atomic_uint chosen;            /* watched now, or once */
    struct mrl_policies *policies; /* of now; NULL: one, without a name */
    struct mrl_states states;
    atomic_bool stopped;
    struct mrl_error error;
};

/** Whether batches hold sensor_state, under this filter. */
static inline bool mrl_plugin__wants_states(const struct mrl_plugin *plugin,
                                            const struct mrl_filter *filter)
{
    return plugin->wants_states || filter->events & MRL_STATES;
}

#endif
