/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SIGHUP does: outputs are opened anew, and the configuration is read again and takes the
 * place of the one before, all of it or nothing. What may take long is done by a thread of its own
 * (plan.c); the reader only exchanges the outputs, between two batches.
 */
#ifndef MRL_COMMAND_SESSION_RELOAD_H
#define MRL_COMMAND_SESSION_RELOAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "command/options/settings.h"
#include "command/run/session_options.h"
#include "command/run/sides.h"

enum { MRL_RELOAD_TEXT = 1000 };

enum mrl_reload_phase {
    MRL_RELOAD_IDLE,
    MRL_RELOAD_PREPARING, /* the thread reads, compares, opens */
    MRL_RELOAD_PREPARED,  /* the reader may apply it */
    MRL_RELOAD_LEAVING,   /* the thread closes what was removed */
    MRL_RELOAD_DONE,      /* the thread has ended, or is about to */
};

/** A configuration, with the texts that it borrows. */
struct mrl_configuration {
    struct mrl_session_options options;
    struct mrl_settings settings;
};

struct mrl_reload {
    struct mrl_session_options *options; /* of the start; the log level is that of now */
    struct mrl_plugin *plugin;
    struct mrl_pipeline *pipeline;
    struct mrl_run_sides *sides;
    /* The reader's. */
    int64_t until_ns; /* CLOCK_MONOTONIC: how long outputs may take to reopen; 0: nobody asked */
    bool is_running;
    unsigned int serves; /* askers up to this one */
    pthread_t thread;
    bool has_thread;
    atomic_int phase; /* enum mrl_reload_phase */
    sem_t applied;
    atomic_bool is_aborted;
    /* The thread's, and the reader's while that does not run. */
    struct mrl_configuration *now;  /* of the last reload; NULL: of the start */
    struct mrl_configuration *next; /* NULL: it was refused, or is the one of now */
    struct mrl_change *change;
    int level; /* enum mrl_log_level, from now on; -1: as it is */
    bool has_failed;
    char text[MRL_RELOAD_TEXT];   /* what became of it, */
    char detail[MRL_RELOAD_TEXT]; /* and of that what sensor_state says; "": nothing */
    /* With the lock. */
    pthread_mutex_t lock;
    unsigned int asked, served;
    int64_t by_uid, by_pid;
    bool outcome_failed; /* of the last that was served */
    char outcome[MRL_RELOAD_TEXT];
};

void mrl_reload__init(struct mrl_reload *reload,
                      struct mrl_session_options *options,
                      struct mrl_plugin *plugin,
                      struct mrl_pipeline *pipeline,
                      struct mrl_run_sides *sides);

/** Asks for one, in the name of a user and process (MRL_NOBODY: a signal's); the reader is woken.
 * Returns a number, for outcome(). Any thread; signal handlers do not. */
unsigned int mrl_reload__ask(struct mrl_reload *reload, int64_t by_uid, int64_t by_pid);

/** Whether one is under way that opens what it wants. The reader's. */
static inline bool mrl_reload__prepares(const struct mrl_reload *reload)
{
    return reload->is_running && atomic_load(&reload->phase) == MRL_RELOAD_PREPARING;
}

/** Whether the reload that was asked for under this number is over; then what became of it. Any
 * thread. */
bool mrl_reload__outcome(struct mrl_reload *reload,
                         unsigned int number,
                         bool *ret_failed,
                         char text[MRL_RELOAD_TEXT]);

/** The reader, between two batches: begins, applies and ends what is due, and says what was done.
 */
void mrl_reload__step(struct mrl_reload *reload);

/** How long the reader may sleep; -1: as long as it likes. */
int mrl_reload__patience_ms(const struct mrl_reload *reload);

/** The end of the run: what is under way is taken back, or finished. */
void mrl_reload__done(struct mrl_reload *reload);

/** The thread (plan.c): reads the configuration, and makes the change that leads to it.
 * Returns 0; else nothing has changed, and `reload.text` says why. */
int mrl_reload__prepare(struct mrl_reload *reload);

/** Takes back what prepare() did. */
void mrl_reload__take_back(struct mrl_reload *reload);

/** Frees a configuration. NULL is allowed. */
void mrl_configuration__free(struct mrl_configuration *configuration);

#endif
