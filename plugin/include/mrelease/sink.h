/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Sinks: where encoded events go. A sink is one file that ends in one struct mrl_sink_ops. It knows
 * its destination and nothing else: threads, queues, retries, counting and the choice of format are
 * the caller's. All functions of one sink are called by one thread at a time.
 */
#ifndef MRELEASE_SINK_H
#define MRELEASE_SINK_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/item.h>
#include <mrelease/option.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** Each sink extends this by its own members. */
struct mrl_sink;
struct mrl_sides;

struct mrl_sink_ops;
struct mrl_encoder_options;

/** No sink wants more descriptors than this. */
#define MRL_SINK_FDS_MAX 4

/**
 * Whole lines, `events` of them, one per event; or, with 0 events, what precedes the first. In a
 * binary format, whole frames. Borrowed during write().
 */
struct mrl_chunk {
    const char *bytes;
    size_t size;
    size_t events;
    /**
     * NULL, or becomes nonzero while write() waits (read it with an atomic load): the output is
     * given up. A signal then ends system calls with EINTR, and write() must return -ECANCELED.
     */
    const int *stop;
    /** The size of each of the events, in bytes; NULL: not known. Borrowed during write(). */
    const uint32_t *sizes;
    /** Of each of the events: write() sets what the destination refused for good, which counts
     * among those that it took. NULL: nobody asks. */
    uint8_t *refused;
};

/** What became of an item at a destination that says so. */
enum mrl_item_verdict {
    MRL_VERDICT_AGAIN,   /**< not taken, or not known to be: it is to be sent again */
    MRL_VERDICT_TAKEN,   /**< the destination has it */
    MRL_VERDICT_REFUSED, /**< it will never take this item; those behind it are not held up */
    /** Nothing will be taken until somebody mends the configuration, here or there: a wrong
     * password, a topic that does not exist. No fault of the item, which is not lost. */
    MRL_VERDICT_MISCONFIGURED,
};

enum { MRL_REASONS_MAX = 8 };

/** What deliver() answers; zeroed by the caller but for `verdicts`. */
struct mrl_delivery {
    /** Of each item, enum mrl_item_verdict, and 1 + the index of its reason; MRL_VERDICT_AGAIN and
     * 0 where deliver() says nothing. The caller's. */
    struct mrl_judged {
        uint8_t verdict, reason;
    } * judged;
    /** The destination asks for that long a pause; 0: it does not. */
    uint32_t wait_ms;
    /** The request was too large, or one item of it spoils the rest and it is not known which: the
     * caller sends it in halves; one item alone that is too large is refused. */
    bool halve;
    /** Whatever was not taken: why, one line each, without any secret. */
    unsigned int reason_count;
    struct mrl_error reasons[MRL_REASONS_MAX];
};

/** Judges an item; its line is kept, unless there are too many different ones already: then the
 * last one stands for it. `format` NULL: no reason. */
__attribute__((format(printf, 4, 5))) void mrl_delivery__judge(struct mrl_delivery *delivery,
                                                               size_t item,
                                                               enum mrl_item_verdict verdict,
                                                               const char *format,
                                                               ...);

/** The same of `count` items from `first` on. */
__attribute__((format(printf, 5, 6))) void mrl_delivery__judge_all(struct mrl_delivery *delivery,
                                                                   size_t first,
                                                                   size_t count,
                                                                   enum mrl_item_verdict verdict,
                                                                   const char *format,
                                                                   ...);

/** Items for deliver(); borrowed. */
struct mrl_items {
    const struct mrl_item *items;
    size_t count;
    size_t size; /**< of all bytes */
    /** As mrl_chunk.stop: nonzero, deliver() returns soon, with what it knows. */
    const int *stop;
    /** What the next deliver() begins with once these are taken, if nothing happens: a destination
     * that can have two requests on their way may send it before it waits. Borrowed until this
     * deliver() returns: what was sent is known by its head. */
    const struct mrl_item *ahead;
    size_t ahead_count; /**< 0: nothing is known of it */
};

