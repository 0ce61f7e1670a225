// SPDX-License-Identifier: Apache-2.0
#include "command/session/policies.h"

#include <errno.h>
#include <string.h>

#include "command/options/say.h"
#include "command/options/settings.h"
#include "command/policy/tracee.h"

/* -- what stands beside them ------------------------------------------------------------------ */

/* Whether the row is the one called `name` of the plugin's options, which are the first of all. */
static bool is_called(const struct mrl_setting *setting, const char *name)
{
    unsigned int count;
    const struct mrl_option *rows = mrl_plugin_options__rows(&count);

    return setting->row < count && !strcmp(rows[setting->row].name, name);
}

static void forget_profile(struct mrl_session_options *options)
{
    const struct mrl_settings *settings = options->settings;

    for (unsigned int i = 0; settings && i < settings->count; i++)
        if (is_called(&settings->list[i], "events") && settings->list[i].layer != MRL_LAYER_PROFILE)
            return;
    if (settings && options->policy_count)
        options->plugin.more_event_count = 0;
}

static int judge(const struct mrl_session_options *options,
                 enum mrl_tracee_place place,
                 const char *const *texts,
                 unsigned int count,
                 struct mrl_error *error)
{
    const enum mrl_tracee version = (enum mrl_tracee)options->tracee;
    struct mrl_tracee_says says;

    for (unsigned int i = 0; i < count; i++) {
        mrl_tracee__judge(version, place, "", texts[i], &says);
        if (says.is_refused)
            return mrl_error__set(error, -EINVAL, "--%s: '%.64s': Tracee %s refuses this: %s",
                                  place == MRL_TRACEE_IN_SCOPE ? "scope" : "events", texts[i],
                                  mrl_tracee__name(version), says.text);
    }
    return 0;
}

/* In Tracee's words; with the place of what excludes policies, where that is in a file. */
static int refuse_beside(const struct mrl_session_options *options,
                         const char *name,
                         const char *words,
                         struct mrl_error *error)
{
    const struct mrl_settings *settings = options->settings;

    for (unsigned int i = 0; settings && i < settings->count; i++) {
        const struct mrl_setting *setting = &settings->list[i];

        if (is_called(setting, name) && setting->layer == MRL_LAYER_FILE &&
            mrl_settings__is_in_force(settings, setting))
            return mrl_error__set(error, -EINVAL, "%.200s:%zu:%zu: %s: %s", setting->file,
                                  setting->line, setting->column, name, words);
    }
    return mrl_error__set(error, -EINVAL, "%s", words);
}

int mrl_session_policies__check(struct mrl_session_options *options, struct mrl_error *error)
{
    const struct mrl_plugin_options *plugin = &options->plugin;
    int err = 0;

    forget_profile(options);
    if (options->policy_count && plugin->scope_count)
        return refuse_beside(options, "scope", "policy and scope flags cannot be used together",
                             error);
    if (options->policy_count && (plugin->events || plugin->more_event_count))
        return refuse_beside(options, "events", "policy and event flags cannot be used together",
                             error);
    if (options->tracee != MRL_TRACEE_ANY)
        err = judge(options, MRL_TRACEE_IN_SCOPE, plugin->scopes, plugin->scope_count, error);
    if (!err && options->tracee != MRL_TRACEE_ANY)
        err = judge(options, MRL_TRACEE_ON_LINE, plugin->more_events, plugin->more_event_count,
                    error);
    return err;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* The first fault is the error of who asked. */
static void say(void *level, enum mrl_policy_remark remark, const char *place, const char *text)
{
    if (remark == MRL_POLICY_WARNING && *(const int *)level >= MRL_LOG_WARNING)
        mrl_say_at(MRL_LOG_WARNING, "%s%s%s", place, *place ? ": " : "", text);
}

int mrl_session_policies__read(struct mrl_session_options *options,
                               int level,
                               struct mrl_error *error)
{
    struct mrl_policy_set *set = &options->policy_set;
    int err = mrl_session_policies__check(options, error);

    if (err || !options->policy_count)
        return err;
    *set = (struct mrl_policy_set){ .say = say,
                                    .context = &level,
                                    .tracee = (enum mrl_tracee)options->tracee,
                                    .is_again = options->settings && options->settings->is_again };
    options->policy_mounts = mrl_policy_mounts__look(options->policies, options->policy_count);
    err = mrl_policy_set__read(set, options->policies, options->policy_count, error);
    set->say = NULL;
    options->plugin.policies = err ? NULL : set->texts;
    options->plugin.policy_count = err ? 0 : set->count;
    return err;
}
