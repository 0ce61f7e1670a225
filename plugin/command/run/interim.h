/* SPDX-License-Identifier: Apache-2.0 */
/* SIGUSR1: the totals so far, of a run that goes on. */
#ifndef MRL_COMMAND_RUN_INTERIM_H
#define MRL_COMMAND_RUN_INTERIM_H

#include "command/run/sides.h"

/** From now on SIGUSR1 ends nobody: it is remembered until start(). */
void mrl_interim__catch(void);

/** Starts the thread that answers for `run`, which stays valid until stop(). Where there is no
 * thread, nobody answers, and the log says so. One at a time in a process. */
void mrl_interim__start(struct mrl_run_sides *run);

/** Ends the thread. Does nothing where there is none. */
void mrl_interim__stop(void);

#endif
