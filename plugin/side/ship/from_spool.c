// SPDX-License-Identifier: Apache-2.0
/*
 * Ships a spool (docs/adr/0012-spool.md): asks the main process for the next segment, delivers what
 * is in it, and notes in the cursor what became of each item.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/ship/ship.h"
#include "spool/cursor.h"
#include "spool/reader.h"
#include "spool/spool.h"

enum { LOCK_MS = 5000, IDLE_MS = 1000 };

struct shipping {
    struct mrl_ship *ship;
    struct mrl_cursor cursor;
    int64_t synced_ns;
    struct mrl_spool_reader *reader; /* NULL: of no segment yet */
    int fd;
    uint64_t number, end; /* of the segment that is read */
    bool is_last;
    struct mrl_spool_batch ahead; /* of its items, what was read in advance; count 0: nothing */
};

static void fail(const char *what, int err)
{
    char line[MRL_SIDE_TEXT_MAX];

    snprintf(line, sizeof(line), "the spool: %.300s: %s", what, strerror(-err));
    mrl_side__log(MRL_LOG_ERROR, line);
    _exit(EXIT_FAILURE); /* another one is started, after a pause */
}

/* -- segments --------------------------------------------------------------------------------- */

static void open_segment(struct shipping *it, int fd)
{
    struct mrl_error error = { "" };
    int err;

    mrl_spool_reader__free(it->reader);
    if (it->fd >= 0)
        close(it->fd);
    it->fd = fd;
    it->reader = NULL;
    err = mrl_spool_reader__new(fd, &error, &it->reader);
    if (err == -ENOMEM || err == -EIO)
        fail(error.text, err);
    /* One whose beginning is damaged is nobody's: what was in it is missed at the next. */
    if (!err)
        it->ship->refused_max =
            mrl_spool__refused_max(mrl_spool_reader__header(it->reader)->budget);
    if (!err && it->number == it->cursor.segment)
        mrl_spool_reader__seek(it->reader, it->cursor.offset, it->cursor.item);
}

/* Asks for the segment `number`, or the next. Returns whether there is one. An answer that came too
 * late was dropped, and its descriptor with it: which one is open is said each time. */
static bool ask(struct shipping *it, uint64_t number)
{
    const uint64_t held = it->fd < 0 ? 0 : it->number;
    const struct mrl_side_request request = { .asked = MRL_SIDE_SEGMENT,
                                              .number = number,
                                              .place = held };
    struct mrl_side_answer answer;
    struct mrl_error error;
    struct mrl_side_segment segment;
    int err = mrl_side__ask(&request, -1, &answer, &error);

    if (err || answer.size != sizeof(segment)) {
        if (!err)
            free(answer.bytes);
        return false;
    }
    memcpy(&segment, answer.bytes, sizeof(segment));
    free(answer.bytes);
    if (answer.fd < 0 && segment.number != held)
        return false;
    it->number = segment.number;
    it->end = segment.end;
    it->is_last = segment.is_last;
    if (answer.fd >= 0)
        open_segment(it, answer.fd);
    return true;
}

/* -- what is missing -------------------------------------------------------------------------- */

static bool deliver_one(struct shipping *it, const struct mrl_side_answer *answer)
{
    struct mrl_item item = { .bytes = answer->bytes + sizeof(item.head) };
    uint8_t dealt, refused;

    if (answer->size < sizeof(item.head))
        return true;
    memcpy(&item.head, answer->bytes, sizeof(item.head));
    item.size = (uint32_t)(answer->size - sizeof(item.head));
    return !mrl_shipper__deliver(&it->ship->shipper, &item, 1, &dealt, &refused);
}

