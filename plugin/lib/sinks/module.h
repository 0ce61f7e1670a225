/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules: a sink that needs a large library lives in an object of its own, which the program loads
 * when an output wants it. What the two say to each other.
 */
#ifndef MRL_SINKS_MODULE_H
#define MRL_SINKS_MODULE_H

#include <mrelease/metrics.h>
#include <mrelease/plugin.h>
#include <mrelease/sink.h>

/** Increment when one of these structures, or of mrelease/sink.h, changes. */
#define MRL_MODULE_VERSION 8

/** The name under which dlsym() finds the struct mrl_module of a module. */
#define MRL_MODULE_SYMBOL "mrl_module"

/** What a module needs of the program. All functions may be called on any thread. */
struct mrl_module_program {
    void *context;
    const char *version;
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    void (*set_log_level)(void *context, enum mrl_log_level level);
    /** The registry of the run, new: mrl_metrics__free(). Errors: -ENODEV, the probes are not there
     * yet, or no more; of mrl_metrics__collect(). */
    int (*metrics)(void *context, struct mrl_metrics **ret_metrics);
    /** Watches an event from now on, or no more. Errors: -ENODEV as metrics(); of
     * mrl_plugin__enable(), with a line. */
    int (*watch)(void *context, unsigned int event, bool on, struct mrl_error *error);
};

struct mrl_module {
    unsigned int version; /* MRL_MODULE_VERSION */
    /** The row of the sink that names this module, with its functions. */
    const struct mrl_sink_ops *sink;
    /** Before the first open(); `program` is borrowed for as long as the module is used. */
    void (*begin)(const struct mrl_module_program *program);
    /** The probes are proven, and events will come. */
    void (*ready)(void);
    /** What else the module offers to who knows it; NULL: nothing. After begin(). */
    const void *offers;
};

#endif
