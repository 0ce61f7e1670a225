/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module that serves gRPC, and what it asks of the program. gRPC is large, and most runs do not
 * want it: the program loads the module when an output names it, and nothing else links it.
 */
#ifndef MRL_GRPC_MODULE_H
#define MRL_GRPC_MODULE_H

#include <mrelease/plugin.h>
#include <mrelease/sink.h>

/** Increment when one of these structures changes. */
#define MRL_GRPC_MODULE_VERSION 2

/** The name under which dlsym() finds a struct mrl_grpc_module. */
#define MRL_GRPC_MODULE_SYMBOL "mrl_grpc_module"

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

struct mrl_grpc_module {
    unsigned int version; /* MRL_GRPC_MODULE_VERSION */
    /**
     * The sink of the format "grpc". Its destination is "unix:PATH" or "tcp:HOST:PORT". A chunk is
     * handed to the clients and never waits for them.
     */
    const struct mrl_sink_ops *sink;
    /** How the next server that is opened serves: "mode=0660,group=adm,on-full=disconnect". What
     * is wrong with it, open() says. */
    void (*prepare)(bool is_main, const char *settings);
    /** Before the first open(); `program` is borrowed for as long as the module is used. */
    void (*begin)(const struct mrl_grpc_program *program);
    /** The probes are proven, and events will come: the servers are SERVING. */
    void (*ready)(void);
};

#endif
