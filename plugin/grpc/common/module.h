/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module that serves gRPC, and what it asks of the program. gRPC is large, and most runs do not
 * want it: the program loads the module when an output names it, and nothing else links it.
 */
#ifndef MRL_GRPC_COMMON_MODULE_H
#define MRL_GRPC_COMMON_MODULE_H

#include <mrelease/sink.h>

#include "grpc/common/program.h"
#include "grpc/common/verbs.h"

/** Increment when one of these structures changes. */
#define MRL_GRPC_MODULE_VERSION 4

/** The name under which dlsym() finds a struct mrl_grpc_module. */
#define MRL_GRPC_MODULE_SYMBOL "mrl_grpc_module"

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
    /** Whether a server could be asked for so, as far as words can tell. Error: -EINVAL, with a
     * line. */
    int (*check)(const char *settings, const char *destination, struct mrl_error *error);
    /** Before the first open(); `program` is borrowed for as long as the module is used. */
    void (*begin)(const struct mrl_grpc_program *program);
    /** The probes are proven, and events will come: the servers are SERVING. */
    void (*ready)(void);
    /** After begin(). */
    const struct mrl_grpc_client *client;
};

#endif
