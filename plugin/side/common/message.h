/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the main process and a side program say to each other, over one pair of SOCK_SEQPACKET
 * sockets. A message is a head and a payload, at most MRL_SIDE_MESSAGE_MAX bytes; it is sent whole
 * or not at all. Neither end believes the other: a message that breaks a rule is -EPROTO, and the
 * end of the conversation.
 */
#ifndef MRL_SIDE_COMMON_MESSAGE_H
#define MRL_SIDE_COMMON_MESSAGE_H

#include <errno.h>
#include <mrelease/metrics.h>
#include <mrelease/side.h>
#include <mrelease/sink.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/uio.h>

/** The first argument of a side program that serves; the second is the word of its sandbox. */
#define MRL_SIDE_SERVE "serve"

/** Increment when a message, or what it carries (mrelease/sink.h, frames of formats), changes. */
#define MRL_SIDE_VERSION 7

enum {
    MRL_SIDE_MESSAGE_MAX = 64 * 1024,
    MRL_SIDE_ITEMS_MAX = 1024,       /* of a chunk */
    MRL_SIDE_TEXT_MAX = 512,         /* with its NUL */
    MRL_SIDE_LINES_MAX = 10,         /* of the log, in a second */
    MRL_SIDE_LEFT_OUT_MAX = 1000000, /* lines that one line says were left out */
    MRL_SIDE_SOCKET = 3,             /* the descriptor that a side program finds */
    MRL_SPOOL_FDS =
        2, /* a sink's descriptors from here on: its spool's cursor and refused.ndjson */
};

enum mrl_side_type {
    /* To the side program. */
    MRL_SIDE_OPEN = 1, /* struct mrl_side_open; descriptors of the sink */
    MRL_SIDE_READY,    /* `err` 0: the sensor is ready (mrl_health); else it is so no more */
    MRL_SIDE_CHUNK,    /* `count` sizes, then the bytes of the items */
    MRL_SIDE_REOPEN,   /* struct mrl_side_open, descriptors */
    MRL_SIDE_PING,
    MRL_SIDE_ANSWER, /* to the request `id`: `err`; bytes, or after an error a text */
    MRL_SIDE_END,
    MRL_SIDE_GROWN,  /* the spool has more than it had */
    MRL_SIDE_LOOKUP, /* `count` of struct mrl_side_lookup: side/common/names/frames.h */
    /* To the main process. */
    MRL_SIDE_OPENED,   /* `err`, and a text */
    MRL_SIDE_VERDICT,  /* of the chunk `id`: `count` of struct mrl_side_verdict */
    MRL_SIDE_LOG,      /* `err`: the level, `count`: lines before it that it left out; a text */
    MRL_SIDE_REQUEST,  /* `id`, struct mrl_side_request; the descriptor of a connection */
    MRL_SIDE_REOPENED, /* `err`, and a text */
    MRL_SIDE_PONG,     /* struct mrl_sent, of a sink that takes items */
    MRL_SIDE_ENDED,    /* `err`: something was lost */
    MRL_SIDE_NAMED,    /* `count` containers: side/common/names/frames.h */
    MRL_SIDE_LISTED, /* all that was there when the program began is named, by who could be reached
                      */
    MRL_SIDE_TYPES,
};

struct mrl_side_head {
    uint16_t version, type;
    uint32_t size; /* of the payload */
    uint32_t id, count;
    int32_t err; /* 0 or -errno */
};

/** What to open: then follow the options, and with their NUL the destination, the format and the
 * name of the sink. */
struct mrl_side_open {
    uint32_t option_bytes;
    uint32_t fds; /* bit i: sink descriptor i is among those that come with the message */
    uint64_t give_up_ns;
};

/** What stands for an item that the destination refused for good: the shipper is done with it. */
#define MRL_SIDE_REFUSED (-EBADMSG)

/** `count` items of a chunk, one behind the other, were taken (0), refused, or not. */
struct mrl_side_verdict {
    uint32_t count;
    int32_t err;
};