/** A directory that keeps what a destination did not acknowledge. */
struct mrl_sink_spool {
    char directory[1024]; /**< "": there is none */
    uint64_t size;        /**< budget in bytes; 0: 1 GiB */
    int sync;             /**< 0: with each write; 1: once a second; 2: when the kernel does */
};

/** At least the rows of the event table. */
#define MRL_KEPT_EVENTS 32

/** What a sink keeps until its destination has acknowledged it. */
struct mrl_kept {
    uint64_t bytes;     /**< on the disk */
    uint64_t pending;   /**< items */
    uint64_t oldest_ns; /**< of the oldest that is pending, since the epoch; 0: not known */
    /** Of each event, in all runs: appended = taken + refused + lost + what is pending. */
    struct mrl_kept_counts {
        uint64_t appended;
        uint64_t taken;   /**< acknowledged by the destination */
        uint64_t refused; /**< by the destination, for good */
        uint64_t lost;    /**< to the budget, or to damage */
    } of[MRL_KEPT_EVENTS];
};

/** How a destination that says what it took was reached. */
struct mrl_sent {
    uint64_t retries;         /**< requests with an item that had been sent before */
    uint64_t resent;          /**< such items */
    uint64_t last_success_ns; /**< when it last took an item, since the epoch; 0: never */
};

/** What open() shall open. Borrowed until it returns. */
struct mrl_sink_target {
    /** Its meaning is the sink's own. */
    const char *destination;
    /** The name of the format that will be written. */
    const char *format;
    /** The sink's own options, as its rows set them; NULL: all are left out. */
    const void *options;
    /** What prepare() opened, MRL_SINK_FDS_MAX of them; open() takes them over. NULL: there is no
     * prepare(). */
    const int *fds;
    /** Who starts side programs; NULL: nobody. */
    struct mrl_sides *sides;
    /** Opening fails where it would wait for others: for who reads a FIFO. */
    bool no_wait;
    /** Whose open() it is. */
    const struct mrl_sink_ops *ops;
    /** Of a sink that takes items: where they are kept; NULL: in memory alone. */
    const struct mrl_sink_spool *spool;
    /** Of a sink that takes items: how long one is tried before it is refused; 0: for ever. */
    uint64_t give_up_ns;
    /** How the events are encoded, for those that the sink adds; NULL: it adds none. */
    const struct mrl_encoder_options *encoder;
};

/** How a side program is. */
struct mrl_life {
    bool is_up;          /**< it is there, and open */
    unsigned int starts; /**< how often it was started */
};

/** Who of those that read an output may change what the sensor does. */
enum mrl_control {
    MRL_CONTROL_NOBODY,
    MRL_CONTROL_OWNER, /**< root and the sensor's own user, by a unix socket */
    MRL_CONTROL_ALL,   /**< whoever is served */
};

/**
 * A kind of destination. Static. Required are name, doc, open, write and close; what is left out
 * means none. Everything that is to be known of a sink, by the program too, is said here.
 */
