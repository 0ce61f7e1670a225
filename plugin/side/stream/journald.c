// SPDX-License-Identifier: Apache-2.0
/*
 * The journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of fields
 * for each event; one that is too large for that is a sealed file in memory, whose descriptor is
 * sent. libsystemd's sd_journal_sendv() says that all is well where there is no journald, and is
 * not used.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "side/ship/body.h"
#include "side/stream/sink.h"

#define SOCKET_PATH "/run/systemd/journal/socket"
/* With the event's number behind it, 128 bits that stay what they are. */
#define MESSAGE_ID "3d5b8b1fb7c549a8b64ab5c1"

enum { STEP_MS = 100 };

struct mrl_sink {
    const struct mrl_stream_options *options;
    struct sockaddr_un address;
    struct mrl_body fields;
};

/* -- fields ----------------------------------------------------------------------------------- */

/* By its size, so that it may hold anything. */
static void put_sized(struct mrl_body *body, const char *name, const char *bytes, size_t size)
{
    unsigned char little[8];

    for (unsigned int i = 0; i < sizeof(little); i++)
        little[i] = (unsigned char)((uint64_t)size >> 8 * i);
    mrl_body__text(body, name);
    mrl_body__put(body, "\n", 1);
    mrl_body__put(body, little, sizeof(little));
    mrl_body__put(body, bytes, size);
    mrl_body__put(body, "\n", 1);
}

static void put_fields(struct mrl_sink *sink, const struct mrl_item *item)
{
    const struct mrl_stream_options *options = sink->options;
    const struct mrl_event_def *event =
        item->head.event < mrl_event_def__count() ? mrl_event_def__at(item->head.event) : NULL;
    char id[MRL_EVENT_ID_BYTES], text[512];

    mrl_body__empty(&sink->fields);
    put_sized(&sink->fields, "MESSAGE", item->bytes, mrl_stream__size(item));
    snprintf(text, sizeof(text),
             "PRIORITY=%u\nSYSLOG_FACILITY=%u\nSYSLOG_IDENTIFIER=%s\nMRELEASE_TIME_NS=%llu\n",
             item->head.severity % 8U, mrl_stream_facility__number(options->facility),
             *options->app ? options->app : "mrelease", (unsigned long long)item->head.time_ns);
    mrl_body__text(&sink->fields, text);
    mrl_item__id(&item->head, id);
    snprintf(text, sizeof(text), "MRELEASE_ID=%s\n", id);
    if (*id)
        mrl_body__text(&sink->fields, text);
    if (!event)
        return;
    snprintf(text, sizeof(text), "MRELEASE_EVENT=%s\nMESSAGE_ID=" MESSAGE_ID "%08x\n", event->name,
             (unsigned int)event->id_x86_64); /* everywhere the same */
    mrl_body__text(&sink->fields, text);
}

/* -- sending ---------------------------------------------------------------------------------- */

/* What journald takes by its descriptor may no longer change. Returns the descriptor, or -errno. */
static int seal(const struct mrl_body *fields)
{
    int fd = memfd_create("mrelease", MFD_CLOEXEC | MFD_ALLOW_SEALING), err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, fields->bytes, fields->size) != (ssize_t)fields->size)
        err = -ENOSPC;
    else if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
        err = -errno;
    if (err)
        close(fd);
    return err ? err : fd;
}

static ssize_t send_descriptor(int to, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };

    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    return sendmsg(to, &message, MSG_NOSIGNAL);
}

/* While journald's queue is full, there is no room. */
static int await_room(int fd, const int *stop, int64_t deadline_ns)
{
    struct pollfd one = { .fd = fd, .events = POLLOUT };

    if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
        return -ECANCELED;
    if (mrl_clock__ns(CLOCK_MONOTONIC) >= deadline_ns)
        return -ETIMEDOUT;
    return poll(&one, 1, STEP_MS) < 0 && errno != EINTR ? -errno : 0;
}

static int send_fields(const struct mrl_body *fields, int to, const int *stop, int64_t deadline_ns)
{
    int fd = -1, err = 0;

    while (!err) {
        ssize_t sent =
            fd < 0 ? send(to, fields->bytes, fields->size, MSG_NOSIGNAL) : send_descriptor(to, fd);

        if (sent >= 0)
            break;
        if (errno == EAGAIN || errno == EINTR)
            err = await_room(to, stop, deadline_ns);
        else if (fd < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
            err = (fd = seal(fields)) < 0 ? fd : 0;
        else
            err = -errno;
    }
    if (fd >= 0)
        close(fd);
    return err;
}

/* A journald that was started anew has another socket. Returns the descriptor, or -errno. */
static int connect_to(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

    if (fd < 0)
        return -errno;
    err = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
    if (err)
        close(fd);
    return err ? err : fd;
}

static void journald_deliver(struct mrl_sink *sink,
                             const struct mrl_items *items,
                             struct mrl_delivery *ret_delivery)
{
    uint64_t timeout_ns = sink->options->timeout_ns;
    int64_t deadline_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    int fd = connect_to(&sink->address), err = fd < 0 ? fd : 0;
    size_t i = 0;

    deadline_ns += (int64_t)(timeout_ns ? timeout_ns : MRL_STREAM_TIMEOUT_S * UINT64_C(1000000000));
    for (; !err && i < items->count; i += !err) {
        put_fields(sink, &items->items[i]);
        err = sink->fields.failed ? -ENOMEM
                                  : send_fields(&sink->fields, fd, items->stop, deadline_ns);
        if (!err)
            mrl_delivery__judge(ret_delivery, i, MRL_VERDICT_TAKEN, NULL);
    }
    if (err)
        mrl_delivery__judge_all(ret_delivery, i, items->count - i,
                                err == -EACCES || err == -EPERM ? MRL_VERDICT_MISCONFIGURED
                                                                : MRL_VERDICT_AGAIN,
                                "no journald takes it at %s: %s", sink->address.sun_path,
                                err == -ECANCELED ? "the sensor ends" : strerror(-err));
    if (fd >= 0)
        close(fd);
}

/* -- the sink --------------------------------------------------------------------------------- */

static int journald_close(struct mrl_sink *sink)
{
    mrl_body__done(&sink->fields);
    free(sink);
    return 0;
}

static int journald_open(const struct mrl_sink_target *target,
                         struct mrl_error *error,
                         struct mrl_sink **ret_sink)
{
    const char *path =
        strcmp(target->destination, "journald") != 0 ? target->destination : SOCKET_PATH;
    int err = target->ops->check(target, error);
    struct mrl_sink *sink = err ? NULL : calloc(1, sizeof(*sink));

    if (!err && !sink)
        err = mrl_error__set(error, -ENOMEM, "out of memory");
    if (err)
        return err;
    sink->options = target->options;
    sink->address.sun_family = AF_UNIX;
    snprintf(sink->address.sun_path, sizeof(sink->address.sun_path), "%s", path);
    *ret_sink = sink;
    return 0;
}

const struct mrl_stream_destination mrl_stream_journald = {
    .row = &mrl_sink_journald,
    .open = journald_open,
    .deliver = journald_deliver,
    .close = journald_close,
};
