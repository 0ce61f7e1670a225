/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The pipeline: batches go in, and every output gets every event, encoded in its format, on a
 * thread of its own; or on the reader's thread when its sink never blocks, or while it is quick
 * (mrl_sink_ops.is_quick). An event is encoded once per format. What an output loses is counted,
 * and told in its own stream by events_lost events in place of the gap.
 *
 * Memory. An output takes its queue, an eighth of it for the reserve, a sixteenth of both (at least
 * 64 KiB) for the index, and 600 KiB
 * for writing and encoding; without a queue 256 KiB. The pipeline takes 208 KiB, and 256 KiB for
 * each format. Nothing grows.
 */
#ifndef MRELEASE_PIPELINE_H
#define MRELEASE_PIPELINE_H

#include <mrelease/declare.h>
#include <mrelease/encode.h>
#include <mrelease/error.h>
#include <mrelease/event.h>
#include <mrelease/plugin.h>
#include <mrelease/sink.h>

MRL_BEGIN_DECLARATIONS

struct mrl_pipeline;

/** What happens when an output's queue is full. */
enum mrl_policy {
    MRL_POLICY_BLOCK,       /**< deliver() waits: nothing is lost here, but everybody waits */
    MRL_POLICY_DROP_OLDEST, /**< the oldest lines go, but those that have a share of the reserve */
    MRL_POLICY_DROP_NEWEST, /**< the new line goes, unless it has such a share */
};

/** An output. All texts are borrowed until it is open. */
struct mrl_output_options {
    /** sizeof(struct mrl_output_options): lets the struct grow. */
    size_t size;
    /** What messages call it. */
    const char *name;
    /** As mrl_encoder__new() takes it. */
    const char *format;
    /** NULL: events are only counted. */
    const struct mrl_sink_ops *sink;
    /** As the sink's open() takes it. */
    const char *destination;
    enum mrl_policy policy;
    /** 0: 2 MiB. At least MRL_EVENT_TEXT_MAX. */
    uint64_t queue_bytes;
    /** Never use colours, even on a terminal. */
    bool plain;
    /** On a terminal: as mrl_encoder_options.ascii. */
    bool ascii;
    /** As mrl_encoder_options.wide. */
    bool wide;
    /** As mrl_encoder_options.extras. */
    uint32_t extras;
    /** The sink's own options, borrowed until the output is open; NULL: all are left out. */
    const void *sink_options;
    /** It takes sensor_state. Without, those that come are left out, and are not counted. */
    bool states;
    /** Who starts side programs, for the sinks of mrl_sides__sink(); NULL: nobody. */
    struct mrl_sides *sides;
    /** Of a sink that takes items: where they are kept, borrowed until the output is open. */
    struct mrl_sink_spool spool;
    /** As mrl_sink_target.give_up_ns. */
    uint64_t give_up_ns;
    /** As mrl_sink_target.no_wait. */
    bool no_wait;
    /** As mrl_encoder_options.host, borrowed until the output is open. */
    const struct mrl_host_identity *host;
};

/** What mrl_pipeline__reopen() did at an output. */
enum mrl_reopened {
    MRL_REOPEN_NONE,   /**< nobody asked, or there is nothing to reopen */
    MRL_REOPEN_WAITS,  /**< its thread did not come to it yet */
    MRL_REOPEN_SAME,   /**< it is still the same file */
    MRL_REOPEN_MOVED,  /**< it writes to another file now */
    MRL_REOPEN_FAILED, /**< the old one stays in use, or the output was given up; the log says why
                        */
};

/** What became of one event at one output. delivered + dropped + rejected = what was given to
 * deliver(). */
struct mrl_output_counts {
    uint64_t delivered;
    uint64_t dropped_full;   /**< the queue was full */
    uint64_t dropped_failed; /**< the sink failed */
    uint64_t rejected;       /**< the destination refused it for good */
    uint64_t lost_before;    /**< lost on the way here, as events_lost events in the batches said */
};

/** What waits in an output's queue: lines, and gaps between them. */
struct mrl_waiting {
    uint64_t lines, bytes;
    uint64_t size; /**< bytes that find room; 0: it has no queue */
    uint64_t used; /**< of `size`: bytes, or places for lines, whichever is fuller */
};

enum { MRL_LATENCY_BUCKETS = 19 };

/** How late events were: from the exit of their call until all outputs had them, or their queues.
 */
