/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The starter: a process that is forked before anything else is done, and the only one that
 * executes programs. It knows a fixed list of them, and parses nothing that they say: the main
 * process gets one end of a socket pair, the program the other.
 */
#ifndef MRL_SIDE_COMMON_STARTER_H
#define MRL_SIDE_COMMON_STARTER_H

#include <mrelease/error.h>
#include <pthread.h>
#include <stdbool.h>

#include <sys/types.h>

enum { MRL_STARTED_MAX = 32 /* programs at a time */ };

struct mrl_starter {
    int socket; /* -1: there is none */
    pid_t pid;
    pthread_mutex_t lock;               /* one question at a time */
    const struct mrl_startable *joined; /* there is no process, and all are connected to; NULL: it
                                           is one */
};

/** A program. A path at which there is a socket is connected to instead: whoever listens there,
 * root or this process's user, starts the program. */
struct mrl_startable {
    const char *path;
    /** Events wait for what it answers, and strangers cannot ask it for anything: it runs before
     * others where the sensor does. All others run behind them. */
    bool is_awaited;
};

/** Forks it. `programs` are borrowed for as long as it lives; each gets `word` as its argument.
 * Errors: as socketpair() and fork(). */
int mrl_starter__fork(const struct mrl_startable *programs,
                      unsigned int count,
                      const char *word,
                      struct mrl_starter *ret_starter);

/** In place of it: no process, and each of `programs`, which are borrowed, has a socket. 0. */
int mrl_starter__join_only(const struct mrl_startable *programs, struct mrl_starter *ret_starter);

/** A program that was started: our end of its socket pair, and what tells its end. */
struct mrl_started {
    int socket, pidfd; /* pidfd -1, */
    pid_t pid;         /* and pid 0: somebody else started it, and the socket alone tells */
};

/** Starts the program at `index`. Any thread. Errors: as fork() and execve(); -EPIPE the starter is
 * gone; as connect(); -EACCES a stranger listens there; -EAGAIN too many are running; -EMFILE no
 * descriptors are left here, and it was ended. */
int mrl_starter__start(struct mrl_starter *starter,
                       unsigned int index,
                       struct mrl_started *ret_started);

/** Kills a program that was started, unless it has ended, and returns its status as wait() has it;
 * -errno: it was none of ours. Any thread. */
int mrl_starter__bury(struct mrl_starter *starter, pid_t pid);

/** Ends it, and all that it started. */
void mrl_starter__end(struct mrl_starter *starter);

#endif
