// SPDX-License-Identifier: Apache-2.0
/*
 * From a configuration that was read anew to the change that leads to it. First all is read,
 * compared and opened; then the filters are exchanged, which may still be refused; only then does
 * anything else change, and of that nothing can fail but for want of a thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/append.h"
#include "command/options/layers.h"
#include "command/options/say.h"
#include "command/run/harden.h"
#include "command/run/record.h"
#include "command/session/policies.h"
#include "command/session/reload.h"

struct names {
    char text[MRL_RELOAD_TEXT];
    size_t used;
};

struct plan {
    struct mrl_reload *reload;
    struct mrl_configuration *next;
    struct names added, removed, restart;
    bool has_filters, has_outputs, has_level; /* that are others than before */
    bool stays[MRL_OUTPUTS_MAX];              /* of the next outputs */
};

#define APPEND(names, ...) \
    mrl_append((names)->text, sizeof((names)->text), &(names)->used, __VA_ARGS__)

static void add_name(struct names *names, const char *name)
{
    APPEND(names, "%s%.256s", names->used ? ", " : "", name);
}

static int refuse(struct plan *plan, int err, const char *text)
{
    snprintf(plan->reload->text, sizeof(plan->reload->text), "%s", text);
    return err;
}

/* -- reading and comparing -------------------------------------------------------------------- */

static const struct mrl_session_options *options_now(const struct mrl_reload *reload)
{
    return reload->now ? &reload->now->options : reload->options;
}

static int read_next(struct plan *plan, struct mrl_error *error)
{
    struct mrl_option_group groups[2];
    struct mrl_configuration *next = calloc(1, sizeof(*next));
    int err;

    plan->next = next;
    if (!next)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    next->settings.is_again = true;
    next->options.plugin = (struct mrl_plugin_options)MRL_PLUGIN_OPTIONS;
    next->options.settings = &next->settings;
    next->options.outputs.host = plan->reload->options->outputs.host;
    mrl_session_options__groups(&next->options, groups);
    err =
        mrl_layers__read_again(plan->reload->options->settings, groups, 2, &next->settings, error);
    if (!err)
        err = mrl_session_policies__read(&next->options, plan->reload->options->log_level, error);
    return err ? err : mrl_record__add_default(&next->options.outputs, error);
}

static void note_restart(void *context, const struct mrl_option *row)
{
    struct plan *plan = context;

    if (!row->reloads)
        add_name(&plan->restart, row->name);
}

/* By the row's name, and not by what it holds: a setting that was left out and one that says the
 * same are equal. */
static void note_change(void *context, const struct mrl_option *row)
{
    struct plan *plan = context;

    if (!row->reloads)
        return;
    if (!strcmp(row->name, "output"))
        plan->has_outputs = true;
    else if (!strcmp(row->name, "log-level") || !strcmp(row->name, "quiet"))
        plan->has_level = true;
    else
        plan->has_filters = true;
}

/* What needs a restart is so until there was one, and the rest since it was read last. */
static void compare(struct plan *plan)
{
    const struct mrl_reload *reload = plan->reload;
    const struct mrl_settings *first = reload->options->settings;
    struct mrl_option_group groups[2];

    mrl_session_options__groups(&plan->next->options, groups);
    mrl_layers__compare(first, &plan->next->settings, groups, 2, note_restart, plan);
    if (mrl_session_options__name_states(reload->options) !=
        mrl_session_options__name_states(&plan->next->options))
        add_name(&plan->restart, "sensor_state in events");
    mrl_layers__compare(reload->now ? &reload->now->settings : first, &plan->next->settings, groups,
                        2, note_change, plan);
    /* The same files may hold something else now. */
    if (!mrl_policy_set__equal(&options_now(reload)->policy_set, &plan->next->options.policy_set))
        plan->has_filters = true;
}

/* -- outputs ---------------------------------------------------------------------------------- */

static bool is_recording(const struct mrl_sink_ops *sink)
{
    return sink && sink->option;
}

/* An output is the same when its row is, letter by letter. */
static bool keep_output(struct plan *plan, const char *name)
{
    struct mrl_outputs *outputs = &plan->next->options.outputs;

    for (unsigned int i = 0; i < outputs->count; i++)
        if (!plan->stays[i] && !strcmp(outputs->specs[i].options.name, name)) {
            plan->stays[i] = true;
            return true;
        }
    return false;
}

/* Its policy, where none was asked for, depends on whether it is alone. */
static void keep_policy(struct plan *plan, unsigned int index, const char *name)
{
    struct mrl_outputs *outputs = &plan->next->options.outputs;

    for (unsigned int i = 0; i < outputs->count; i++)
        if (!outputs->specs[i].has_policy && !strcmp(outputs->specs[i].options.name, name))
            mrl_change__set_policy(
                plan->reload->change, index,
                mrl_outputs__complete(outputs, i, plan->reload->options->extras)->policy);
}

static void find_leaving(struct plan *plan)
{
    const struct mrl_pipeline *pipeline = plan->reload->pipeline;

    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const char *name = mrl_pipeline__output_name(pipeline, i);

        if (mrl_pipeline__output_is_gone(pipeline, i))
            continue;
        if (keep_output(plan, name)) {
            keep_policy(plan, i, name);
        } else if (!is_recording(mrl_pipeline__output_sink(pipeline, i))) {
            mrl_change__remove(plan->reload->change, i);
            add_name(&plan->removed, name);
        }
    }
}

/* What the probes look for was decided at the load. */
static int check_loaded(const struct plan *plan,
                        const struct mrl_output_spec *spec,
                        struct mrl_error *error)
{
    const struct mrl_session_options *first = plan->reload->options;
    const struct mrl_outputs one = { .specs = { *spec }, .count = 1 };

