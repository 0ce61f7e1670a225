// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "capture": a new file of frames (event/capture_format.h). The encoder says everything
 * with each record; what the file says already is left out here, where it is known what arrived.
 * Part of the library, since it has to know the format.
 *
 * A capture is one run's, and is never continued: one that is there already makes room for the new
 * one, as a full one does, but only when there is something to record.
 */
#include <errno.h>
#include <fcntl.h>
#include <mrelease/sink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "enrich/containers.h"
#include "event/capture_format.h"
#include "sinks/descriptor.h"
#include "sinks/rotation.h"

enum { BUFFER_BYTES = 128 * 1024, RECORD_CONTAINERS = 2, END_TRIES = 3, END_ROOM_MS = 200 };

/* What the file says, or will once the buffer is written. */
struct said {
    bool has_header, has_host;
    struct mrl_frame_host host;
    struct mrl_frame_end totals;
};

/* What the file says the policy of a bit is called, where that is known. */
struct said_policy {
    bool in_doubt;
    size_t size;
    char name[MRL_POLICY_NAME_MAX];
};

struct mrl_sink {
    struct mrl_rotation rotation;
    bool is_taken;    /* by an earlier recording, which has to make room first */
    bool torn;        /* its end was cut, and could not be taken back */
    bool is_given_up; /* a write was ended, since it waited for too long */
    struct mrl_capture_header header;
    struct said written, said;
    struct said_policy policies[MRL_POLICIES_MAX];
    struct mrl_containers containers; /* since the last host frame; emptied when in doubt */
    size_t used, events;              /* in the buffer */
    char buffer[BUFFER_BYTES];
};

/* -- writing ---------------------------------------------------------------------------------- */

/* What the file says is no longer what was thought: all is said again, from the host on. */
static void forget(struct mrl_sink *sink)
{
    sink->said = sink->written;
    sink->said.has_host = sink->written.has_host = false;
    mrl_containers__clear(&sink->containers);
    for (unsigned int i = 0; i < MRL_POLICIES_MAX; i++)
        sink->policies[i].in_doubt = true;
    sink->used = sink->events = 0;
}

/* Returns whether the end of the file is a whole frame again. */
static bool take_back(int fd, size_t size)
{
    struct stat file;

    return !size || (!fstat(fd, &file) && S_ISREG(file.st_mode) && file.st_size >= (off_t)size &&
                     !ftruncate(fd, file.st_size - (off_t)size));
}

/* All of the buffer, or none of it. When what it wrote cannot be taken back, the end of the file
 * stays torn: close() then puts no last frame behind half a one. */
static int flush(struct mrl_sink *sink, const int *stop, size_t *events)
{
    size_t done;
    int err;

    sink->torn = true;
    done = mrl_sink__write_bytes(sink->rotation.fd, sink->buffer, sink->used, stop, &err);
    /* Damage inside a file ends its replay there. So a part of the buffer is cut off before more
     * follows it. */
    sink->torn = err && !take_back(sink->rotation.fd, done);
    if (err) {
        sink->is_given_up |= err == -ECANCELED;
        forget(sink);
        return sink->torn && err != -ECANCELED ? -EPIPE : err;
    }
    sink->rotation.size += done;
    *events += sink->events;
    sink->used = sink->events = 0;
    sink->written = sink->said;
    return 0;
}

static void append(struct mrl_sink *sink, const void *bytes, size_t size)
{
    memcpy(sink->buffer + sink->used, bytes, size);
    sink->used += size;
}

/*
 * Whether the file must be told of this host. It is told again before the containers become too
 * many, because a reader forgets them with each host.
 */
static bool learn_host(struct mrl_sink *sink, const struct mrl_frame_host *host)
{
    if (sink->said.has_host && !memcmp(&sink->said.host, host, sizeof(*host)) &&
        mrl_containers__count(&sink->containers) + RECORD_CONTAINERS <= MRL_CONTAINERS_MAX)
        return false;
    sink->said.has_host = true;
    sink->said.host = *host;
    mrl_containers__clear(&sink->containers);
    return true;
}

static int learn_container(struct mrl_sink *sink, const char *payload, size_t size)
{
    uint64_t cgroup;

    memcpy(&cgroup, payload, sizeof(cgroup));
    return mrl_containers__put(
        &sink->containers, cgroup,
        (struct mrl_text){ payload + sizeof(cgroup), size - sizeof(cgroup) });
}

static int learn_lookup(struct mrl_sink *sink, const char *payload)
{
    struct mrl_frame_lookup found;

    memcpy(&found, payload, sizeof(found));
    return mrl_containers__qualify(&sink->containers, found.cgroup, (enum mrl_lookup)found.lookup,
                                   found.confirmed);
}

static int learn_names(struct mrl_sink *sink, const char *payload, size_t size)
{
    struct mrl_named named;
    uint64_t cgroup;
    int err = mrl_frame_names__read(payload, size, &cgroup, &named);

    return err ? err : mrl_containers__name(&sink->containers, cgroup, &named);
}

