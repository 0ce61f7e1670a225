// SPDX-License-Identifier: Apache-2.0
/*
 * The replay source: the records of a capture (docs/capture.md). Nothing in the file is believed:
 * frames are bounded and have checksums, records are checked as those of the kernel are. An end
 * that was cut off is a warning; damage before the end is an error, and what came before it counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "core/capture.h"
#include "core/decode.h"
#include "core/lost.h"
#include "core/source.h"
#include "enrich/containers.h"
#include "enrich/host.h"

enum {
    BUFFER_BYTES = 64 * 1024,
    ROUND_FRAMES = 4096, /* looked at before a caller that wants none of them gets a word in */
};

struct mrl_source {
    struct mrl_source_options options;
    struct mrl_host host;
    struct mrl_containers containers;
    int fd;
    int wake; /* eventfd of interrupt() */
    bool has_host, has_end, input_ended, stopped;
    int end; /* 0: not yet; else what read() returns from now on */
    struct mrl_error problem;
    struct mrl_frame_end seen;
    struct mrl_event_counts counts[MRL_EVENT_COUNT]; /* as the recorder had them */
    uint64_t offset;                                 /* in the capture, of bytes[first] */
    size_t first, last; /* bytes[first..last) were read, and not looked at yet */
    _Alignas(MRL_CAPTURE_ALIGN) char bytes[BUFFER_BYTES];
};

static const char *name_of(const struct mrl_source *source)
{
    return strcmp(source->options.replay, "-") != 0 ? source->options.replay : "standard input";
}

/* -- input ------------------------------------------------------------------------------------ */

/* Waits for bytes up to `timeout_ms` and reads some. 1; 0: time-out or interrupted; -errno. */
static int read_more(struct mrl_source *source, int timeout_ms)
{
    struct pollfd waits[2] = { { .fd = source->fd, .events = POLLIN },
                               { .fd = source->wake, .events = POLLIN } };
    uint64_t times;
    ssize_t size;

    memmove(source->bytes, source->bytes + source->first, source->last - source->first);
    source->last -= source->first;
    source->first = 0;
    if (poll(waits, 2, timeout_ms) < 0)
        return errno == EINTR ? 0 : -errno;
    if (waits[1].revents && read(source->wake, &times, sizeof(times)) > 0)
        return 0;
    if (!waits[0].revents)
        return 0;
    size = read(source->fd, source->bytes + source->last, sizeof(source->bytes) - source->last);
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    source->last += (size_t)size;
    source->input_ended = !size;
    return 1;
}

/* -- the end ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void end_with(struct mrl_source *source,
                                                           int err,
                                                           const char *format,
                                                           ...)
{
    va_list arguments;
    char reason[256];

    va_start(arguments, format);
    vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    source->end = err;
    mrl_error__set(&source->problem, err, "%.200s: at byte %" PRIu64 ": %s", name_of(source),
                   source->offset, reason);
}

/* The input is over, as the last frame said that it would be, or not. */
static void end_input(struct mrl_source *source)
{
    if (source->has_end)
        end_with(source, -ENODATA, "the end");
    else if (!source->offset && !source->last)
        end_with(source, -ENODATA, "it is empty, nothing was recorded");
    else if (source->last > source->first)
        end_with(source, -ENODATA, "it is torn here; all before was replayed");
    else
        end_with(source, -ENODATA, "it ends here without its last frame; all before was replayed");
    if (!source->has_end)
        mrl_source_options__log(&source->options, MRL_LOG_WARNING, "%s", source->problem.text);
}

static void take_end(struct mrl_source *source, const struct mrl_frame *frame)
{
    source->has_end = true;
    if (memcmp(frame->payload, &source->seen, sizeof(source->seen)) != 0)
        end_with(source, -EBADMSG, "its last frame counts other frames than there are");
}

/* -- counting --------------------------------------------------------------------------------- */

/* One writer; metrics are read by other threads. */
static void add(uint64_t *counter, uint64_t count)
{
    __atomic_store_n(counter, *counter + count, __ATOMIC_RELAXED);
}

static void count_read(struct mrl_event_counts *counts)
{
    add(&counts->seen, 1);
    add(&counts->submitted, 1);
    add(&counts->decoded, 1);
}

/* What the recorder read and could not write is seen, but neither read nor lost by the kernel. */
static void count_lost(struct mrl_event_counts *counts, unsigned int cause, uint64_t count)
{
    add(&counts->seen, count);
    if (cause == MRL_CAUSE_RING_FULL)
        add(&counts->refused, count);
    else if (cause == MRL_CAUSE_NO_MEMORY)
        add(&counts->no_memory, count);
    else
        add(&counts->submitted, count);
    if (cause == MRL_CAUSE_MALFORMED)
        add(&counts->malformed, count);
}

/* -- frames ----------------------------------------------------------------------------------- */