    if ((!mrl_outputs__show_executable(&one, first->extras) || first->plugin.caller_exe) &&
        !(mrl_outputs__extras(&one, first->extras) & ~first->plugin.extras))
        return 0;
    return mrl_error__set(error, -EOPNOTSUPP,
                          "%.256s: its format shows what the probes do not look for since the "
                          "start: it needs a restart",
                          spec->options.name);
}

static int add_output(struct plan *plan, unsigned int index, struct mrl_error *error)
{
    const struct mrl_reload *reload = plan->reload;
    struct mrl_outputs *outputs = &plan->next->options.outputs;
    struct mrl_output_options *options = &outputs->specs[index].options;
    struct mrl_error reason = { "" };
    int err = check_loaded(plan, &outputs->specs[index], error);

    if (err)
        return err;
    err = mrl_run_sides__join(reload->sides, options, &reason);
    if (!err)
        err = mrl_change__add(reload->change,
                              mrl_outputs__complete(outputs, index, reload->options->extras),
                              &reason);
    if (err)
        return mrl_error__set(error, err, "%.400s%s", reason.text,
                              mrl_harden__hint(reload->options, &outputs->specs[index], err));
    add_name(&plan->added, options->name);
    return 0;
}

static int add_outputs(struct plan *plan, struct mrl_error *error)
{
    struct mrl_outputs *outputs = &plan->next->options.outputs;
    int err = 0;

    mrl_outputs__take_states(outputs, plan->reload->options->extras,
                             mrl_session_options__name_states(plan->reload->options));
    for (unsigned int i = 0; !err && i < outputs->count; i++)
        if (!plan->stays[i] && !is_recording(outputs->specs[i].options.sink))
            err = add_output(plan, i, error);
    return err ? err : mrl_run_sides__await(plan->reload->sides, error);
}

static int plan_outputs(struct plan *plan, struct mrl_error *error)
{
    int err = mrl_change__new(plan->reload->pipeline, &plan->reload->change);

    if (err)
        return mrl_error__set(error, err, "out of memory");
    find_leaving(plan);
    return add_outputs(plan, error);
}

/* -- doing it --------------------------------------------------------------------------------- */

static int set_filters(struct mrl_reload *reload,
                       const struct mrl_session_options *options,
                       struct mrl_error *error)
{
    return mrl_plugin__reconfigure(reload->plugin, &options->plugin, error);
}

static int start(struct plan *plan, struct mrl_error *error)
{
    struct mrl_error ignored;
    int err = 0;

    if (plan->has_filters)
        err = set_filters(plan->reload, &plan->next->options, error);
    if (err || !plan->reload->change)
        return err;
    err = mrl_change__start(plan->reload->change, error);
    if (err && plan->has_filters)
        set_filters(plan->reload, options_now(plan->reload), &ignored);
    return err;
}

static void describe(const struct plan *plan, const char *const between[4], struct names *text)
{
    const struct mrl_reload *reload = plan->reload;

    if (plan->added.used)
        APPEND(text, "%s%s%s", text->used ? "; " : "", between[0], plan->added.text);
    if (plan->removed.used)
        APPEND(text, "%s%s%s", text->used ? "; " : "", between[1], plan->removed.text);
    if (reload->level >= 0)
        APPEND(text, "%s%s%s", text->used ? "; " : "", between[2],
               mrl_log_level__name((enum mrl_log_level)reload->level));
    if (plan->restart.used)
        APPEND(text, "%s%s%s", text->used ? "; " : "", between[3], plan->restart.text);
}

/* For the log, and for the stream, where the plugin tells of the filters itself. */
static void note_outcome(struct plan *plan)
{
    static const char *const words[] = { "added ", "removed ", "the log level is ",
                                         "needs a restart: " };
    static const char *const keys[] = { "added=", "removed=", "log-level=", "needs-restart=" };
    struct mrl_reload *reload = plan->reload;
    struct names text = { .used = 0 }, detail = { .used = 0 };

    if (plan->has_filters)
        APPEND(&text, "events and filters exchanged");
    describe(plan, words, &text);
    snprintf(reload->text, sizeof(reload->text), "%s", text.used ? text.text : "nothing to change");
    if (plan->added.used || plan->removed.used || reload->level >= 0)
        describe(plan, keys, &detail);
    snprintf(reload->detail, sizeof(reload->detail), "%s", detail.text);
}

static int prepare(struct plan *plan, struct mrl_error *error)
{
    struct mrl_reload *reload = plan->reload;
    int err = read_next(plan, error);

    if (err)
        return err;
    compare(plan);
    if (plan->has_outputs)
        err = plan_outputs(plan, error);
    if (!err)
        err = start(plan, error);
    if (err)
        return err;
    if (plan->has_level)
        reload->level = mrl_session_options__level(&plan->next->options);
    mrl_run_sides__begin(reload->sides);
    return 0;
}

int mrl_reload__prepare(struct mrl_reload *reload)
{
    struct plan plan = { .reload = reload };
    struct mrl_error error = { "" };
    int err;

    reload->level = -1;
    err = prepare(&plan, &error);
    if (err) {
        mrl_configuration__free(plan.next);
        mrl_change__end(reload->change, 0);
        reload->change = NULL;
        return refuse(&plan, err, error.text);
    }
    reload->next = plan.next;
    note_outcome(&plan);
    return 0;
}

void mrl_reload__take_back(struct mrl_reload *reload)
{
    mrl_configuration__free(reload->next);
    reload->next = NULL;
    reload->has_failed = true;
    snprintf(reload->text, sizeof(reload->text), "the run has ended");
}
