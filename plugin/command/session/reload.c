// SPDX-License-Identifier: Apache-2.0
/* A reload, as the reader sees it: it begins, is applied between two batches, and is over. */
#include "command/session/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "command/command.h"
#include "command/options/say.h"
#include "command/run/harden.h"
#include "command/run/notify.h"
#include "command/session/reopening.h"

enum {
    REOPEN_MS = 1000, /* how long outputs may take before it is said what they did */
    LEAVE_MS = 2000,  /* how long one that was removed may take without progress */
    STEP_MS = 20,
};

void mrl_reload__init(struct mrl_reload *reload,
                      struct mrl_session_options *options,
                      struct mrl_plugin *plugin,
                      struct mrl_pipeline *pipeline,
                      struct mrl_run_sides *sides)
{
    *reload = (struct mrl_reload){
        .options = options, .plugin = plugin, .pipeline = pipeline, .sides = sides
    };
    pthread_mutex_init(&reload->lock, NULL);
    sem_init(&reload->applied, 0, 0);
}

void mrl_configuration__free(struct mrl_configuration *configuration)
{
    if (configuration) {
        mrl_policy_set__free(&configuration->options.policy_set);
        mrl_settings__free(&configuration->settings);
    }
    free(configuration);
}

/* -- who asks --------------------------------------------------------------------------------- */

unsigned int mrl_reload__ask(struct mrl_reload *reload, int64_t by_uid, int64_t by_pid)
{
    unsigned int number;

    pthread_mutex_lock(&reload->lock);
    number = ++reload->asked;
    reload->by_uid = by_uid;
    reload->by_pid = by_pid;
    pthread_mutex_unlock(&reload->lock);
    mrl_plugin__interrupt(reload->plugin);
    return number;
}

bool mrl_reload__outcome(struct mrl_reload *reload,
                         unsigned int number,
                         bool *ret_failed,
                         char text[MRL_RELOAD_TEXT])
{
    bool is_over;

    pthread_mutex_lock(&reload->lock);
    is_over = (int)(reload->served - number) >= 0;
    if (is_over) {
        *ret_failed = reload->outcome_failed;
        memcpy(text, reload->outcome, MRL_RELOAD_TEXT);
    }
    pthread_mutex_unlock(&reload->lock);
    return is_over;
}

/* -- reopening -------------------------------------------------------------------------------- */

/* That a path is refused would else look like a fault of its permissions. */
static void say_hidden(const struct mrl_reload *reload)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(reload->pipeline); i++) {
        const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(reload->pipeline, i);
        const char *path = mrl_pipeline__output_destination(reload->pipeline, i);

        if (sink && sink->is_path &&
            mrl_pipeline__reopened(reload->pipeline, i) == MRL_REOPEN_FAILED &&
            mrl_harden__hides(path))
            mrl_say("%s: its directory was not there at the start: it needs a restart, or "
                    "--sandbox-paths",
                    path);
    }
}

/* Outputs reopen on their own threads. The line is said when the last one has, or when one takes
 * so long that it may be waiting for its reader, or at the end. */
static bool may_say_reopened(const struct mrl_reload *reload)
{
    return !mrl_reopening__waits(reload->pipeline) ||
           mrl_clock__ns(CLOCK_MONOTONIC) >= reload->until_ns;
}

static void say_reopened(struct mrl_reload *reload)
{
    char line[MRL_REOPENING_BYTES];

    reload->until_ns = 0;
    if (reload->options->log_level >= MRL_LOG_INFO)
        mrl_say("%s", mrl_reopening__line(reload->pipeline, line));
    say_hidden(reload);
}

/* -- the thread ------------------------------------------------------------------------------- */

static void set_phase(struct mrl_reload *reload, enum mrl_reload_phase phase)
{
    atomic_store(&reload->phase, phase);
    mrl_plugin__interrupt(reload->plugin); /* the reader looks */
}

static void await_applied(struct mrl_reload *reload)
{
    while (sem_wait(&reload->applied) && errno == EINTR)
        ;
}

static void *work(void *context)
{
    struct mrl_reload *reload = context;

    reload->has_failed = mrl_reload__prepare(reload) < 0;
    if (!reload->has_failed && reload->change) {
        set_phase(reload, MRL_RELOAD_PREPARED);
        await_applied(reload);
        if (atomic_load(&reload->is_aborted))
            mrl_reload__take_back(reload);
        mrl_change__end(reload->change, LEAVE_MS);
        reload->change = NULL;
    }
    set_phase(reload, MRL_RELOAD_DONE);
    return NULL;
}

static bool start_thread(struct mrl_reload *reload)
{
    reload->has_thread = !mrl_thread__start(&reload->thread, 0, work, reload);
    return reload->has_thread;
}

/* -- the reader ------------------------------------------------------------------------------- */