struct mrl_sink_ops {
    const char *name;
    /** One sentence for help texts. */
    const char *doc;
    /** How people write the destination, "PATH"; formats of its own are put before it. */
    const char *usage;
    /**
     * Words that choose this sink; ends with NULL. One that ends in a colon, or in a '+' before a
     * URL, stands before the destination that open() is given; one that ends in "://" is its
     * beginning; any other is the whole destination.
     */
    const char *const *schemes;
    /** Other programs' words for it; ends with NULL. Whoever writes one is told the right one. */
    const char *const *foreign;
    /** Formats that are for this sink alone; ends with NULL. NULL: it takes any format of lines. */
    const char *const *formats;
    /** The destination where none is given; NULL: there must be one. Of the sinks that take lines,
     * one has it. */
    const char *preset;
    /** The option of a run that names the destination in place of --output. */
    const char *option;
    /** Destinations are paths: one file in two spellings is noticed. The first such sink that takes
     * lines takes what holds no scheme. */
    bool is_path;
    /** Several outputs may have the same destination. */
    bool shareable;
    /** Who reads it may enable and disable events, and change the log level: who, by the options of
     * an output. NULL: nobody can ask. */
    enum mrl_control (*control)(const void *options);
    /** What it takes is published: whether anybody reads it is not known. */
    bool publishes;
    /** What it is given is there when the run has ended: a run of which it lost an event fails. */
    bool keeps;
    /**
     * Neither write() nor reopen() ever waits for anybody. The pipeline then calls them on the
     * reader's thread, with the bytes that it encoded: there is no queue, no thread and no second
     * try.
     */
    bool never_blocks;
    /** It is given items: its side program has deliver(). */
    bool takes_items;
    /** The side program in which the sink lives, libexec/mrelease/NAME (mrelease/side.h); NULL: it
     * lives in this process. */
    const char *side;
    /** Options, given as "FORMAT,NAME=VALUE:DESTINATION": the rows of a structure of
     * `option_bytes`, which is copied, and is zeroed where nothing was said. */
    const struct mrl_option *options;
    unsigned int option_count;
    size_t option_bytes;
    /** Whether a target could be opened, as far as words can tell. Touches nothing. Error: -EINVAL,
     * with a line. */
    int (*check)(const struct mrl_sink_target *target, struct mrl_error *error);
    /**
     * Opens what a process without rights could not: sockets, files with secrets. Before each
     * open(), and by another process than open() where the sink lives in a side program, which may
     * die and be opened again. `options` is a copy of target.options, of `option_bytes`, that
     * open() is given; it may be changed. `fds`: MRL_SINK_FDS_MAX of -1. `*ret_prepared` is new.
     * Errors, and notes, as open().
     */
    int (*prepare)(const struct mrl_sink_target *target,
                   void *options,
                   int *fds,
                   struct mrl_error *error,
                   void **ret_prepared);
    /** Before reopen(): opens anew what may be another by now, in place of what `fds` holds, which
     * is closed. After an error, nothing has changed. NULL: nothing may be. */
    int (*renew)(void *prepared,
                 const struct mrl_sink_target *target,
                 int *fds,
                 struct mrl_error *error);
    /** Takes back what prepare() made; its descriptors are closed. After close(). */
    void (*unprepare)(void *prepared);
    /**
     * Opens the target. May block. `*ret_sink` is new.
     * Fails with -errno and one line in `error`, having changed nothing outside. On success a line
     * there, which was empty before, is a note for the log: something was found and mended.
     */
    int (*open)(const struct mrl_sink_target *target,
                struct mrl_error *error,
                struct mrl_sink **ret_sink);
    /**
     * Takes a chunk; may block, but see mrl_chunk.stop. Returns 0 when all of it was taken. Else
     * -errno, and `*ret_events` is the number of whole lines that were; the rest is the caller's to
     * count. -EPIPE is final: nobody will ever read again. After any other error the next write()
     * may succeed, and must then not join its first line to a torn one.
     */
    int (*write)(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events);
    /**
     * In place of write(), of a sink in a side program whose destination says what it took:
     * delivers items, in their order, and waits until it is known what became of each. It keeps no
     * item, queue, thread or counter, and never tries again by itself: pauses, retries, halving and
     * what is refused for good are the caller's. One code of failure, one class: a table in the
     * sink's file says which.
     */
    void (*deliver)(struct mrl_sink *sink,
                    const struct mrl_items *items,
                    struct mrl_delivery *ret_delivery);
    /**
     * Of a sink with deliver(), once before the first call of that: whether the destination can be
     * reached. Connects, as far as it can within some seconds, and sends nothing. `stop` as of
     * deliver(). -errno, with a line. NULL: that cannot be told.
     */
    int (*look)(struct mrl_sink *sink, const int *stop, struct mrl_error *error);
    /** Of a sink with deliver(): items and bytes of a request; 0: 4,096, and 1 MiB. */
    unsigned int request_items;
    size_t request_bytes;
    /** Opens the destination anew (log rotation). Returns 0 when it is still the same, 1 when it is
     * another, which is then told what precedes the first line. On -errno the old one stays in use.
     * Notes as open(). */
    int (*reopen)(struct mrl_sink *sink, struct mrl_error *error);
    /** The time of the last event that was there when it was opened, ns since the epoch; 0: none is
     * known of. */
    uint64_t (*seen_until)(const struct mrl_sink *sink);
    /** Of one that lives in a side program: how that is. Any thread, beside its other functions. */
    void (*life)(struct mrl_sink *sink, struct mrl_life *ret_life);
    /** Of one that takes items: how they were sent so far, as of a second ago. Any thread, beside
     * its other functions. */
    void (*sent)(struct mrl_sink *sink, struct mrl_sent *ret_sent);
    /** What it keeps. Any thread, beside its other functions. Returns false where it keeps nothing.
     */
    bool (*kept)(struct mrl_sink *sink, struct mrl_kept *ret_kept);
    /**
     * How many bytes the destination takes before rotate() is due: the caller goes on up to the end
     * of the line that passes them. 0: rotate() comes before anything else is written.
     */
    uint64_t (*room)(const struct mrl_sink *sink);
    /** Leaves what was written under another name, and begins anew. Returns as reopen(). After an
     * error, room() says when to try again. */
    int (*rotate)(struct mrl_sink *sink, struct mrl_error *error);
    /** Asked before each write. Returns 1, with a line in `note`, when the destination is about to
     * be full; once, until it was not. */
    int (*notice)(struct mrl_sink *sink, struct mrl_error *note);
    /** Of paths: whether one destination may ever write to the other, whose directory is the same:
     * by a time in its name, or when it is rotated. */
    bool (*meets)(const char *one, const char *other);
    /** Columns of the terminal that it is; 0: it is none. Lets a format choose colours, and fit. */
    unsigned int (*columns)(const struct mrl_sink *sink);
    /**
     * Whether write() only copies to the page cache of this host, which takes microseconds unless
     * the disk is behind. The pipeline may then call it on the reader's thread; after a write that
     * was slow or failed, for a while no more. NULL: it may wait for others. Asked again after each
     * reopen().
     */
    bool (*is_quick)(const struct mrl_sink *sink);
    /** As close(), for a sink that was never written to: takes back what open() made. */
    int (*abandon)(struct mrl_sink *sink);
    /** Hands everything to the destination and frees the sink. -errno when something was lost. */
    int (*close)(struct mrl_sink *sink);
};

