/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module that serves gRPC, and what it asks of the program. gRPC is large, and most runs do not
 * want it: the program loads the module when an output names it, and nothing else links it.
 */
#ifndef MRL_GRPC_COMMON_MODULE_H
#define MRL_GRPC_COMMON_MODULE_H

#include <mrelease/plugin.h>
#include <mrelease/sink.h>

/** Increment when one of these structures changes. */
#define MRL_GRPC_MODULE_VERSION 4

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

/** Whom a client calls. */
struct mrl_grpc_peer {
    const char *server; /* "unix:PATH" or "tcp:HOST:PORT" */
    const char *ca;     /* path of PEM: who signed the server's certificate; NULL: no TLS */
    const char *cert;   /* of this client, with its key; NULL: none */
    const char *key;    /* both or none */
    int timeout_ms;     /* of a call that is no stream */
    const int *stop;    /* becomes nonzero (an atomic load): a call ends with -ECANCELED */
};

enum { MRL_GRPC_POLICIES_MAX = 16 };

/** What a client wants of StreamEvents. */
struct mrl_grpc_subscription {
    const char *format;
    const char *mask; /* paths, separated by commas; NULL: all fields */
    const char *policies[MRL_GRPC_POLICIES_MAX];
    unsigned int policy_count;
    uint64_t count; /* ends after so many events; 0: never */
    bool waits;     /* for a server that is not there yet */
};

/** What clients do. All print to standard output, and say the rest in the program's log. Errors:
 * -EINVAL an address, a file or a setting; -ECONNREFUSED no server; -EPROTO it answers with a
 * status or with what is none; -EPIPE standard output takes nothing; -ECANCELED; each with a line.
 */
struct mrl_grpc_client {
    /** Prints events until the end that is asked for, over restarts of the server. */
    int (*stream)(const struct mrl_grpc_peer *peer,
                  const struct mrl_grpc_subscription *subscription,
                  struct mrl_error *error);
    /** Prints the counters, as a table or as JSON. */
    int (*metrics)(const struct mrl_grpc_peer *peer, bool json, struct mrl_error *error);
    /** Prints how the service fares ("": the server); `watches`: at each change, without an end.
     * `*ret_serves` is what was said last. */
    int (*health)(const struct mrl_grpc_peer *peer,
                  const char *service,
                  bool watches,
                  bool *ret_serves,
                  struct mrl_error *error);
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