/* Files are opened anew whatever the configuration says: who rotates them waits for that. */
static void begin(struct mrl_reload *reload)
{
    const int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    pthread_mutex_lock(&reload->lock);
    reload->serves = reload->asked;
    pthread_mutex_unlock(&reload->lock);
    reload->is_running = true;
    reload->has_failed = false;
    *reload->text = *reload->detail = '\0';
    mrl_notify__say("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(now_ns / 1000));
    mrl_pipeline__reopen(reload->pipeline);
    reload->until_ns = now_ns + REOPEN_MS * INT64_C(1000000);
    atomic_store(&reload->phase, MRL_RELOAD_DONE);
    if (!mrl_session_options__may_reload(reload->options))
        return;
    atomic_store(&reload->phase, MRL_RELOAD_PREPARING);
    if (!start_thread(reload)) {
        reload->has_failed = true;
        snprintf(reload->text, sizeof(reload->text), "no thread to read the configuration");
        atomic_store(&reload->phase, MRL_RELOAD_DONE);
    }
}

/* Another thread that looks at the outputs is not waited for. */
static void apply(struct mrl_reload *reload)
{
    if (pthread_mutex_trylock(&reload->sides->lock))
        return;
    mrl_change__apply(reload->change);
    pthread_mutex_unlock(&reload->sides->lock);
    atomic_store(&reload->phase, MRL_RELOAD_LEAVING);
    sem_post(&reload->applied);
}

static void adopt(struct mrl_reload *reload)
{
    if (!reload->next)
        return;
    if (reload->level >= 0) {
        reload->options->log_level = reload->sides->first_level = reload->level;
        __atomic_store_n(&reload->sides->log_level, reload->level, __ATOMIC_RELAXED);
    }
    mrl_configuration__free(reload->now);
    reload->now = reload->next;
    reload->next = NULL;
}

/* The level of before and that of now: one of them hears what was done. */
static void say_outcome(struct mrl_reload *reload, int level_before)
{
    if (!*reload->text)
        return;
    if (reload->has_failed)
        mrl_say_error("the configuration is not taken, and nothing has changed: %s", reload->text);
    else if (level_before >= MRL_LOG_INFO || reload->options->log_level >= MRL_LOG_INFO)
        mrl_say("configuration: %s", reload->text);
}

static void tell(struct mrl_reload *reload)
{
    int64_t by_uid, by_pid;

    pthread_mutex_lock(&reload->lock);
    by_uid = reload->by_uid;
    by_pid = reload->by_pid;
    pthread_mutex_unlock(&reload->lock);
    if (!reload->has_failed && *reload->detail)
        mrl_plugin__tell(reload->plugin, MRL_WHAT_RELOADED, reload->detail, by_uid, by_pid, 0, 0);
}

static void finish(struct mrl_reload *reload)
{
    const int level_before = reload->options->log_level;

    if (reload->has_thread)
        pthread_join(reload->thread, NULL);
    reload->has_thread = false;
    if (!reload->has_failed)
        adopt(reload);
    say_outcome(reload, level_before);
    tell(reload);
    reload->is_running = false;
    pthread_mutex_lock(&reload->lock);
    reload->served = reload->serves;
    reload->outcome_failed = reload->has_failed;
    memcpy(reload->outcome, reload->text, sizeof(reload->outcome));
    pthread_mutex_unlock(&reload->lock);
    mrl_notify__say("READY=1");
}

static bool is_asked(struct mrl_reload *reload)
{
    bool is;

    pthread_mutex_lock(&reload->lock);
    is = reload->asked != reload->served;
    pthread_mutex_unlock(&reload->lock);
    return is;
}

void mrl_reload__step(struct mrl_reload *reload)
{
    if (!reload->is_running && is_asked(reload))
        begin(reload);
    if (!reload->is_running)
        return;
    if (reload->until_ns && may_say_reopened(reload))
        say_reopened(reload);
    if (reload->until_ns)
        return;
    if (atomic_load(&reload->phase) == MRL_RELOAD_PREPARED)
        apply(reload);
    if (atomic_load(&reload->phase) == MRL_RELOAD_DONE)
        finish(reload);
}

int mrl_reload__patience_ms(const struct mrl_reload *reload)
{
    return reload->is_running ? STEP_MS : -1;
}

void mrl_reload__done(struct mrl_reload *reload)
{
    if (!reload->pipeline)
        return;
    if (reload->until_ns)
        say_reopened(reload);
    if (reload->is_running) {
        /* Only this thread applies it: what it did not apply by now, it never does. */
        if (atomic_load(&reload->phase) != MRL_RELOAD_LEAVING)
            atomic_store(&reload->is_aborted, true);
        sem_post(&reload->applied);
        finish(reload);
    }
    mrl_configuration__free(reload->now);
    sem_destroy(&reload->applied);
    pthread_mutex_destroy(&reload->lock);
}