struct mrl_latency {
    uint64_t buckets[MRL_LATENCY_BUCKETS]; /**< how many; the bounds are those of the metric
                                                mrelease_latency_seconds */
    uint64_t count;                        /**< in all */
    uint64_t sum_ns;
};

/** A pipeline without outputs; new. `log` may be NULL; it is called on any thread. Error: -ENOMEM.
 */
int mrl_pipeline__new(void (*log)(void *log_context, enum mrl_log_level level, const char *text),
                      void *log_context,
                      struct mrl_pipeline **ret_pipeline);

/**
 * Opens an output. May block (a FIFO without reader). Returns its index.
 * Errors: -EINVAL unknown format; -ENOSPC more than MRL_OUTPUTS_MAX; -ENOMEM; as the sink's open().
 */
int mrl_pipeline__add(struct mrl_pipeline *pipeline,
                      const struct mrl_output_options *options,
                      struct mrl_error *error);

#define MRL_OUTPUTS_MAX 16

/**
 * Has `died` called, on any thread, when an output takes nothing any more (its reader is gone): for
 * whoever sleeps until the next event. To be set before start(); NULL: nobody is called.
 */
void mrl_pipeline__on_death(struct mrl_pipeline *pipeline,
                            void (*died)(void *context),
                            void *context);

/** Has `waits` called, by the thread that delivers, every 20 ms while it waits for an output that
 * blocks. To be set before start(); NULL: nobody is called. */
void mrl_pipeline__on_wait(struct mrl_pipeline *pipeline,
                           void (*waits)(void *context),
                           void *context);

/**
 * Says whose run it is, as mrl_plugin__run() does; copied. Outputs that take sensor_state then
 * write their own as well: `alive` as the first line of a file that is opened in mid-run, and as
 * the last of one that is left. To be called before start(). Without, or with "", they write none.
 */
void mrl_pipeline__name_run(struct mrl_pipeline *pipeline, const char *run);

/**
 * Begins: starts the threads, and writes what precedes the first line of each output (column
 * titles). To be called once all outputs and the source are open; deliver() does it where it was
 * not done. A pipeline that is freed without it takes back the files that it made. Errors: as the
 * sink's write; -EAGAIN no thread.
 */
int mrl_pipeline__start(struct mrl_pipeline *pipeline, struct mrl_error *error);

/**
 * Gives the first `count` events of a batch to every output, and counts the others as filtered. An
 * events_lost in it becomes part of each output's own gaps. A sensor_state is no event that counts:
 * it is given to the outputs that take it wherever it stands. Waits only for outputs that block,
 * and for one write of an output that was quick until then.
 */
void mrl_pipeline__deliver(struct mrl_pipeline *pipeline,
                           const struct mrl_batch *batch,
                           size_t count);

/** Asks the outputs to reopen what they can (SIGHUP), each on its thread. */
void mrl_pipeline__reopen(struct mrl_pipeline *pipeline);

/** What the last reopen() did at output `output`. Any thread. */
enum mrl_reopened mrl_pipeline__reopened(const struct mrl_pipeline *pipeline, unsigned int output);

/** From now on deliver() waits only while an output makes progress. Any thread, and signal
 * handlers. */
void mrl_pipeline__hurry(struct mrl_pipeline *pipeline);

/** Whether at least one output still takes events. Any thread. */
bool mrl_pipeline__alive(const struct mrl_pipeline *pipeline);

/**
 * Writes what is queued, closes the sinks and ends the threads. An output that makes no progress
 * for `timeout_ms` is given up, and what it held is counted as dropped. Returns 0, or the first
 * -errno that lost something: -ETIMEDOUT for an output that was given up. Idempotent.
 */
int mrl_pipeline__end(struct mrl_pipeline *pipeline, int timeout_ms);

/** Of one output, what end() returns of all: 0, or the -errno that lost something. */
int mrl_pipeline__output_error(const struct mrl_pipeline *pipeline, unsigned int output);

/** Number of outputs, those that are gone among them. What follows may be asked by any thread, but
 * not while mrl_change__apply() runs, and names only until then. */
unsigned int mrl_pipeline__outputs(const struct mrl_pipeline *pipeline);

/** Name of an output. */
const char *mrl_pipeline__output_name(const struct mrl_pipeline *pipeline, unsigned int output);

/** Its destination, as its sink was given it; NULL: it has none. */
const char *mrl_pipeline__output_destination(const struct mrl_pipeline *pipeline,
                                             unsigned int output);