static bool is_chosen(const struct mrl_source *source, unsigned int event)
{
    return source->options.events & (1U << event);
}

static void take_host(struct mrl_source *source, const struct mrl_frame_host *host)
{
    source->has_host = true;
    source->host.boot_ns = host->boot_ns;
    source->host.page_bytes = host->page_bytes;
    source->host.cpus = host->cpus;
    source->host.cgroup_v1 = host->cgroup_v1;
    mrl_containers__clear(&source->containers);
}

static void take_container(struct mrl_source *source, const struct mrl_frame *frame)
{
    const char *payload = frame->payload;
    uint64_t cgroup;
    int err;

    memcpy(&cgroup, payload, sizeof(cgroup));
    err = mrl_containers__put(
        &source->containers, cgroup,
        (struct mrl_text){ payload + sizeof(cgroup), frame->size - sizeof(cgroup) });
    if (err == -ENOMEM)
        end_with(source, err, "out of memory");
    else if (err < 0)
        end_with(source, -EBADMSG, "a container that no recorder would write");
}

static void take_record(struct mrl_source *source,
                        const struct mrl_frame *frame,
                        struct mrl_batch *batch)
{
    const struct mrl_record *record = frame->payload;
    struct mrl_raw parts;
    int err = source->has_host ? mrl_decode__check(record, frame->size, &parts) : -EBADMSG;

    if (!err && is_chosen(source, record->event)) {
        err = mrl_decode__append(record, frame->size, &source->host, batch);
        count_read(&source->counts[record->event]);
    }
    if (err)
        end_with(source, -EBADMSG, "a frame holds no valid record");
}

/* The cause of this name; MRL_CAUSE_COUNT: none. */
static unsigned int find_cause(const char name[MRL_LOST_CAUSE_BYTES])
{
    unsigned int cause = 0;

    while (cause < MRL_CAUSE_COUNT &&
           strncmp(mrl_cause__name((enum mrl_cause)cause).bytes, name, MRL_LOST_CAUSE_BYTES) != 0)
        cause++;
    return cause;
}

static void take_lost(struct mrl_source *source,
                      const struct mrl_frame_lost *frame,
                      struct mrl_batch *batch)
{
    unsigned int cause = find_cause(frame->cause);
    struct mrl_lost lost = { .count = frame->count,
                             .from_ns = frame->from_ns,
                             .to_ns = frame->to_ns };

    if (frame->event >= MRL_EVENT_COUNT || cause == MRL_CAUSE_COUNT || !frame->count) {
        end_with(source, -EBADMSG, "a gap that no recorder would write");
    } else if (is_chosen(source, frame->event)) {
        lost.event = mrl_event_def__at(frame->event);
        lost.cause = mrl_cause__name((enum mrl_cause)cause);
        mrl_lost__append(&lost, batch);
        count_lost(&source->counts[frame->event], cause, frame->count);
    }
}

static void take_payload(struct mrl_source *source,
                         const struct mrl_frame *frame,
                         struct mrl_batch *batch)
{
    if (source->has_end)
        end_with(source, -EBADMSG, "there is more after its last frame");
    else if (frame->type == MRL_FRAME_HOST)
        take_host(source, frame->payload);
    else if (frame->type == MRL_FRAME_CONTAINER)
        take_container(source, frame);
    else if (frame->type == MRL_FRAME_RECORD)
        take_record(source, frame, batch);
    else if (frame->type == MRL_FRAME_LOST)
        take_lost(source, frame->payload, batch);
    else
        take_end(source, frame);
    source->seen.frames++;
    source->seen.records += frame->type == MRL_FRAME_RECORD;
    source->seen.gaps += frame->type == MRL_FRAME_LOST;
}

/* What became of the next frame. */
enum step { TAKEN, WANTS_INPUT, WANTS_BATCH };

static enum step take_frame(struct mrl_source *source, struct mrl_batch *batch)
{
    struct mrl_error reason;
    struct mrl_frame frame;
    ssize_t size = mrl_frame__parse(source->bytes + source->first, source->last - source->first,
                                    &frame, &reason);

    if (!size)
        return WANTS_INPUT;
    if (size < 0)
        end_with(source, -EBADMSG, "%s", reason.text);
    else if (frame.type == MRL_FRAME_HOST && batch->count)
        return WANTS_BATCH; /* a batch is of one host */
    else
        take_payload(source, &frame, batch);
    if (!source->end) {
        source->first += (size_t)size;
        source->offset += (size_t)size;
    }
    return TAKEN;
}

/* -- the source ------------------------------------------------------------------------------- */

static void replay_close(struct mrl_source *source)
{
    if (!source)
        return;
    mrl_containers__clear(&source->containers);
    if (source->fd > STDIN_FILENO)
        close(source->fd);
    if (source->wake >= 0)
        close(source->wake);
    free(source);
}

