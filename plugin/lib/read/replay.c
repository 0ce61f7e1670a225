// SPDX-License-Identifier: Apache-2.0
/*
 * The replay source: the records of a capture (docs/capture.md). Nothing in the file is believed:
 * frames are bounded and have checksums, records are checked as those of the kernel are. An end
 * that was cut off is a warning; damage before the end is an error, and what came before it counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "read/input.h"
#include "read/recorded.h"
#include "read/source.h"

enum {
    ROUND_FRAMES = 4096, /* after which read() returns, though no event was wanted */
    ZEROS_MIN = 64,      /* that are no part of a frame: more than the last one holds */
};

struct mrl_source {
    struct mrl_source_options options;
    struct mrl_input input;
    struct mrl_recorded recorded;
    bool stopped;
    int end; /* 0: not yet; else what read() returns from now on */
    struct mrl_error problem;
};

_Static_assert(MRL_FRAME_PAYLOAD_MAX + sizeof(struct mrl_frame_header) < MRL_INPUT_BYTES &&
                   (int)MRL_CAPTURE_ALIGN <= (int)MRL_INPUT_ALIGN,
               "the input holds any frame");

static const char *name_of(const struct mrl_source *source)
{
    return strcmp(source->options.replay, "-") != 0 ? source->options.replay : "standard input";
}

/* -- the end ---------------------------------------------------------------------------------- */

static void end_with(struct mrl_source *source, int err, const char *reason)
{
    source->end = err;
    mrl_error__set(&source->problem, err, "%.200s: at byte %" PRIu64 ": %s", name_of(source),
                   source->input.offset, reason);
}

static void end_torn(struct mrl_source *source, const char *reason)
{
    end_with(source, -ENODATA, reason);
    mrl_probe_options__log(&source->options.probes, MRL_LOG_WARNING, "%s", source->problem.text);
}

/* The input is over, as the last frame said that it would be, or not. */
static void end_input(struct mrl_source *source)
{
    size_t rest = mrl_input__size(&source->input);

    if (source->recorded.has_end && !rest)
        end_with(source, -ENODATA, "the end");
    else if (!source->input.offset && !rest)
        end_torn(source, "it is empty, nothing was recorded");
    else if (rest)
        end_torn(source, "it is torn here; all before was replayed");
    else
        end_torn(source, "it ends here without its last frame; all before was replayed");
}

/*
 * After a power failure a file may be longer than what reached the disk: the rest is zeros, from
 * somewhere within a frame on. Whether that is so here, where a frame is wrong; the input is then
 * read to its end.
 */
static bool ends_in_zeros(struct mrl_source *source)
{
    struct mrl_input *input = &source->input;
    const uint64_t start = input->offset;
    size_t wrong = mrl_input__size(input), zeros = 0;

    while (wrong && !mrl_input__at(input)[wrong - 1])
        wrong--;
    if (wrong > mrl_frame__bytes(MRL_FRAME_PAYLOAD_MAX))
        return false;
    mrl_input__take(input, wrong);
    do {
        for (; mrl_input__size(input) && !*mrl_input__at(input); zeros++)
            mrl_input__take(input, 1);
    } while (!mrl_input__size(input) && !input->ended && mrl_input__read(input, -1) > 0);
    input->offset = start;
    return input->ended && !mrl_input__size(input) && (!wrong || zeros >= ZEROS_MIN);
}

/* -- opening ---------------------------------------------------------------------------------- */

static void replay_close(struct mrl_source *source)
{
    if (!source)
        return;
    mrl_recorded__done(&source->recorded);
    mrl_input__done(&source->input);
    free(source);
}

/* The bytes of the header are there, or the input is over. */
static int read_header(struct mrl_source *source, struct mrl_error *error)
{
    struct mrl_input *input = &source->input;

    while (!input->ended && mrl_input__size(input) < sizeof(struct mrl_capture_header)) {
        int got = mrl_input__read(input, -1);

        if (got <= 0)
            return mrl_error__set(error, got ? got : -EINTR, "%s", strerror(got ? -got : EINTR));
    }
    return 0;
}