/** It was removed: it is there for its counts, until another output needs its place. */
bool mrl_pipeline__output_is_gone(const struct mrl_pipeline *pipeline, unsigned int output);

/** How many of the event at table index `event` were delivered while that output was not there. The
 * thread that delivers. */
uint64_t mrl_pipeline__absent(const struct mrl_pipeline *pipeline,
                              unsigned int output,
                              unsigned int event);

/** What waits in its queue. */
void mrl_pipeline__waiting(const struct mrl_pipeline *pipeline,
                           unsigned int output,
                           struct mrl_waiting *ret_waiting);

/** How its side program is. Returns false where there is none, or it is closed. */
bool mrl_pipeline__life(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_life *ret_life);

/** How its items were sent; at the end, as of shortly before. Any thread. Returns false where its
 * destination does not say what it took. */
bool mrl_pipeline__sent(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_sent *ret_sent);

/** Its sink; NULL: events are only counted. */
const struct mrl_sink_ops *mrl_pipeline__output_sink(const struct mrl_pipeline *pipeline,
                                                     unsigned int output);

/** Whether what counts as delivered is in its spool, and perhaps not at the destination yet. */
bool mrl_pipeline__output_is_spooled(const struct mrl_pipeline *pipeline, unsigned int output);

/** What the sink of output `output` keeps. Any thread. Returns false where it keeps nothing, or is
 * closed. */
bool mrl_pipeline__kept(const struct mrl_pipeline *pipeline,
                        unsigned int output,
                        struct mrl_kept *ret_kept);

/** How late events were so far; all 0 where the run has no name (mrl_pipeline__name_run()), whose
 * events are of another time. Any thread. */
void mrl_pipeline__latency(const struct mrl_pipeline *pipeline, struct mrl_latency *ret_latency);

/** Counts of the event at table index `event` at output `output`. Any thread; exact when it is
 * quiet. */
struct mrl_output_counts mrl_pipeline__counts(const struct mrl_pipeline *pipeline,
                                              unsigned int output,
                                              unsigned int event);

/** How many events outputs that keep what they get (`keeps` of their sink) have lost that were
 * removed, and whose counts are not there any more; `*ret_err`: of one whose end failed; 0: none's.
 * Any thread. */
uint64_t mrl_pipeline__forgotten(const struct mrl_pipeline *pipeline, int *ret_err);

/** How many of the event at table index `event` deliver() was told to leave out, those that are
 * only known as lost included. Any thread. */
uint64_t mrl_pipeline__filtered(const struct mrl_pipeline *pipeline, unsigned int event);

/** Ends it (with a short time-out) and frees it. NULL is allowed. */
void mrl_pipeline__free(struct mrl_pipeline *pipeline);

/**
 * Outputs that come and go together, while events are delivered: those that stay lose nothing, and
 * notice nothing. new() → add(), remove(), … → start() → apply() → end(); or end() at any time,
 * which takes back what was not applied. One at a time, on one thread; but apply(), which takes
 * microseconds, is for the thread that delivers.
 */
struct mrl_change;

/** Of a pipeline that was started; new. Error: -ENOMEM. */
int mrl_change__new(struct mrl_pipeline *pipeline, struct mrl_change **ret_change);

/** That output will go. Before the add() of one that goes on at the same destination: it begins
 * when the other has written all, and with its counts. */
void mrl_change__remove(struct mrl_change *change, unsigned int output);

/** Opens an output that will come; its numbers begin where those of an earlier one with the same
 * destination ended. Errors: as mrl_pipeline__add(). */
int mrl_change__add(struct mrl_change *change,
                    const struct mrl_output_options *options,
                    struct mrl_error *error);

/** The policy of an output that stays: to block, or to drop the oldest, and so it was before. */
void mrl_change__set_policy(struct mrl_change *change, unsigned int output, enum mrl_policy policy);

/** Starts those that come. Errors: as mrl_pipeline__start(). */
int mrl_change__start(struct mrl_change *change, struct mrl_error *error);

/** From now on the pipeline has these outputs. The thread that delivers, between two batches. */
void mrl_change__apply(struct mrl_change *change);

/** Writes what is queued for those that went, closes them, as mrl_pipeline__end(), and says what
 * they delivered; frees the change. NULL is allowed. */
void mrl_change__end(struct mrl_change *change, int timeout_ms);

MRL_END_DECLARATIONS

#endif
