/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that loaded the module, as the module sees it: what it offers, and its log. One per
 * process, as the module is.
 */
#ifndef MRL_GRPC_COMMON_PROGRAM_H
#define MRL_GRPC_COMMON_PROGRAM_H

#include <mrelease/plugin.h>
#include <stdatomic.h>
#include <stdbool.h>

/** What services need of the program. All functions may be called on any thread. */
struct mrl_grpc_program {
    void *context;
    const char *version;
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    void (*set_log_level)(void *context, enum mrl_log_level level);
    /** Counts of an event so far. -ENODEV: the probes are not there yet. */
    int (*counts)(void *context, unsigned int event, struct mrl_event_counts *ret_counts);
    /** Watches an event from now on, or no more. Errors: -ENODEV as counts(); of
     * mrl_plugin__enable(), with a line. */
    int (*watch)(void *context, unsigned int event, bool on, struct mrl_error *error);
};

/** What the services ask of the program; set before anything is opened. */
extern const struct mrl_grpc_program *mrl_grpc_program;

/** Whether the probes are proven, so that events will come. */
extern atomic_bool mrl_grpc_ready;

/** Formats a line for the program's log. Control characters, which a peer may have written, become
 * '?'. Any thread. */
__attribute__((format(printf, 2, 3))) void mrl_grpc__log(enum mrl_log_level level,
                                                         const char *format,
                                                         ...);

#endif