/* An input that ends within its header is a torn capture, unless it never was one. */
static int check_header(struct mrl_source *source, struct mrl_error *error)
{
    const struct mrl_capture_header *header = (const void *)mrl_input__at(&source->input);
    size_t size = mrl_input__size(&source->input);
    bool differ = false;
    int err;

    if (memcmp(header, MRL_CAPTURE_MAGIC,
               size < sizeof(header->magic) ? size : sizeof(header->magic)) != 0)
        return mrl_error__set(error, -EBADMSG,
                              "it is no capture ('verify' and 'validate' read lines of JSON)");
    if (size < sizeof(*header)) {
        end_input(source);
        return 0;
    }
    err = mrl_capture__check(header, &differ, error);
    if (err)
        return err;
    if (differ)
        mrl_probe_options__log(&source->options.probes, MRL_LOG_WARNING,
                               "%s: events have changed since; they are shown as they are now",
                               name_of(source));
    mrl_input__take(&source->input, sizeof(*header));
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
    source->recorded.events = options->probes.filter->events | (options->states ? MRL_STATES : 0);
    source->recorded.filter = options->probes.filter;
    err = mrl_input__open(&source->input, options->replay, error);
    if (!err) {
        err = read_header(source, &reason);
        if (!err)
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

/* -- reading ---------------------------------------------------------------------------------- */

/* What became of the next frame. */
enum step { TAKEN, WANTS_INPUT, WANTS_BATCH };

static enum step take_frame(struct mrl_source *source, struct mrl_batch *batch)
{
    struct mrl_error reason;
    struct mrl_frame frame;
    ssize_t size = mrl_frame__parse(mrl_input__at(&source->input), mrl_input__size(&source->input),
                                    &frame, &reason);
    int err = size < 0 ? (int)size : 0;

    if (!size)
        return WANTS_INPUT;
    /* A batch has one host, to whose facts all its events point, and few lists of policies. A frame
     * with another host's facts, or with another name, waits for the next batch. */
    if (!err && (frame.type == MRL_FRAME_HOST || frame.type == MRL_FRAME_POLICY) && batch->count)
        return WANTS_BATCH;
    if (!err)
        err = mrl_recorded__take(&source->recorded, &frame, batch, &reason);
    if (size < 0 && ends_in_zeros(source))
        end_torn(source, "it is torn here, and zeros follow; all before was replayed");
    else if (err)
        end_with(source, err, reason.text);
    else
        mrl_input__take(&source->input, (size_t)size);
    return TAKEN;
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
        if (step == WANTS_INPUT && source->input.ended)
            end_input(source);
        else if (step == WANTS_INPUT)
            /* Events that are there are not held back for those that may follow. */
            got = mrl_input__read(&source->input, batch->count ? 0 : timeout_ms);
        if (got < 0)
            end_with(source, got, strerror(-got));
        if (!got)
            break;
    }
    return batch->count ? (int)batch->count : source->end;
}

static void replay_interrupt(struct mrl_source *source)
{
    mrl_input__interrupt(&source->input);
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
    *ret_counts = mrl_recorded__counts(&source->recorded, event);
    return 0;
}

static const char *replay_rung(const struct mrl_source *source)
{
    (void)source;
    return "replay";
}

/* Of a file; a pipe does not say how much will come. */
static unsigned int replay_progress(const struct mrl_source *source)
{
    uint64_t done = source->input.offset;
    struct stat file;

    if (source->end)
        return 10000;
    if (fstat(source->input.fd, &file) || !S_ISREG(file.st_mode) || file.st_size <= 0)
        return 0;
    return done < (uint64_t)file.st_size ? (unsigned int)(done * 10000 / (uint64_t)file.st_size)
                                         : 10000;
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
    .progress = replay_progress,
    .problem = replay_problem,
};
