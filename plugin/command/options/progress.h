/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bar on standard error while something takes long: how much of it is done, and what is being
 * done. There is one per program, which shows nothing until it is allowed to, and any line that is
 * said takes it away. All but mrl_progress__hide() belongs to the thread that works.
 */
#ifndef MRL_COMMAND_OPTIONS_PROGRESS_H
#define MRL_COMMAND_OPTIONS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/** The row of -q for verbs that have nothing else to be quiet about; `at`: of a bool. */
#define MRL_PROGRESS_ROW(at)                                                       \
    {                                                                              \
        .name = "quiet", .letter = 'q', .type = MRL_OPTION_SWITCH, .offset = (at), \
        .doc = "Show no progress; there is none but on a terminal."                \
    }

/** Lets a bar be shown, unless it is to be quiet, standard error is no terminal or a dumb one, or
 * the environment has CI. */
void mrl_progress__allow(bool quiet);

/** Begins a work of `total` parts, 0: nobody knows. `unit` (static) is what is counted on the way,
 * such as "lines"; NULL: nothing is. */
void mrl_progress__begin(uint64_t total, const char *unit);

/** So many parts are done, and so much was counted. Cheap; shown some five times a second. */
void mrl_progress__at(uint64_t done, uint64_t count);

/** So many parts are done, and this is next: shown at once. */
void mrl_progress__step(uint64_t done, const char *next);

/** Takes the bar away until it is shown again, so that something else can be printed. Any thread.
 */
void mrl_progress__hide(void);

/** The work is done. */
void mrl_progress__end(void);

#endif