static bool learn_policy(struct mrl_sink *sink, const char *payload, size_t size)
{
    const struct mrl_text name = { payload + sizeof(struct mrl_frame_policy),
                                   size - sizeof(struct mrl_frame_policy) };
    struct mrl_frame_policy policy;
    struct said_policy *said;

    memcpy(&policy, payload, sizeof(policy));
    said = &sink->policies[policy.bit];
    if (!said->in_doubt && said->size == name.size && !memcmp(said->name, name.bytes, name.size))
        return false;
    said->in_doubt = false;
    said->size = name.size;
    memcpy(said->name, name.bytes, name.size);
    return true;
}

/* Adds the frame at `at`, unless the file says it already. Returns its bytes, or -errno. */
static ssize_t take_frame(struct mrl_sink *sink, const char *at)
{
    const char *payload = at + sizeof(struct mrl_frame_header);
    struct mrl_frame_header frame;
    struct mrl_frame_host host;
    int wanted = 1;

    memcpy(&frame, at, sizeof(frame));
    if (frame.type == MRL_FRAME_HOST) {
        memcpy(&host, payload, sizeof(host));
        wanted = learn_host(sink, &host);
    } else if (frame.type == MRL_FRAME_CONTAINER) {
        wanted = learn_container(sink, payload, frame.size);
    } else if (frame.type == MRL_FRAME_LOOKUP) {
        wanted = learn_lookup(sink, payload);
    } else if (frame.type == MRL_FRAME_NAMES) {
        wanted = learn_names(sink, payload, frame.size);
    } else if (frame.type == MRL_FRAME_POLICY) {
        wanted = learn_policy(sink, payload, frame.size);
    } else {
        sink->events++;
    }
    if (wanted > 0) {
        append(sink, at, mrl_frame__bytes(frame.size));
        sink->said.totals.frames++;
        sink->said.totals.records += frame.type == MRL_FRAME_RECORD;
        sink->said.totals.gaps += frame.type == MRL_FRAME_LOST;
    }
    return wanted < 0 ? wanted : (ssize_t)mrl_frame__bytes(frame.size);
}

/* The header waits for the first event: a start that fails after this one leaves an empty file. */
static int take_header(struct mrl_sink *sink, const struct mrl_chunk *chunk)
{
    if (chunk->size != sizeof(sink->header))
        return -EINVAL;
    memcpy(&sink->header, chunk->bytes, sizeof(sink->header));
    return 0;
}

static int capture_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    const char *at = chunk->bytes, *end = at + chunk->size;
    int err = 0;

    *ret_events = 0;
    if (sink->torn)
        return -EPIPE;
    if (!chunk->events)
        return take_header(sink, chunk);
    if (sink->is_taken) /* and rotate() has said why */
        return -EEXIST;
    while (!err && at < end) {
        ssize_t size;

        if (!sink->said.has_header)
            append(sink, &sink->header, sizeof(sink->header));
        sink->said.has_header = true;
        size = take_frame(sink, at);
        if (size < 0) {
            forget(sink);
            return (int)size;
        }
        at += size;
        /* While the longest frame still fits: append() does not check. */
        if (sizeof(sink->buffer) - sink->used < mrl_frame__bytes(MRL_FRAME_PAYLOAD_MAX))
            err = flush(sink, chunk->stop, ret_events);
    }
    return err ? err : flush(sink, chunk->stop, ret_events);
}

/* Nobody tries this one again, and without it a whole capture looks torn. */
static int write_end(struct mrl_sink *sink)
{
    size_t events = 0;
    int err = -EIO;

    for (int i = 0; err && !sink->torn && i < END_TRIES; i++) {
        sink->used = (size_t)(mrl_frame__put(sink->buffer, MRL_FRAME_END, &sink->written.totals,
                                             sizeof(sink->written.totals)) -
                              sink->buffer);
        err = flush(sink, NULL, &events);
    }
    return err;
}

/* Whether the last frame goes in at once: whoever reads a pipe may have stopped for good. */
static bool has_room(int fd)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    struct stat file;

    return (!fstat(fd, &file) && S_ISREG(file.st_mode)) ||
           (poll(&room, 1, END_ROOM_MS) == 1 && room.revents & POLLOUT);
}

/* Ends the file that is open. Whatever is written next says all again. */
static int leave(struct mrl_sink *sink, struct mrl_error *error)
{
    /* Whoever took nothing when this was given up would let the last frame wait for ever. */
    const bool is_ended = sink->written.has_header && !sink->torn && !sink->is_given_up;
    int err = !is_ended ? 0 : has_room(sink->rotation.fd) ? write_end(sink) : -EAGAIN;

    if (close(sink->rotation.fd) && !err)
        err = -errno;
    if (err)
        mrl_error__set(error, err, "%.256s: its end was not written: %s", sink->rotation.path,
                       strerror(-err));
    sink->rotation.fd = -1;
    sink->torn = false;
    sink->written = sink->said = (struct said){ .has_header = false };
    sink->used = sink->events = 0;
    mrl_containers__clear(&sink->containers);
    memset(sink->policies, 0, sizeof(sink->policies)); /* a file begins without any */
    return err;
}

