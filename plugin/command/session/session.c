// SPDX-License-Identifier: Apache-2.0
/* A session: open, deliver until the end, drain, say what happened. */
#include "command/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/time.h>

#include "base/append.h"
#include "base/clock.h"
#include "command/command.h"
#include "command/options/progress.h"
#include "command/options/say.h"
#include "command/run/bar.h"
#include "command/run/chores.h"
#include "command/run/harden.h"
#include "command/run/interim.h"
#include "command/run/notify.h"
#include "command/run/record.h"
#include "command/run/sides.h"
#include "command/run/totals.h"
#include "command/session/asked.h"
#include "command/session/control.h"
#include "command/session/pidfile.h"
#include "command/session/policies.h"
#include "command/session/reload.h"

enum {
    END_MS = 2000,   /* how long an output may take without progress at the end */
    ROUND_MS = 1000, /* between two rounds of the reader, where somebody may ask whether it lives */
};

/* What signal handlers may touch. */
static struct mrl_plugin *volatile signalled_plugin;
static struct mrl_pipeline *volatile signalled_pipeline;
static volatile sig_atomic_t end_requested, reload_requested;

struct session {
    struct mrl_session_options *options;
    struct mrl_plugin *plugin;
    struct mrl_pipeline *pipeline;
    struct mrl_run_sides sides;
    uint64_t delivered; /* events */
    int64_t end_ns;     /* CLOCK_MONOTONIC; 0: none */
    bool ended, failed;
    struct mrl_reload reload;
    struct mrl_ctl control;
    struct mrl_asked asked;
    struct mrl_pidfile pidfile;
};

/* -- signals ---------------------------------------------------------------------------------- */

static void on_signal(int signal)
{
    if (signal == SIGHUP)
        reload_requested = 1;
    else
        end_requested = 1;
    if (end_requested && signalled_pipeline)
        mrl_pipeline__hurry(signalled_pipeline); /* the reader may be waiting for an output */
    if (signalled_plugin)
        mrl_plugin__interrupt(signalled_plugin);
    else if (end_requested)
        alarm(1); /* a wait that begins right now heard nothing: it is interrupted again */
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART; /* an output that waits for its reader goes on waiting */
    sigaction(SIGHUP, &action, NULL);
    action.sa_flags = 0;
    sigaction(SIGALRM, &action, NULL);
    action.sa_flags = (int)SA_RESETHAND; /* the second one kills: an output may hang */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action = (struct sigaction){ .sa_handler = SIG_IGN };
    sigaction(SIGPIPE, &action, NULL); /* a closed pipe is an error of one output */
    sigaction(SIGXFSZ, &action, NULL); /* so is a file at its limit */
    sigaction(SIGUSR2, &action, NULL); /* other daemons take it, so that scripts send it */
    mrl_interim__catch();
}

/* A replay that waits for its capture shall be interrupted by what ends it, and by nothing else:
 * these come when there is something that can answer them. */
static void hold_back_requests(bool is_held)
{
    sigset_t requests;

    sigemptyset(&requests);
    sigaddset(&requests, SIGHUP);
    sigaddset(&requests, SIGUSR1);
    pthread_sigmask(is_held ? SIG_BLOCK : SIG_UNBLOCK, &requests, NULL);
}

/* -- the loop --------------------------------------------------------------------------------- */

/* --duration ends a run also while an output that blocks makes the reader wait. */
static void interrupt_after(uint64_t ns)
{
    const struct itimerval timer = {
        .it_value = { .tv_sec = (time_t)(ns / 1000000000),
                      .tv_usec = (suseconds_t)(ns % 1000000000 / 1000) },
    };

    setitimer(ITIMER_REAL, &timer, NULL);
}

/* -1 for ever, 0 when the time is over. */
static int time_left_ms(const struct session *session)
{
    return session->end_ns ? mrl_clock__left_ms(session->end_ns) : -1;
}

