/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main process's end of one side program. A thread of its own, the keeper, starts it, hears it,
 * and starts it again; the output's thread feeds it (feed.c).
 */
#ifndef MRL_SIDE_COMMON_KEEPER_H
#define MRL_SIDE_COMMON_KEEPER_H

#include <stdatomic.h>

#include "side/common/allowance.h"
#include "side/common/message.h"
#include "side/common/sides.h"
#include "spool/spool.h"

enum mrl_side_state {
    MRL_SIDE_DOWN, /* it will be started again */
    MRL_SIDE_OPENING,
    MRL_SIDE_UP,
    MRL_SIDE_GONE, /* for good */
};

enum { MRL_FLIGHT_MAX = 8 /* messages of one write */ };

/** Chunks that were sent and have no verdict yet: those of one write. */
struct mrl_flight {
    uint32_t first; /* id of the first */
    unsigned int sent, answered;
    uint32_t items[MRL_FLIGHT_MAX];
    size_t taken;     /* items, up to the first that was not */
    int err;          /* of that */
    size_t seen;      /* items that have a verdict */
    uint8_t *refused; /* mrl_chunk.refused; NULL: nobody asks */
};

/** The sink of the main process. */
struct mrl_sink {
    struct mrl_sides *sides;
    const struct mrl_sink_ops *row;
    unsigned int program; /* of the starter's */
    char *destination, *format;
    void *options;
    uint64_t give_up_ns;
    struct mrl_spool *spool;     /* NULL: there is none */
    struct mrl_encoder *encoder; /* of what the spool lost; the keeper's */
    atomic_bool awaits;          /* the program wants to know what is appended */
    int fds[MRL_SINK_FDS_MAX];
    void *prepared;
    pthread_t thread;
    bool has_thread;
    atomic_bool rests; /* its thread shall end, and another one go on */
    bool is_alive;     /* there is a program: the keeper's */
    int wake;          /* an eventfd */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* what the lock guards */
    /* With the lock. */
    enum mrl_side_state state;
    int socket;
    atomic_uint lives; /* how often it was started; written by the keeper, with the lock */
    bool ending;
    struct mrl_sent sent, sent_before; /* by this program, and by those before it */
    struct mrl_flight flight;
    uint32_t next_id;
    struct mrl_error open_error; /* of the first start */
    int open_err;
    bool reopening;
    struct mrl_error reopen_error;
    int reopen_err, end_err;
    /* The keeper's. */
    pid_t pid; /* 0, and pidfd -1: it is a service of its own */
    int pidfd;
    int64_t started_ms, pinged_ms, due_ms; /* due: since when an answer is; 0: it is not */
    int64_t end_ms;                        /* since when it shall end; 0: it goes on */
    int64_t look_ms;                       /* when it looks again whether the run is ready */
    bool told_ready, told_end;
    bool is_deaf;        /* it reads no answers, of late */
    int said_err;        /* why it could not be started, as was said last; 0: it could */
    const char *why;     /* it was ended; NULL: it ended by itself */
    char death[128];     /* how it ended, the last time */
    unsigned int deaths; /* one after the other, without 10 s of health */
    struct mrl_allowance requests, wishes, strangers, lookups, segments, refusals, renewals, lines,
        unasked;
    int64_t talks_since_ms; /* more than it may, without a pause; 0: it does not */
    char buffer[MRL_SIDE_MESSAGE_MAX];
};

/** Starts the program, and tells it what to open. Errors: of the starter, with a line. */
int mrl_keeper__open(struct mrl_sink *sink, struct mrl_error *error);

/** Ends the program in time, and the thread. Returns what the program's close() did. */
int mrl_keeper__end(struct mrl_sink *sink);

/** With the lock held. Waits for a change, up to 20 ms. */
void mrl_keeper__wait(struct mrl_sink *sink);

/** Sends what is to be opened, as a message of type OPEN or REOPEN. With the lock held. */
int mrl_keeper__send_target(struct mrl_sink *sink, enum mrl_side_type type);

/** Takes what the program says (hear.c), up to a bound, after which it pauses. Returns whether it
 * goes on; false with `why`: it broke a rule, or could not be opened. The keeper's thread. */
bool mrl_keeper__hear(struct mrl_sink *sink);

/** With the lock held. Reads anew what the options name (feed.c). Errors: of the row's renew(). */
int mrl_keeper__renew(struct mrl_sink *sink, struct mrl_error *error);

/** Answers a request (answer.c). Returns 0; -EPROTO it breaks a rule; -EAGAIN the answer has to
 * wait for room. */
int mrl_keeper__answer(struct mrl_sink *sink, struct mrl_side_message *message);

/** Hands on what is said of containers (names/answers.c). Error: -EPROTO. The keeper's thread. */
int mrl_keeper__named(struct mrl_sink *sink, const struct mrl_side_message *message);

/** With the lock held: the program is gone, and what it has sent counts on (hear.c). */
void mrl_keeper__keep_sent(struct mrl_sink *sink);

/** Says whether the run is ready, where that is not what was said last (answer.c). What finds no
 * room is said at the next round. */
void mrl_keeper__say_ready(struct mrl_sink *sink);

/** Says how many of its lines were left out, once a second is over. */
void mrl_keeper__say_left_out(struct mrl_sink *sink);

#endif
