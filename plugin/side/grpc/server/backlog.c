// SPDX-License-Identifier: Apache-2.0
/* Messages of the recent past. */
#include "side/grpc/server/backlog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "encode/grpc.h"
#include "side/grpc/server/chosen.h"

/* A slice that a client still holds keeps its whole block in memory, so blocks are small. */
enum { BLOCK_BYTES = 16 * 1024, BLOCK_COUNT = MRL_BACKLOG_BYTES / BLOCK_BYTES };

struct block {
    grpc_slice bytes; /* its refcount is core's; room for `room` */
    uint32_t room, size;
    struct mrl_missable tally;
    uint64_t time_ns; /* of its last message */
};

/* Blocks of tail to head - 1 are there; the last of them grows. */
struct mrl_backlog {
    pthread_mutex_t lock;
    uint64_t tail, head;
    struct block blocks[BLOCK_COUNT];
    struct mrl_missable put, evicted;
    uint64_t put_ns, evicted_ns; /* of the last of each */
    uint64_t longest_ns;         /* of the gaps that were put */
};

static void add(struct mrl_missable *to, const struct mrl_missable *more)
{
    for (unsigned int cause = 0; cause < MRL_CAUSE_COUNT; cause++)
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
            to->of[cause][event] += more->of[cause][event];
}

static struct block *block_at(struct mrl_backlog *backlog, uint64_t number)
{
    return &backlog->blocks[number % BLOCK_COUNT];
}

int mrl_backlog__new(struct mrl_backlog **ret_backlog)
{
    struct mrl_backlog *backlog = calloc(1, sizeof(*backlog));

    if (!backlog)
        return -ENOMEM;
    pthread_mutex_init(&backlog->lock, NULL);
    *ret_backlog = backlog;
    return 0;
}

/* -- putting ---------------------------------------------------------------------------------- */

/* With the lock held. */
static void evict(struct mrl_backlog *backlog)
{
    struct block *oldest = block_at(backlog, backlog->tail++);

    add(&backlog->evicted, &oldest->tally);
    backlog->evicted_ns = oldest->time_ns;
    /* Slices that core still holds keep the memory until they are sent: only our own reference
     * goes. */
    grpc_slice_unref(oldest->bytes);
}

/* NULL: no memory. */
static struct block *add_block(struct mrl_backlog *backlog, uint32_t size)
{
    uint32_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    /* Outside the lock, for which clients wait. */
    void *bytes = malloc(room);
    struct block *block;

    if (!bytes)
        return NULL;
    pthread_mutex_lock(&backlog->lock);
    if (backlog->head - backlog->tail == BLOCK_COUNT)
        evict(backlog);
    block = block_at(backlog, backlog->head++);
    *block = (struct block){ .bytes = grpc_slice_new(bytes, room, free), .room = room };
    pthread_mutex_unlock(&backlog->lock);
    return block;
}

/* The event that a message is about. */
static uint32_t subject(const struct mrl_grpc_frame *frame)
{
    return frame->lost ? frame->lost_event : frame->event;
}

static bool is_wanted(const struct mrl_place *place, uint32_t event)
{
    return place->wants & (event == MRL_EVENT_SENSOR_STATE ? MRL_WANTS_STATES : MRL_WANTS_EVENTS);
}

/* Whether a client gets the message behind a frame. What tells of a loss is for everybody: nobody
 * knows which policies would have wanted what is missing. */
static bool is_sent(const struct mrl_place *place,
                    const struct mrl_grpc_frame *frame,
                    const char *message)
{
    return is_wanted(place, subject(frame)) &&
           (!place->chosen || frame->lost || frame->event == MRL_EVENT_SENSOR_STATE ||
            mrl_chosen__wants(place->chosen, message, frame->size));
}

/* Counts what a client misses with a message: an event, for which it was too slow, or those that an
 * events_lost tells of, which have their own cause. */
static void count(struct mrl_missable *tally, const struct mrl_grpc_frame *frame)
{
    enum mrl_cause cause = frame->lost ? (enum mrl_cause)frame->lost_cause : MRL_CAUSE_QUEUE_FULL;

    tally->of[cause][subject(frame)] += frame->lost ? frame->lost : 1;
}

static uint64_t length_of(const struct mrl_grpc_frame *frame)
{
    return frame->lost && frame->time_ns > frame->from_ns ? frame->time_ns - frame->from_ns : 0;
}