static bool has_ended(const struct session *session)
{
    uint64_t count = session->options->count;

    return end_requested || session->ended || (count && session->delivered >= count) ||
           !time_left_ms(session) || !mrl_pipeline__alive(session->pipeline);
}

/* How many of a batch may be delivered until `most` events were; 0: all. What the sensor says of
 * itself is no event. `*ret_events`: how many events these are. */
static size_t wanted_of(const struct mrl_batch *batch, uint64_t most, uint64_t *ret_events)
{
    size_t i = 0;

    for (*ret_events = 0; i < mrl_batch__count(batch) && (!most || *ret_events < most); i++)
        *ret_events += !mrl_batch__at(batch, i)->state;
    return i;
}

/* Returns the number of events read. */
static int deliver_next(struct session *session, int timeout_ms)
{
    uint64_t limit = session->options->count;
    struct mrl_batch *batch;
    uint64_t events;
    size_t wanted;
    int count = mrl_plugin__next_batch(session->plugin, timeout_ms, &batch);

    if (count == -ENODATA) {
        session->ended = true; /* of a replay */
        return 0;
    }
    if (count <= 0) {
        if (count < 0)
            mrl_say_error("%s", mrl_plugin__error(session->plugin));
        session->failed |= count < 0;
        return count;
    }
    if (limit && session->delivered >= limit)
        events = wanted = 0;
    else
        wanted = wanted_of(batch, limit ? limit - session->delivered : 0, &events);
    mrl_pipeline__deliver(session->pipeline, batch, wanted);
    session->delivered += events;
    mrl_batch__unref(batch);
    return count;
}

