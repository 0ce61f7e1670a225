/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that signals do not disturb: those go to the threads that wait for them. */
#ifndef MRL_BASE_THREAD_H
#define MRL_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>

/** As pthread_create(), of a thread that hears no signal but `heard`; 0: none. Returns 0, or
 * -errno. A thread inherits the mask of the one that makes it: set inside it, the mask would come
 * too late for a signal that arrives in its first moment. */
static inline int mrl_thread__start(pthread_t *ret_thread,
                                    int heard,
                                    void *(*run)(void *context),
                                    void *context)
{
    sigset_t blocked, before;
    int err;

    sigfillset(&blocked);
    if (heard)
        sigdelset(&blocked, heard);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    err = pthread_create(ret_thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

#endif
