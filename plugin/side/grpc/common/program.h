/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What server and client ask of whoever runs them: the main process behind its socket, or the
 * terminal. One per process.
 */
#ifndef MRL_GRPC_COMMON_PROGRAM_H
#define MRL_GRPC_COMMON_PROGRAM_H

#include <mrelease/metrics.h>
#include <stdatomic.h>
#include <stdbool.h>

/** Functions may be called on any thread. `connection` is the descriptor of the one by which a
 * client asked; -1: it is not known. */
struct mrl_grpc_program {
    void (*log)(enum mrl_log_level level, const char *text);
    /** The registry of the run, new: mrl_metrics__free(). Errors: -ENODEV, the probes are not there
     * yet, or no more; of mrl_metrics__collect(); of mrl_side__ask(). */
    int (*metrics)(struct mrl_metrics **ret_metrics);
    /** Watches an event from now on, or no more. Errors: -ENODEV as metrics(); of
     * mrl_plugin__enable(); -EACCES, who asks may not; each with a line. */
    int (*watch)(unsigned int event, bool on, int connection, struct mrl_error *error);
    /** Errors: as watch(). */
    int (*set_log_level)(enum mrl_log_level level, int connection, struct mrl_error *error);
};

/** Set before anything is opened. */
extern const struct mrl_grpc_program *mrl_grpc_program;

/** Whether the probes are proven, so that events will come. */
extern atomic_bool mrl_grpc_ready;

/** Formats a line for the log. Control characters, which a peer may have written, become '?'. Any
 * thread. */
__attribute__((format(printf, 2, 3))) void mrl_grpc__log(enum mrl_log_level level,
                                                         const char *format,
                                                         ...);

#endif