enum mrl_side_asked {
    MRL_SIDE_METRICS,
    MRL_SIDE_ENABLE,    /* `argument`: the event's table index */
    MRL_SIDE_DISABLE,   /* likewise */
    MRL_SIDE_LOG_LEVEL, /* `argument`: enum mrl_log_level */
    MRL_SIDE_SEGMENT,   /* of the spool: `number`, or the next; the answer has its descriptor,
                           unless it is that of the segment `place`, which is open */
    MRL_SIDE_MISSING,   /* `number` of the event `argument` are missing before the item `place`;
                           the answer is an item that tells it */
    MRL_SIDE_HEALTH,    /* the answer has checks */
    MRL_SIDE_FILES,     /* those of the options, read again: the answer has their descriptor */
    MRL_SIDE_ASKED_COUNT,
    /* What 'mrelease ctl' asks for at the control socket, beside the wishes above. */
    MRL_SIDE_STATUS = 64,
    MRL_SIDE_RELOAD,
};

struct mrl_side_request {
    uint32_t asked; /* enum mrl_side_asked */
    uint32_t argument;
    uint64_t number, place, time_ns;
};

/** In `argument` of MRL_SIDE_MISSING: because of damage, not of the budget. */
#define MRL_SIDE_DAMAGED (1U << 16)

/** The answer to MRL_SIDE_SEGMENT: as struct mrl_spool_grant. */
struct mrl_side_segment {
    uint64_t number, end;
    uint32_t is_last, reserved;
};

/** A message that was received. `bytes` is borrowed from the buffer; descriptors are whoever's
 * received it, to close. */
struct mrl_side_message {
    struct mrl_side_head head;
    const char *bytes;
    int fds[MRL_SINK_FDS_MAX];
    unsigned int fd_count;
};

/**
 * Receives into `buffer` of MRL_SIDE_MESSAGE_MAX bytes, without waiting. `fds_max`: more
 * descriptors than that are closed, and -EPROTO. Returns 1; 0 at the end; -EAGAIN nothing is there;
 * -EPROTO; as recvmsg().
 */
int mrl_side_message__receive(int socket,
                              char *buffer,
                              unsigned int fds_max,
                              struct mrl_side_message *ret_message);

/** Closes the descriptors that came with it. */
void mrl_side_message__close(struct mrl_side_message *message);

/** Sends a head (`version` and `size` are filled in here) and up to four parts behind it, without
 * waiting; `fds` are lent. Returns 0 or -errno: -EAGAIN there is no room, -EPIPE, -ECONNRESET. */
int mrl_side_message__send(int socket,
                           struct mrl_side_head head,
                           const struct iovec *parts,
                           unsigned int part_count,
                           const int *fds,
                           unsigned int fd_count);

/** Sends a head and a text, as send(). */
int mrl_side_message__say(int socket, struct mrl_side_head head, const char *text);

/** The text of a message: its payload, tamed and cut. Returns `text`. */
const char *mrl_side_message__text(const struct mrl_side_message *message,
                                   char text[MRL_SIDE_TEXT_MAX]);

/** A chunk that was received: everything is borrowed from the message. */
struct mrl_side_chunk {
    const char *sizes; /* `count` of uint32_t, at any alignment */
    uint32_t count;
    const char *bytes;
    size_t size;
};

/** Error: -EPROTO: the sizes are not those of the bytes. */
int mrl_side_chunk__read(const struct mrl_side_message *message, struct mrl_side_chunk *ret_chunk);

/** How many items of `items` are dealt with, and `*ret_err` of the first that is not; `refused`, of
 * each item, or NULL: becomes 1 where it was refused. Error: -EPROTO: the verdicts are not about so
 * many. */
int mrl_side_verdicts__read(const struct mrl_side_message *message,
                            uint32_t items,
                            uint32_t *ret_taken,
                            int *ret_err,
                            uint8_t *refused);

/** What was to be opened; borrowed from the message. */
struct mrl_side_target {
    const char *options;
    size_t option_bytes;
    const char *destination, *format, *sink;
    int fds[MRL_SINK_FDS_MAX]; /* -1: none */
    uint64_t give_up_ns;
};

/** Error: -EPROTO. */
int mrl_side_target__read(const struct mrl_side_message *message,
                          struct mrl_side_target *ret_target);

/** What comes with MRL_SIDE_PONG; `*sent` is what came before, of the same program, and stays so
 * where there is nothing. Error: -EPROTO: it counts backwards. */
int mrl_side_sent__read(const struct mrl_side_message *message, struct mrl_sent *sent);

/** The answer to MRL_SIDE_HEALTH, of `size` bytes: the checks, one behind the other. Error:
 * -EPROTO.
 */
int mrl_side_health__read(const char *bytes, size_t size, struct mrl_health *ret_health);

/** Error: -EPROTO. */
int mrl_side_request__read(const struct mrl_side_message *message,
                           struct mrl_side_request *ret_request);

#endif