/* Accounts for a frame that there is no memory for: it counts as put and evicted at once, so that
 * every client is told of it as missing. The blocks before it go too, because a place that still
 * pointed into them would otherwise step over the gap. */
static void skip(struct mrl_backlog *backlog, const struct mrl_grpc_frame *frame)
{
    pthread_mutex_lock(&backlog->lock);
    while (backlog->tail < backlog->head)
        evict(backlog);
    backlog->head = ++backlog->tail; /* so that every place is behind it */
    count(&backlog->put, frame);
    count(&backlog->evicted, frame);
    if (length_of(frame) > backlog->longest_ns)
        backlog->longest_ns = length_of(frame);
    backlog->put_ns = backlog->evicted_ns = frame->time_ns;
    pthread_mutex_unlock(&backlog->lock);
}

/* Frames that go into the same block. They are copied without the lock, into room behind block.size
 * where no client reads, and show() then takes the lock once for all of them. */
struct batch {
    struct block *block;
    uint32_t size;
    struct mrl_missable tally;
    uint64_t time_ns, longest_ns;
};

static void show(struct mrl_backlog *backlog, struct batch *batch)
{
    if (!batch->block || batch->size == batch->block->size)
        return;
    pthread_mutex_lock(&backlog->lock);
    batch->block->size = batch->size;
    batch->block->time_ns = backlog->put_ns = batch->time_ns;
    if (batch->longest_ns > backlog->longest_ns)
        backlog->longest_ns = batch->longest_ns;
    add(&batch->block->tally, &batch->tally);
    add(&backlog->put, &batch->tally);
    pthread_mutex_unlock(&backlog->lock);
    batch->tally = (struct mrl_missable){ 0 };
}

void mrl_backlog__put(struct mrl_backlog *backlog, const struct mrl_chunk *chunk)
{
    const char *at = chunk->bytes, *end = at + chunk->size;
    struct mrl_grpc_frame frame;
    struct batch batch = { 0 };
    uint32_t size;

    if (backlog->head > backlog->tail) {
        batch.block = block_at(backlog, backlog->head - 1);
        batch.size = batch.block->size;
    }
    for (; (size_t)(end - at) > sizeof(frame); at += size) {
        /* Copied, because a frame lies behind the bytes of the last one, at any alignment. */
        memcpy(&frame, at, sizeof(frame));
        size = (uint32_t)sizeof(frame) + frame.size;
        if (!batch.block || batch.block->room - batch.size < size) {
            show(backlog, &batch);
            batch.block = add_block(backlog, size);
            batch.size = 0;
        }
        if (!batch.block) {
            skip(backlog, &frame);
            continue;
        }
        memcpy(GRPC_SLICE_START_PTR(batch.block->bytes) + batch.size, at, size);
        batch.size += size;
        batch.time_ns = frame.time_ns;
        if (length_of(&frame) > batch.longest_ns)
            batch.longest_ns = length_of(&frame);
        count(&batch.tally, &frame);
    }
    show(backlog, &batch);
}

/* -- taking ----------------------------------------------------------------------------------- */

void mrl_backlog__join(struct mrl_backlog *backlog, struct mrl_place *place)
{
    pthread_mutex_lock(&backlog->lock);
    *place = (struct mrl_place){
        .wants = MRL_WANTS_EVENTS,
        .block = backlog->head,
        .time_ns = backlog->put_ns,
    };
    if (backlog->head > backlog->tail) {
        place->block = backlog->head - 1;
        place->offset = block_at(backlog, place->block)->size;
    }
    /* What was put before the client came is not missing to it: it counts as passed. */
    place->passed = backlog->put;
    pthread_mutex_unlock(&backlog->lock);
}

bool mrl_backlog__has_overtaken(struct mrl_backlog *backlog, const struct mrl_place *place)
{
    bool has_overtaken;

    pthread_mutex_lock(&backlog->lock);
    has_overtaken = place->block < backlog->tail;
    pthread_mutex_unlock(&backlog->lock);
    return has_overtaken;
}

uint64_t mrl_backlog__behind(struct mrl_backlog *backlog, const struct mrl_place *place)
{
    uint64_t behind = 0;

    pthread_mutex_lock(&backlog->lock);
    for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++)
        for (unsigned int cause = 0; cause < MRL_CAUSE_COUNT && is_wanted(place, event); cause++)
            behind += backlog->put.of[cause][event] - place->passed.of[cause][event];
    pthread_mutex_unlock(&backlog->lock);
    return behind;
}