/* -- opening ---------------------------------------------------------------------------------- */

/* What holds anything else than a recording is somebody's, and stays where it is. */
static bool is_recording(const char *path, int fd)
{
    char magic[sizeof(MRL_CAPTURE_MAGIC) - 1] = "";
    int reader = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_same =
        reader >= 0 && mrl_rotation__leads_to(path, reader) && mrl_rotation__leads_to(path, fd);
    ssize_t size = is_same ? read(reader, magic, sizeof(magic)) : 0;

    if (reader >= 0)
        close(reader);
    return size > 0 && !memcmp(magic, MRL_CAPTURE_MAGIC, (size_t)size);
}

/* The lock keeps a second recorder out of a file that is still empty, or is to be moved. */
static int claim(int fd, const char *path, bool *ret_is_taken)
{
    struct stat file;

    if (fstat(fd, &file))
        return -errno;
    if (S_ISREG(file.st_mode) && flock(fd, LOCK_EX | LOCK_NB))
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (fstat(fd, &file)) /* again: who held the lock may have written */
        return -errno;
    *ret_is_taken = file.st_size;
    return file.st_size && !is_recording(path, fd) ? -EEXIST : 0;
}

static int explain(const char *path, int err, struct mrl_error *error)
{
    const char *text = err == -EEXIST  ? "holds something already, which is no recording"
                       : err == -EBUSY ? "another recording goes there"
                                       : strerror(-err);

    return mrl_error__set(error, err, "%.256s: %s", path, text);
}

/* Goes on in the file at `path`, which becomes that of the rotation. On failure the old one stays.
 */
static int switch_to(struct mrl_sink *sink, const char *path, struct mrl_error *error)
{
    struct mrl_rotation *rotation = &sink->rotation;
    bool created, is_taken = false;
    int fd = mrl_opening__open(&rotation->opening, path, &created, error), err;

    if (fd < 0)
        return fd;
    err = claim(fd, path, &is_taken);
    if (err)
        explain(path, err, error);
    else
        err = mrl_rotation__begin(rotation, fd, error);
    if (err) {
        close(fd);
        return err;
    }
    if (rotation->fd >= 0) {
        int left = leave(sink, error);

        rotation->close_err = rotation->close_err ? rotation->close_err : left;
        mrl_rotation__begin(rotation, fd, NULL); /* again: the old one's end was counted */
    }
    sink->is_taken = is_taken;
    mrl_rotation__settle(rotation, fd, path, created);
    return 1;
}

static int capture_open(const struct mrl_sink_target *target,
                        struct mrl_error *error,
                        struct mrl_sink **ret_sink)
{
    struct mrl_sink *sink = calloc(1, sizeof(*sink));
    int err;

    if (!sink)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = mrl_rotation__open(sink, target, switch_to, error);
    if (err) {
        mrl_rotation__done(&sink->rotation);
        free(sink);
        return err;
    }
    *ret_sink = sink;
    return 0;
}

static uint64_t capture_room(const struct mrl_sink *sink)
{
    return sink->is_taken ? 0 : mrl_rotation__room(sink);
}

/* -- the end ---------------------------------------------------------------------------------- */

static int capture_close(struct mrl_sink *sink)
{
    int left = leave(sink, NULL), err = left ? left : sink->rotation.close_err;

    mrl_rotation__done(&sink->rotation);
    free(sink);
    return err;
}

/* Removes the file when it was made for this run, which then did not begin. */
static int capture_abandon(struct mrl_sink *sink)
{
    mrl_rotation__take_back(&sink->rotation);
    return capture_close(sink);
}

const struct mrl_sink_ops mrl_sink_capture = {
    .name = "capture",
    .doc = "A new file of records, for replay; mode 0640.",
    .usage = "FILE",
    .formats = (const char *const[]){ "capture", NULL },
    .option = "record",
    .is_path = true,
    .keeps = true,
    .options = mrl_rotation_rows,
    .option_count = MRL_ROTATION_ROWS,
    .option_bytes = sizeof(struct mrl_rotation_options),
    .check = mrl_rotation__check,
    .open = capture_open,
    .write = capture_write,
    .is_quick = mrl_rotation__is_quick,
    .reopen = mrl_rotation__reopen,
    .room = capture_room,
    .rotate = mrl_rotation__rotate,
    .notice = mrl_rotation__notice,
    .meets = mrl_rotation__meets,
    .close = capture_close,
    .abandon = capture_abandon,
};

const struct mrl_sink_ops *mrl_capture__sink(void)
{
    return &mrl_sink_capture;
}
