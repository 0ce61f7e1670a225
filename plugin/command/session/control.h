/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: what 'mrelease ctl' asks of a run that goes on. A question is one message of
 * the protocol of side programs, and so is the answer; a connection has one of each. The kernel
 * says who asks: all who may connect get the status, and only root and the sensor's own user change
 * anything.
 */
#ifndef MRL_COMMAND_SESSION_CONTROL_H
#define MRL_COMMAND_SESSION_CONTROL_H

#include <mrelease/side.h>
#include <pthread.h>

#include "command/run/control_options.h"
#include "side/common/allowance.h"
#include "sinks/listen/address_unix.h"

enum {
    MRL_CONTROL_PEERS = 16,
    MRL_CONTROL_STRANGERS = 4, /* of them, who may change nothing */
    MRL_CONTROL_TEXT = 48 * 1024,
};

/** What is asked of a run. The thread of the control socket calls them. */
struct mrl_ctl_host {
    /** Writes the status as JSON, at most `size` bytes with the NUL. -errno. */
    int (*status)(void *context, char *text, size_t size);
    /** As mrl_sides_options. */
    int (*fulfil)(void *context, const struct mrl_wish *wish, struct mrl_error *error);
    void (*wished)(void *context, const struct mrl_wish *wish, int err, const char *why);
    /** Asks for a reload; returns its number. */
    unsigned int (*reload)(void *context, int64_t by_uid, int64_t by_pid);
    /** Whether it is over; then 0 or -errno, and what became of it. */
    bool (*reloaded)(void *context, unsigned int number, int *ret_err, char *text, size_t size);
    /** A line of the log, whatever the level. */
    void (*say)(void *context, enum mrl_log_level level, const char *text);
    void *context;
};

/** Somebody at the other end. */
struct mrl_ctl_peer {
    int fd; /* -1: nobody */
    int64_t uid, pid;
    bool may_change;
    int64_t until_ms;    /* CLOCK_MONOTONIC: then it is cut */
    bool waits;          /* for a reload */
    uint32_t id;         /* of its question */
    unsigned int number; /* of the reload */
};

/** Zeroed is closed. */
struct mrl_ctl {
    struct mrl_ctl_host host;
    struct mrl_address address;
    int wake; /* -1: none */
    bool is_open, has_thread;
    pthread_t thread;
    struct mrl_allowance refusals;
    struct mrl_ctl_peer peers[MRL_CONTROL_PEERS];
};

/** Listens where the options say; before the sandbox. A stale socket is replaced. Errors, with
 * a line: as socket(), bind(); -EADDRINUSE another sensor listens there. */
int mrl_ctl__open(struct mrl_ctl *control,
                  const struct mrl_control_options *options,
                  struct mrl_error *error);

/** Starts the thread that answers. Error: -EAGAIN. */
int mrl_ctl__start(struct mrl_ctl *control, const struct mrl_ctl_host *host);

/** Ends it, closes what is open, and removes the socket. Harmless where there is none. */
void mrl_ctl__close(struct mrl_ctl *control);

/** Takes the question of a peer, if it is there, and answers it, or has it wait. Returns false: the
 * conversation is over. */
bool mrl_ctl__hear(struct mrl_ctl *control, struct mrl_ctl_peer *peer);

#endif