/* With the lock held. Since when and until when the client missed something. When a gap that it did
 * not see began is not kept: none began earlier than the longest one can have. */
static void note(const struct mrl_backlog *backlog,
                 const struct mrl_place *place,
                 struct mrl_line *missed,
                 struct mrl_gap *missing)
{
    uint64_t from_ns = place->time_ns ? place->time_ns : backlog->evicted_ns;
    uint64_t early_ns = missed->cause == MRL_CAUSE_QUEUE_FULL ? 0 : backlog->longest_ns;

    missed->time_ns = from_ns > early_ns ? from_ns - early_ns : 0;
    missed->last_ns = backlog->evicted_ns > from_ns ? backlog->evicted_ns : from_ns;
    mrl_gap__add(missing, missed, MRL_CAUSE_QUEUE_FULL);
}

/* With the lock held. Both tallies count from the beginning: what left the backlog, and what this
 * client got or was told of. The difference was evicted before the client came to it. Nothing was
 * counted per client while that happened. */
static void note_missing(const struct mrl_backlog *backlog,
                         struct mrl_place *place,
                         struct mrl_gap *missing)
{
    for (unsigned int cause = 0; cause < MRL_CAUSE_COUNT; cause++)
        for (unsigned int event = 0; event < MRL_EVENT_COUNT; event++) {
            struct mrl_line missed = {
                .event = (uint16_t)event,
                .cause = (uint16_t)cause,
                .lost = backlog->evicted.of[cause][event] - place->passed.of[cause][event],
            };

            if (missed.lost && is_wanted(place, event))
                note(backlog, place, &missed, missing);
        }
    place->passed = backlog->evicted;
    place->time_ns = backlog->evicted_ns;
    place->block = backlog->tail;
    place->offset = 0;
}

/* With the lock held. The place moves behind the frame that is there. */
static void pass(struct mrl_place *place, const struct mrl_grpc_frame *frame)
{
    place->offset += (uint32_t)sizeof(*frame) + frame->size;
    place->time_ns = frame->time_ns;
    count(&place->passed, frame);
}

/* With the lock held. Whether a message that the client wants is at the place, which moves there.
 */
static bool has_next(struct mrl_backlog *backlog,
                     struct mrl_place *place,
                     struct mrl_grpc_frame *ret_frame)
{
    while (place->block < backlog->head) {
        const struct block *block = block_at(backlog, place->block);

        while (place->offset < block->size) {
            const char *at = (const char *)GRPC_SLICE_START_PTR(block->bytes) + place->offset;

            memcpy(ret_frame, at, sizeof(*ret_frame));
            if (is_sent(place, ret_frame, at + sizeof(*ret_frame)))
                return true;
            pass(place, ret_frame);
        }
        if (place->block + 1 == backlog->head)
            return false; /* it may grow */
        place->block++;
        place->offset = 0;
    }
    return false;
}

/* With the lock held. The slice is a part of the block by reference, so that a message is never
 * copied, for however many clients. */
static grpc_slice take_one(struct mrl_backlog *backlog,
                           struct mrl_place *place,
                           const struct mrl_grpc_frame *frame)
{
    const struct block *block = block_at(backlog, place->block);
    size_t begin = place->offset + sizeof(*frame);

    pass(place, frame);
    return grpc_slice_sub(block->bytes, begin, begin + frame->size);
}

unsigned int mrl_backlog__take(struct mrl_backlog *backlog,
                               struct mrl_place *place,
                               grpc_slice *slices,
                               unsigned int max,
                               struct mrl_gap *missing,
                               bool *ret_more)
{
    struct mrl_grpc_frame frame;
    unsigned int taken = 0;

    pthread_mutex_lock(&backlog->lock);
    if (place->block < backlog->tail)
        note_missing(backlog, place, missing);
    while (taken < max && has_next(backlog, place, &frame))
        slices[taken++] = take_one(backlog, place, &frame);
    *ret_more = has_next(backlog, place, &frame);
    pthread_mutex_unlock(&backlog->lock);
    return taken;
}

void mrl_backlog__free(struct mrl_backlog *backlog)
{
    if (!backlog)
        return;
    while (backlog->tail < backlog->head)
        evict(backlog);
    pthread_mutex_destroy(&backlog->lock);
    free(backlog);
}
