/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that loaded the module, as the module sees it: what it offers, and its log. One per
 * process, as the module is.
 */
#ifndef MRL_GRPC_COMMON_PROGRAM_H
#define MRL_GRPC_COMMON_PROGRAM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sinks/module.h"

/** What the services ask of the program; set before anything is opened. */
extern const struct mrl_module_program *mrl_grpc_program;

/** Whether the probes are proven, so that events will come. */
extern atomic_bool mrl_grpc_ready;

/** Formats a line for the program's log. Control characters, which a peer may have written, become
 * '?'. Any thread. */
__attribute__((format(printf, 2, 3))) void mrl_grpc__log(enum mrl_log_level level,
                                                         const char *format,
                                                         ...);

#endif
