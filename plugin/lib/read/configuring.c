// SPDX-License-Identifier: Apache-2.0
/* A plugin is told other events, filters and policies while it runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "read/detail.h"
#include "read/plugin_options.h"
#include "read/plugin_state.h"

/* With the lock. A filter that is NULL stays as it is; one that is not is stolen. */
static int configure(struct mrl_plugin *plugin,
                     uint32_t events,
                     struct mrl_filter *filter,
                     struct mrl_error *error)
{
    int err = filter || events != plugin->watched
                  ? plugin->ops->configure(plugin->source, events, filter, error)
                  : 0;

    if (err)
        return err;
    __atomic_store_n(&plugin->watched, events, __ATOMIC_RELAXED);
    /* An event that is switched off keeps its counts, and so stays among those that are shown. */
    plugin->chosen |= events;
    return 0;
}

/* What `reloaded` says. */
static void tell_reloaded(struct mrl_plugin *plugin,
                          uint32_t events,
                          const struct mrl_plugin_options *given)
{
    char detail[MRL_TOLD_BYTES] = "";
    FILE *to = fmemopen(detail, sizeof(detail), "w");

    if (!to)
        return;
    mrl_detail__put_events(to, events);
    mrl_detail__put_filters(to, given);
    fclose(to);
    mrl_plugin__tell(plugin, MRL_WHAT_RELOADED, detail, MRL_NOBODY, MRL_NOBODY, 0, 0);
}

static int check_loaded(const struct mrl_plugin *plugin, uint32_t events, struct mrl_error *error)
{
    uint32_t missing = events & ~plugin->may_watch;

    return missing ? mrl_error__set(error, -EOPNOTSUPP, "%s was not loaded at the start",
                                    mrl_event_def__at((unsigned int)__builtin_ctz(missing))->name)
                   : 0;
}

/* With the lock. Policies that stay count on. */
static int configure_anew(struct mrl_plugin *plugin,
                          uint32_t events,
                          struct mrl_filter *filter,
                          struct mrl_error *error)
{
    /* Held before the filter is the reader's, which may drop it at any time. */
    struct mrl_policies *policies = mrl_policies__ref(filter->names);
    int err;

    mrl_policies__continue(policies, plugin->policies);
    err = configure(plugin, events, filter, error);
    mrl_policies__unref(err ? policies : plugin->policies);
    if (!err)
        plugin->policies = policies;
    return err;
}

static int reconfigure(struct mrl_plugin *plugin,
                       const struct mrl_plugin_options *given,
                       struct mrl_filter *filter,
                       struct mrl_error *error)
{
    uint32_t events = filter->events & mrl_event_list__choosable();
    bool states = mrl_plugin__wants_states(plugin, filter);
    int err = check_loaded(plugin, events, error);

    if (err)
        return err;
    pthread_mutex_lock(&plugin->lock);
    err = configure_anew(plugin, events, filter, error);
    if (!err)
        mrl_states__want(&plugin->states, states);
    pthread_mutex_unlock(&plugin->lock);
    if (!err)
        tell_reloaded(plugin, events, given);
    return err;
}

int mrl_plugin__reconfigure(struct mrl_plugin *plugin,
                            const struct mrl_plugin_options *options,
                            struct mrl_error *error)
{
    struct mrl_plugin_options given = MRL_PLUGIN_OPTIONS;
    struct mrl_filter *filter;
    int err;

    if (!plugin->ops->configure)
        return mrl_error__set(error, -EOPNOTSUPP, "a replay keeps the filters that it began with");
    memcpy(&given, options, options->size < sizeof(given) ? options->size : sizeof(given));
    err = mrl_plugin_options__filter(&given, &plugin->start, &filter, error);
    if (err)
        return err;
    if (filter->wants_executable && !plugin->may_read_exe) {
        mrl_filter__free(filter);
        return mrl_error__set(error, -EOPNOTSUPP,
                              "executable: the probes do not read it since the start: it needs a "
                              "restart");
    }
    err = reconfigure(plugin, &given, filter, error);
    if (err)
        mrl_filter__free(filter);
    return err;
}

static int switch_event(struct mrl_plugin *plugin,
                        unsigned int event,
                        bool on,
                        struct mrl_error *error)
{
    uint32_t bit;
    int err;

    if (event >= mrl_event_def__count())
        return mrl_error__set(error, -EINVAL, "there is no event %u", event);
    bit = 1U << event;
    if (!(mrl_event_list__choosable() & bit))
        return mrl_error__set(error, -EOPNOTSUPP,
                              "nobody switches %s: it tells of the others or of the sensor",
                              mrl_event_def__at(event)->name);
    if (!plugin->switchable || !plugin->ops->configure)
        return mrl_error__set(error, -EOPNOTSUPP, "its events were chosen at the start");
    pthread_mutex_lock(&plugin->lock);
    err = configure(plugin, on ? plugin->watched | bit : plugin->watched & ~bit, NULL, error);
    pthread_mutex_unlock(&plugin->lock);
    return err;
}

int mrl_plugin__enable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error)
{
    return switch_event(plugin, event, true, error);
}

int mrl_plugin__disable(struct mrl_plugin *plugin, unsigned int event, struct mrl_error *error)
{
    return switch_event(plugin, event, false, error);
}