/* -1: for ever. */
static int shorter(int one_ms, int other_ms)
{
    return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

/* How long to wait for events. */
static int patience_ms(const struct session *session)
{
    int left = time_left_ms(session), ping = mrl_notify__ping_ms();

    const int round = session->sides.sides ? ROUND_MS : -1;

    return shorter(shorter(left, ping), shorter(round, mrl_reload__patience_ms(&session->reload)));
}

static void drain(struct session *session)
{
    uint64_t done = 0;
    int count;

    mrl_bar__begin_drain(session->options, session->plugin);
    while ((count = deliver_next(session, 0)) > 0) {
        done += (uint64_t)count;
        mrl_progress__at(done, done);
    }
    mrl_progress__end();
}

static void loop(struct session *session)
{
    mrl_bar__begin_replay(session->options);
    while (!has_ended(session) && !session->failed) {
        mrl_notify__ping();
        mrl_run_health__come_round(&session->sides.health);
        if (reload_requested || atomic_exchange(&session->sides.policies_changed, false)) {
            reload_requested = 0;
            mrl_reload__ask(&session->reload, MRL_NOBODY, MRL_NOBODY);
        }
        mrl_reload__step(&session->reload);
        deliver_next(session, patience_ms(session));
        if (session->options->plugin.replay)
            mrl_bar__replayed(session->plugin, session->delivered);
    }
    mrl_run_health__end(&session->sides.health);
    mrl_ctl__close(&session->control);
    if (mrl_reload__prepares(&session->reload))
        mrl_run_sides__hurry(&session->sides); /* it may wait for a program that never opens */
    mrl_reload__done(&session->reload);
    mrl_plugin__stop(session->plugin);
    drain(session);
}

/* -- from start to end ------------------------------------------------------------------------ */

static void say_ready(const struct mrl_session_options *options, struct mrl_plugin *plugin)
{
    uint32_t events = mrl_plugin__events(plugin);
    char names[256] = "";
    size_t used = 0;

    if (options->plugin.replay) {
        mrl_say("replaying %s", options->plugin.replay);
        return;
    }
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (events & (1U << i))
            mrl_append(names, sizeof(names), &used, "%s%s", used ? ", " : "",
                       mrl_event_def__at(i)->name);
    mrl_say("watching %s, with %s", names, mrl_plugin__rung(plugin));
    if (!options->duration_ns && isatty(STDERR_FILENO))
        mrl_say("to see one: run 'mrelease demo' in another terminal; Ctrl-C ends this");
}

/* Clients may have changed the level. */
static void log_line(void *context, enum mrl_log_level level, const char *text)
{
    const struct session *session = context;

    if ((int)level <= __atomic_load_n(&session->sides.log_level, __ATOMIC_RELAXED))
        mrl_say_at(level, "%s", text);
}

static int run_opened(struct session *session,
                      int (*ready)(struct mrl_session_options *options, void *context),
                      void *context)
{
    struct mrl_session_options *options = session->options;
    struct mrl_error error;
    bool kept;

    if (mrl_pidfile__write(&session->pidfile, &error))
        mrl_say_at(MRL_LOG_WARNING, "%s", error.text);
    if (options->log_level >= MRL_LOG_INFO && !options->ended)
        say_ready(options, session->plugin);
    mrl_notify__say("READY=1\nSTATUS=watching with %s", mrl_plugin__rung(session->plugin));
    if (options->duration_ns)
        session->end_ns =
            mrl_clock__ns(CLOCK_MONOTONIC) +
            (int64_t)(options->duration_ns < INT64_MAX / 2 ? options->duration_ns : INT64_MAX / 2);
    interrupt_after(options->duration_ns);
    if (ready && ready(options, context) < 0)
        session->failed = true;
    mrl_reload__init(&session->reload, options, session->plugin, session->pipeline,
                     &session->sides);
    session->asked = (struct mrl_asked){
        &session->reload, &session->sides, { &session->sides, options->plugin.coverage, time(NULL) }
    };
    mrl_asked__listen(&session->asked, &session->control);
    loop(session);
    mrl_notify__say("STOPPING=1\nSTATUS=writing what is left");
    mrl_run_sides__hurry(&session->sides);
    mrl_pipeline__end(session->pipeline, END_MS);
    mrl_interim__stop();
    mrl_chores__stop();
    if (options->log_level >= MRL_LOG_INFO && options->ended)
        options->ended(session->plugin);
    else if (options->log_level >= MRL_LOG_INFO)
        mrl_totals__say(session->plugin, session->pipeline);
    if (options->log_level >= MRL_LOG_WARNING && !session->failed)
        mrl_totals__check(session->plugin, session->pipeline);
    kept = mrl_totals__are_kept(session->pipeline);
    return session->failed || !kept || !mrl_pipeline__alive(session->pipeline) ? MRL_EXIT_FAILED
                                                                               : MRL_EXIT_OK;
}

static void wake_reader(void *plugin)
{
    mrl_plugin__interrupt(plugin);
}

/* One that is not there would be left out of the sandbox without a word. */
static int find_sandbox_paths(const struct mrl_session_options *options, struct mrl_error *error)
{
    for (unsigned int i = 0; i < options->sandbox_path_count; i++) {
        const char *path = options->sandbox_paths[i];
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return mrl_error__set(error, -errno, "--sandbox-paths: %s: %s", path, strerror(errno));
        close(fd);
    }
    return 0;
}

/* What the plugin has to know of the outputs. */
static void set_plugin_options(struct session *session)
{
    struct mrl_session_options *options = session->options;

    options->plugin.caller_exe |= mrl_outputs__show_executable(&options->outputs, options->extras);
    options->plugin.switchable =
        mrl_outputs__switch_events(&options->outputs) || mrl_session_options__may_reload(options);
    options->plugin.states = mrl_outputs__take_states(&options->outputs, options->extras,
                                                      mrl_session_options__name_states(options));
    options->plugin.log = log_line;
    options->plugin.log_context = session;
    options->plugin.extras = mrl_outputs__extras(&options->outputs, options->extras);
}

static int open_outputs(struct session *session, struct mrl_error *error)
{
    struct mrl_session_options *options = session->options;
    int err = mrl_record__add_default(&options->outputs, error);

    if (err)
        return err;
    session->sides.first_level = session->sides.log_level = options->log_level;
    err = mrl_run_sides__start(&session->sides, options, error);
    if (!err && mrl_session_options__has_control(options))
        err = mrl_ctl__open(&session->control, &options->control, error);
    if (err)
        return err;
    set_plugin_options(session);
    if (!options->plugin.replay)
        mrl_host_identity__read(&options->outputs.host);
    err = mrl_pipeline__new(log_line, session, &session->pipeline);
    if (err)
        return mrl_error__set(error, err, "out of memory");
    err = mrl_outputs__open(&options->outputs, options->extras, session->pipeline, error);
    return err ? err : mrl_run_sides__serve(&session->sides, options, error);
}

/* Up to the sandbox, which is entered while this is the only thread. */
static int open_all(struct session *session, struct mrl_error *error)
{
    struct mrl_session_options *options = session->options;
    int err = find_sandbox_paths(options, error);

    if (!err)
        err = mrl_pidfile__open(&session->pidfile, options->install_path, error);
    if (err)
        return err;
    catch_signals();
    err = open_outputs(session, error);
    if (!err && options->plugin.replay) {
        err = mrl_run_sides__await(&session->sides, error);
        if (!err)
            mrl_run_sides__await_capture(&session->sides); /* a pipe's first record may come late */
    }
    /* Side programs start meanwhile. */
    hold_back_requests(true);
    if (!err)
        err = mrl_plugin__open(&options->plugin, error, &session->plugin);
    hold_back_requests(false);
    if (!err)
        err = mrl_run_sides__await(&session->sides, error);
    mrl_run_sides__rest(&session->sides); /* those that served while a capture was awaited */
    return err ? err : mrl_harden__enter(options, session->plugin, error);
}

/* The reader waits for an output: that is no hang. */
static void on_wait(void *context)
{
    struct session *session = context;

    mrl_run_health__come_round(&session->sides.health);
    mrl_notify__ping();
}

static int start(struct session *session, struct mrl_error *error)
{
    int err;

    mrl_pipeline__name_run(session->pipeline, mrl_plugin__run(session->plugin));
    mrl_pipeline__on_death(session->pipeline, wake_reader, session->plugin);
    mrl_pipeline__on_wait(session->pipeline, on_wait, session);
    err = mrl_pipeline__start(session->pipeline, error);
    if (!err)
        mrl_run_sides__ready(&session->sides, session->plugin, session->pipeline);
    return err;
}

int mrl_session__run(struct mrl_session_options *options,
                     int (*ready)(struct mrl_session_options *options, void *context),
                     void *context)
{
    struct session session = { .options = options };
    struct mrl_error error;
    int err, status = MRL_EXIT_FAILED;

    mrl_clock__sleep_to_the_point(); /* naps between events above all: read/pace.h */
    mrl_say__set_format((enum mrl_log_format)options->log_format);
    mrl_notify__open();
    options->log_level = mrl_session_options__level(options);
    err = mrl_session_policies__read(options, options->log_level, &error);
    if (err) {
        status = err == -EINVAL ? MRL_EXIT_USAGE : MRL_EXIT_FAILED;
        mrl_say_error("%s", error.text);
    } else if (open_all(&session, &error) || start(&session, &error)) {
        if (end_requested) /* while an output waited for its reader, or a capture for its writer */
            status = MRL_EXIT_OK;
        else
            mrl_say_error("%s", error.text);
    } else {
        signalled_plugin = session.plugin;
        signalled_pipeline = session.pipeline;
        mrl_interim__start(&session.sides);
        mrl_chores__start(&session.sides, options);
        status = run_opened(&session, ready, context);
        signalled_plugin = NULL;
        signalled_pipeline = NULL;
    }
    mrl_pidfile__remove(&session.pidfile);
    mrl_ctl__close(&session.control);
    mrl_run_sides__ready(&session.sides, NULL, NULL);
    mrl_plugin__close(session.plugin);
    mrl_pipeline__free(session.pipeline);
    mrl_run_sides__end(&session.sides);
    mrl_policy_set__free(&options->policy_set);
    return status;
}