/** No sink has more bytes of options than this. */
#define MRL_SINK_OPTIONS_MAX ((size_t)2048)

/** The sinks that are known. Static. */
const struct mrl_sink_ops *const *mrl_sink__all(unsigned int *ret_count);

/**
 * The sink of the format "capture", the one sink that takes it. Its destination is the path of a
 * file that does not exist yet, is empty, or holds a recording, which becomes PATH.1 when there is
 * something to record; or of a FIFO. Symbolic links, and files that hold anything else, are
 * refused. A chunk is taken as a whole or not at all. A file without events stays empty.
 */
const struct mrl_sink_ops *mrl_capture__sink(void);

/**
 * For sinks on a descriptor: writes a chunk, over short writes and EINTR, with the contract of
 * mrl_sink_ops.write. `*torn` is whether a line was cut by an earlier failure; it is repaired here.
 */
int mrl_sink__write_fd(int fd, bool *torn, const struct mrl_chunk *chunk, size_t *ret_events);

/** For sinks on a descriptor: mrl_sink_ops.is_quick of a regular file on a file system that waits
 * for no other host or process. */
bool mrl_sink__is_quick_fd(int fd);

/** For sinks on a descriptor: mrl_sink_ops.columns. */
unsigned int mrl_sink__columns_fd(int fd);

/**
 * For sinks on a descriptor that may be a pipe or a FIFO: lets it hold 1 MiB where that is allowed
 * (pipe(7): /proc/sys/fs/pipe-max-size, and pipe-user-pages-soft for all pipes of a user), so that
 * writer and reader take turns less often. Does nothing to other descriptors.
 */
void mrl_sink__widen_pipe(int fd);

MRL_END_DECLARATIONS

#endif