/* Tells, in its place, what the budget or damage took. Returns whether all was told. */
static bool tell_missing(struct shipping *it, const struct mrl_spool_batch *batch)
{
    struct mrl_spool_numbers missing;
    bool told = true;

    if (!mrl_cursor__missing(&it->cursor, &batch->appended, &missing))
        return true;
    for (unsigned int i = 0; told && i < mrl_event_def__count(); i++) {
        const struct mrl_side_request request = {
            .asked = MRL_SIDE_MISSING,
            .argument = i | (batch->damaged ? MRL_SIDE_DAMAGED : 0U),
            .number = missing.of[i],
            .place = batch->item,
            .time_ns = batch->items[0].head.time_ns,
        };
        struct mrl_side_answer answer;
        struct mrl_error error;

        if (!missing.of[i])
            continue;
        told = !mrl_side__ask(&request, -1, &answer, &error);
        if (told) {
            told = deliver_one(it, &answer);
            free(answer.bytes);
        }
        if (told)
            it->cursor.lost.of[i] += missing.of[i];
    }
    return told;
}

/* -- what is there ---------------------------------------------------------------------------- */

/* Of those that are dealt with from the front; the rest is sent again. */
static void note(struct shipping *it, const struct mrl_spool_batch *batch)
{
    struct mrl_ship *ship = it->ship;
    size_t done = 0;
    int err;

    for (; done < batch->count && ship->dealt[done]; done++) {
        unsigned int event = batch->items[done].head.event;

        if (ship->refused[done])
            it->cursor.refused.of[event]++;
        else
            it->cursor.taken.of[event]++;
    }
    it->cursor.segment = it->number;
    it->cursor.item = batch->item + done;
    it->cursor.offset = done == batch->count ? batch->next : batch->offset;
    err = mrl_cursor__write(ship->cursor_fd, &it->cursor);
    if (!err)
        err = mrl_cursor__sync(ship->cursor_fd, false, &it->synced_ns);
    if (err)
        fail("its cursor", err);
}

/* `ret_batch->count` 0: there is nothing, so far. */
static int read_batch(struct shipping *it, struct mrl_spool_batch *ret_batch)
{
    int err = it->reader ? mrl_spool_reader__next(it->reader, it->end, MRL_SHIP_ITEMS, ret_batch)
                         : -ENODATA;

    if (err)
        ret_batch->count = 0;
    return err == -ENODATA ? 0 : err;
}

/* Where something is missing between the two, that is told first. */
static void look_ahead(struct shipping *it, const struct mrl_spool_batch *batch)
{
    const bool follows = it->ahead.count && it->ahead.item == batch->item + batch->count;

    it->ship->shipper.ahead = it->ahead.items;
    it->ship->shipper.ahead_count = follows ? it->ahead.count : 0;
}

/* Returns false when there is nothing more to read, so far. */
static bool ship_batch(struct shipping *it)
{
    struct mrl_spool_batch batch = it->ahead;
    int err = batch.count ? 0 : read_batch(it, &batch);

    if (err)
        fail("a segment", err);
    if (!batch.count)
        return false;
    read_batch(it, &it->ahead); /* where it fails, it does so again once this one is delivered */
    it->ship->shipper.ahead_count = 0;
    if (tell_missing(it, &batch)) {
        look_ahead(it, &batch);
        mrl_shipper__deliver(&it->ship->shipper, batch.items, batch.count, it->ship->dealt,
                             it->ship->refused);
        note(it, &batch);
    }
    return true;
}

static void begin(struct shipping *it)
{
    int err = mrl_cursor__lock(it->ship->cursor_fd, LOCK_MS);

    if (err)
        fail("another process ships it", err);
    err = mrl_cursor__read(it->ship->cursor_fd, &it->cursor);
    if (err && err != -ENODATA)
        fail("its cursor", err);
}

void mrl_ship__from_spool(struct mrl_ship *ship)
{
    struct shipping *it = calloc(1, sizeof(*it));
    bool is_there;

    if (!it)
        fail("memory", -ENOMEM);
    it->ship = ship;
    it->fd = -1;
    begin(it);
    is_there = ask(it, it->cursor.segment);
    while (!mrl_ship__is_over(ship)) {
        uint64_t end = it->end, number = it->number;

        if (is_there && ship_batch(it))
            continue;
        is_there = ask(it, is_there ? it->number + !it->is_last : it->cursor.segment);
        if (!is_there || (it->number == number && it->end == end && it->is_last))
            mrl_ship__await(ship, IDLE_MS);
    }
    mrl_cursor__sync(ship->cursor_fd, true, &it->synced_ns);
    mrl_spool_reader__free(it->reader);
    free(it);
}