static int open_input(struct mrl_source *source, struct mrl_error *error)
{
    const char *path = source->options.replay;

    source->fd = STDIN_FILENO;
    source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (source->wake < 0)
        return mrl_error__set(error, -errno, "preparing to read events: %s", strerror(errno));
    if (strcmp(path, "-") != 0)
        source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return source->fd < 0 ? mrl_error__set(error, -errno, "%.256s: %s", path, strerror(errno)) : 0;
}

/* The bytes of the header are there, or the input is over. */
static int read_header(struct mrl_source *source)
{
    while (!source->input_ended && source->last < sizeof(struct mrl_capture_header)) {
        int got = read_more(source, -1);

        if (got <= 0)
            return got ? got : -EINTR;
    }
    return 0;
}

/* An input that ends within its header is a torn capture, unless it never was one. */
static int check_header(struct mrl_source *source, struct mrl_error *error)
{
    const struct mrl_capture_header *header = (const void *)source->bytes;
    size_t magic = source->last < sizeof(header->magic) ? source->last : sizeof(header->magic);
    bool differ = false;
    int err;

    if (memcmp(source->bytes, MRL_CAPTURE_MAGIC, magic) != 0)
        return mrl_error__set(error, -EBADMSG, "it is no capture");
    if (source->last < sizeof(*header)) {
        end_input(source);
        return 0;
    }
    err = mrl_capture__check(header, &differ, error);
    if (err)
        return err;
    if (differ)
        mrl_source_options__log(&source->options, MRL_LOG_WARNING,
                                "%s: events have changed since; they are shown as they are now",
                                name_of(source));
    source->first = source->offset = sizeof(*header);
    return 0;
}

static int replay_open(const struct mrl_source_options *options,
                       struct mrl_error *error,
                       struct mrl_source **ret_source)
{
    struct mrl_source *source = calloc(1, sizeof(*source));
    struct mrl_error reason;
    int err;

    if (!source)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    source->options = *options;
    source->host.recorded = &source->containers;
    err = open_input(source, error);
    if (!err) {
        err = read_header(source);
        if (err)
            mrl_error__set(&reason, err, "%s", strerror(-err));
        else
            err = check_header(source, &reason);
        if (err)
            mrl_error__set(error, err, "%.200s: %s", name_of(source), reason.text);
    }
    if (err) {
        replay_close(source);
        return err;
    }
    *ret_source = source;
    return 0;
}

static int replay_read(struct mrl_source *source, int timeout_ms, struct mrl_batch *batch)
{
    enum step step = TAKEN;

    if (source->stopped)
        return 0;
    for (unsigned int frames = 0; !source->end && step != WANTS_BATCH && frames < ROUND_FRAMES &&
                                  mrl_batch__has_room(batch, MRL_BATCH_EVENTS);
         frames++) {
        int got = 1;

        step = take_frame(source, batch);
        if (step == WANTS_INPUT && source->input_ended)
            end_input(source);
        else if (step == WANTS_INPUT)
            got = read_more(source, batch->count ? 0 : timeout_ms);
        if (got < 0)
            end_with(source, got, "%s", strerror(-got));
        if (!got)
            break;
    }
    return batch->count ? (int)batch->count : source->end;
}

static void replay_interrupt(struct mrl_source *source)
{
    const uint64_t once = 1;
    ssize_t written = write(source->wake, &once, sizeof(once));

    (void)written; /* fails only when it is full of wake-ups already */
}

/* All records exist already; those that were not read are not wanted. */
static void replay_stop(struct mrl_source *source)
{
    source->stopped = true;
}

static int replay_counts(struct mrl_source *source,
                         unsigned int event,
                         struct mrl_event_counts *ret_counts)
{
    const struct mrl_event_counts *counts = &source->counts[event];

    *ret_counts = (struct mrl_event_counts){
        .seen = __atomic_load_n(&counts->seen, __ATOMIC_RELAXED),
        .submitted = __atomic_load_n(&counts->submitted, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&counts->refused, __ATOMIC_RELAXED),
        .no_memory = __atomic_load_n(&counts->no_memory, __ATOMIC_RELAXED),
        .decoded = __atomic_load_n(&counts->decoded, __ATOMIC_RELAXED),
        .malformed = __atomic_load_n(&counts->malformed, __ATOMIC_RELAXED),
    };
    return 0;
}

static const char *replay_rung(const struct mrl_source *source)
{
    (void)source;
    return "replay";
}

static const char *replay_problem(const struct mrl_source *source)
{
    return source->problem.text;
}

const struct mrl_source_ops mrl_replay_source = {
    .open = replay_open,
    .read = replay_read,
    .interrupt = replay_interrupt,
    .stop = replay_stop,
    .close = replay_close,
    .counts = replay_counts,
    .rung = replay_rung,
    .problem = replay_problem,
};
