// SPDX-License-Identifier: Apache-2.0
#include "command/run/sides.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "command/command.h"
#include "command/options/say.h"
#include "command/run/services/http.h"

/* -- what side programs ask of the run -------------------------------------------------------- */

/* What a side program says is about its clients, and they may not lower what is said of that. */
static void log_line(void *context, enum mrl_log_level level, const char *text)
{
    const struct mrl_run_sides *run = context;
    const int now = __atomic_load_n(&run->log_level, __ATOMIC_RELAXED);

    if ((int)level <= (now > run->first_level ? now : run->first_level))
        mrl_say_at(level, "%s", text);
}

int mrl_run_sides__collect(struct mrl_run_sides *run,
                           bool process,
                           struct mrl_metrics **ret_metrics)
{
    struct mrl_side_life lives[MRL_OUTPUTS_MAX + 1];
    struct mrl_metrics_sources sources = { .size = sizeof(sources), .process = process };
    int err = -ENODEV;

    sources.sides = lives;
    if (run->sides)
        sources.side_count = mrl_sides__lives(run->sides, lives, MRL_OUTPUTS_MAX + 1);
    pthread_mutex_lock(&run->lock);
    sources.plugin = run->plugin;
    sources.pipeline = run->pipeline;
    if (run->plugin || run->awaits_capture)
        err = mrl_metrics__collect_from(&sources, ret_metrics);
    pthread_mutex_unlock(&run->lock);
    return err;
}

static int collect(void *context, struct mrl_metrics **ret_metrics)
{
    return mrl_run_sides__collect(context, true, ret_metrics);
}

static void look(void *context, bool is_asked, struct mrl_health *ret_health)
{
    struct mrl_run_sides *run = context;

    pthread_mutex_lock(&run->lock);
    if (is_asked)
        atomic_store(&run->health.asked, true);
    if (!run->awaits_capture) /* it is ready, and there is nothing to look at */
        mrl_run_health__look(&run->health, run->plugin, run->pipeline, ret_health);
    pthread_mutex_unlock(&run->lock);
}

static int switch_event(struct mrl_run_sides *run,
                        unsigned int event,
                        bool on,
                        struct mrl_error *error)
{
    if (!run->plugin)
        return mrl_error__set(error, -ENODEV, "the probes are not there");
    return on ? mrl_plugin__enable(run->plugin, event, error)
              : mrl_plugin__disable(run->plugin, event, error);
}

int mrl_run_sides__fulfil(struct mrl_run_sides *run,
                          const struct mrl_wish *wish,
                          struct mrl_error *error)
{
    int err = 0;

    pthread_mutex_lock(&run->lock);
    if (wish->kind == MRL_WISH_LOG_LEVEL)
        __atomic_store_n(&run->log_level, (int)wish->level, __ATOMIC_RELAXED);
    else
        err = switch_event(run, wish->event, wish->kind == MRL_WISH_ENABLE, error);
    pthread_mutex_unlock(&run->lock);
    return err;
}

/* What clients do, and try, is told whatever the log level. */
void mrl_run_sides__wished(struct mrl_run_sides *run,
                           const struct mrl_wish *wish,
                           int err,
                           const char *why)
{
    static const char *const words[] = { [MRL_WISH_ENABLE] = "enables",
                                         [MRL_WISH_DISABLE] = "disables",
                                         [MRL_WISH_LOG_LEVEL] = "sets the log level to" };
    static const enum mrl_what whats[] = { [MRL_WISH_ENABLE] = MRL_WHAT_EVENT_ENABLED,
                                           [MRL_WISH_DISABLE] = MRL_WHAT_EVENT_DISABLED,
                                           [MRL_WISH_LOG_LEVEL] = MRL_WHAT_LOG_LEVEL };
    const bool is_level = wish->kind == MRL_WISH_LOG_LEVEL;
    const char *object =
        is_level ? mrl_log_level__name(wish->level) : mrl_event_def__at(wish->event)->name;
    char detail[64];

    mrl_say_at(err ? MRL_LOG_WARNING : MRL_LOG_INFO, "a client, %s, %s %s%s%s", wish->by,
               words[wish->kind], object, err ? ": " : "", why);
    if (err)
        return;
    snprintf(detail, sizeof(detail), "%s=%s", is_level ? "level" : "event", object);
    pthread_mutex_lock(&run->lock);
    if (run->plugin)
        mrl_plugin__tell(run->plugin, whats[wish->kind], detail, wish->by_uid, wish->by_pid, 0, 0);
    pthread_mutex_unlock(&run->lock);
}

static int fulfil(void *context, const struct mrl_wish *wish, struct mrl_error *error)
{
    return mrl_run_sides__fulfil(context, wish, error);
}

static void wished(void *context, const struct mrl_wish *wish, int err, const char *why)
{
    mrl_run_sides__wished(context, wish, err, why);
}

static void died(void *context, const char *detail)
{
    struct mrl_run_sides *run = context;

    pthread_mutex_lock(&run->lock);
    if (run->plugin)
        mrl_plugin__tell(run->plugin, MRL_WHAT_SIDE_DIED, detail, MRL_NOBODY, MRL_NOBODY, 0, 0);
    pthread_mutex_unlock(&run->lock);
}

static void named(void *context, uint32_t ask, const struct mrl_container_names *names)
{
    struct mrl_run_sides *run = context;

    (void)ask;
    mrl_names_bridge__tell(&run->names, names);
}

/* -- a run ------------------------------------------------------------------------------------ */

int mrl_run_sides__join(struct mrl_run_sides *run,
                        struct mrl_output_options *output,
                        struct mrl_error *error)
{
    char path[PATH_MAX];

    if (!output->sink || !output->sink->side)
        return 0;
    if (mrl_side__find(output->sink->side, NULL, path, sizeof(path), error))
        return -ENOENT;
    if (!run->sides)
        return mrl_error__set(error, -ENOSYS, "nobody starts side programs: it needs a restart");
    output->sides = run->sides;
    output->sink = mrl_sides__sink(run->sides, output->sink);
    return 0;
}

static bool need_a_side(const struct mrl_session_options *session)
{
    const struct mrl_outputs *outputs = &session->outputs;

    for (unsigned int i = 0; i < outputs->count; i++)
        if (outputs->specs[i].options.sink && outputs->specs[i].options.sink->side)
            return true;
    return session->http || mrl_session_options__ask_names(session) ||
           mrl_session_options__may_reload(session);
}

static int find_services(const struct mrl_session_options *session, struct mrl_error *error)
{
    char path[PATH_MAX];
    int err = 0;

    if (session->http)
        err = mrl_side__find(mrl_sides__metrics()->side, NULL, path, sizeof(path), error);
    if (!err && mrl_session_options__ask_names(session))
        err = mrl_side__find(mrl_sides__names()->side, NULL, path, sizeof(path), error);
    return err;
}

int mrl_run_sides__start(struct mrl_run_sides *run,
                         struct mrl_session_options *session,
                         struct mrl_error *error)
{
    const struct mrl_sides_options options = {
        .size = sizeof(options),
        .sandbox = mrl_sandbox_mode__word(session->sandbox),
        .log = log_line,
        .metrics = collect,
        .health = look,
        .fulfil = fulfil,
        .wished = wished,
        .died = died,
        .named = named,
        .context = run,
        .sockets = session->side_sockets,
    };
    int err = find_services(session, error);

    pthread_mutex_init(&run->lock, NULL);
    mrl_names_bridge__init(&run->names);
    if (mrl_session_options__ask_names(session))
        mrl_names_bridge__ask(&run->names, &session->plugin);
    if (!err && need_a_side(session) && mrl_sides__start(&options, error, &run->sides))
        return -EAGAIN;
    for (unsigned int i = 0; !err && i < session->outputs.count; i++)
        err = mrl_run_sides__join(run, &session->outputs.specs[i].options, error);
    return err;
}

int mrl_run_sides__serve(struct mrl_run_sides *run,
                         const struct mrl_session_options *options,
                         struct mrl_error *error)
{
    struct mrl_http_target http;
    struct mrl_sink_target target = { .format = "metrics", .sides = run->sides };
    int err = 0;

    if (mrl_session_options__ask_names(options))
        err = mrl_names_bridge__open(&run->names, &options->names_sockets, run->sides, error);
    if (err || !options->http)
        return err;
    err = mrl_http_target__read(options->http, (enum mrl_metrics_names)options->http_names, &http,
                                error);
    if (err)
        return err;
    target.destination = http.destination;
    target.options = &http.options;
    target.ops = mrl_sides__sink(run->sides, mrl_sides__metrics());
    return target.ops->open(&target, error, &run->metrics);
}

int mrl_run_sides__await(struct mrl_run_sides *run, struct mrl_error *error)
{
    return run->sides ? mrl_sides__await(run->sides, error) : 0;
}

static void set_run(struct mrl_run_sides *run,
                    struct mrl_plugin *plugin,
                    const struct mrl_pipeline *pipeline,
                    bool awaits_capture)
{
    pthread_mutex_lock(&run->lock);
    run->plugin = plugin;
    run->pipeline = pipeline;
    run->awaits_capture = awaits_capture;
    pthread_mutex_unlock(&run->lock);
    mrl_names_bridge__set_plugin(&run->names, plugin);
    if (run->sides && (plugin || awaits_capture))
        mrl_sides__ready(run->sides);
}

void mrl_run_sides__await_capture(struct mrl_run_sides *run)
{
    set_run(run, NULL, NULL, true);
}

void mrl_run_sides__rest(struct mrl_run_sides *run)
{
    if (run->sides)
        mrl_sides__rest(run->sides);
}

void mrl_run_sides__ready(struct mrl_run_sides *run,
                          struct mrl_plugin *plugin,
                          const struct mrl_pipeline *pipeline)
{
    set_run(run, plugin, pipeline, false);
}

void mrl_run_sides__begin(struct mrl_run_sides *run)
{
    if (run->sides)
        mrl_sides__ready(run->sides);
}

void mrl_run_sides__hurry(struct mrl_run_sides *run)
{
    if (run->sides)
        mrl_sides__hurry(run->sides);
}

void mrl_run_sides__end(struct mrl_run_sides *run)
{
    if (run->metrics)
        mrl_sides__sink(run->sides, mrl_sides__metrics())->close(run->metrics);
    mrl_names_bridge__done(&run->names);
    mrl_sides__free(run->sides);
    pthread_mutex_destroy(&run->lock);
}
