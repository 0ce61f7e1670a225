// SPDX-License-Identifier: Apache-2.0
#include "side/common/message.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base/clock.h"
#include "base/tame.h"

enum { PARTS_MAX = 5, ERRNO_MAX = 4095 };

/* Room for descriptors, aligned as their headers want it. */
union control {
    char bytes[CMSG_SPACE(sizeof(int) * MRL_SINK_FDS_MAX)];
    struct cmsghdr align;
};

/* -- any message ------------------------------------------------------------------------------ */

static int parse(const char *bytes, size_t size, struct mrl_side_message *ret_message)
{
    struct mrl_side_head head;

    if (size < sizeof(head) || size > MRL_SIDE_MESSAGE_MAX)
        return -EPROTO;
    memcpy(&head, bytes, sizeof(head));
    if (head.type != MRL_SIDE_LOG && (head.err > 0 || head.err < -ERRNO_MAX))
        return -EPROTO;
    if (head.version != MRL_SIDE_VERSION || !head.type || head.type >= MRL_SIDE_TYPES ||
        head.size != size - sizeof(head))
        return -EPROTO;
    *ret_message = (struct mrl_side_message){ .head = head, .bytes = bytes + sizeof(head) };
    return 0;
}

static void close_all(const int *fds, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        close(fds[i]);
}

/* Those that came with a message, of which `fds` has room for MRL_SINK_FDS_MAX. */
static unsigned int take_fds(struct msghdr *header, int *fds)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    unsigned int count;

    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
        return 0;
    count = (unsigned int)((control->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(control), sizeof(int) * count);
    return count;
}

int mrl_side_message__receive(int socket,
                              char *buffer,
                              unsigned int fds_max,
                              struct mrl_side_message *ret_message)
{
    struct iovec part = { buffer, MRL_SIDE_MESSAGE_MAX };
    union control control;
    struct msghdr header = { .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes) };
    int fds[MRL_SINK_FDS_MAX] = { 0 };
    ssize_t size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    unsigned int count;
    int err;

    /* Who ends with something unread resets the connection. The kernel tells of it once, and before
     * what it said last. */
    if (size < 0 && errno == ECONNRESET)
        size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return -errno;
    count = take_fds(&header, fds);
    if (!size && !count)
        return 0; /* the end; an empty message means the same */
    err = header.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || count > fds_max
              ? -EPROTO
              : parse(buffer, (size_t)size, ret_message);
    if (err) {
        close_all(fds, count);
        return err;
    }
    memcpy(ret_message->fds, fds, sizeof(fds));
    ret_message->fd_count = count;
    return 1;
}

void mrl_side_message__close(struct mrl_side_message *message)
{
    close_all(message->fds, message->fd_count);
    message->fd_count = 0;
}

int mrl_side_message__send(int socket,
                           struct mrl_side_head head,
                           const struct iovec *parts,
                           unsigned int part_count,
                           const int *fds,
                           unsigned int fd_count)
{
    struct iovec all[PARTS_MAX] = { { &head, sizeof(head) } };
    union control control = { { 0 } };
    struct msghdr header = { .msg_iov = all, .msg_iovlen = part_count + 1 };

    head.version = MRL_SIDE_VERSION;
    head.size = 0;
    for (unsigned int i = 0; i < part_count; i++) {
        all[i + 1] = parts[i];
        head.size += (uint32_t)parts[i].iov_len;
    }
    if (fd_count) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * fd_count),
                                          .cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * fd_count);
    }
    return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int mrl_side_message__say(int socket, struct mrl_side_head head, const char *text)
{
    const struct iovec part = { (void *)(uintptr_t)text, strlen(text) };

    return mrl_side_message__send(socket, head, &part, 1, NULL, 0);
}

const char *mrl_side_message__text(const struct mrl_side_message *message,
                                   char text[MRL_SIDE_TEXT_MAX])
{
    size_t size =
        message->head.size < MRL_SIDE_TEXT_MAX ? message->head.size : MRL_SIDE_TEXT_MAX - 1;

    memcpy(text, message->bytes, size);
    text[size] = '\0';
    return mrl_tame(text);
}

/* -- what is in them -------------------------------------------------------------------------- */

int mrl_side_chunk__read(const struct mrl_side_message *message, struct mrl_side_chunk *ret_chunk)
{
    const struct mrl_side_head *head = &message->head;
    size_t table = (size_t)head->count * sizeof(uint32_t), sum = 0;

    if (head->count > MRL_SIDE_ITEMS_MAX || table > head->size)
        return -EPROTO;
    for (uint32_t i = 0; i < head->count; i++) {
        uint32_t size;

        memcpy(&size, message->bytes + i * sizeof(size), sizeof(size));
        sum += size;
    }
    /* Without items, the bytes are what precedes the first. */
    if (head->count && sum != head->size - table)
        return -EPROTO;
    *ret_chunk = (struct mrl_side_chunk){ .sizes = message->bytes,
                                          .count = head->count,
                                          .bytes = message->bytes + table,
                                          .size = head->size - table };
    return 0;
}

int mrl_side_verdicts__read(const struct mrl_side_message *message,
                            uint32_t items,
                            uint32_t *ret_taken,
                            int *ret_err,
                            uint8_t *refused)
{
    const uint32_t count = message->head.count;
    uint64_t sum = 0;
    uint32_t taken = 0;
    int err = 0;

    if (count > MRL_SIDE_ITEMS_MAX || message->head.size != count * sizeof(struct mrl_side_verdict))
        return -EPROTO;
    for (uint32_t i = 0; i < count; i++) {
        struct mrl_side_verdict verdict;

        memcpy(&verdict, message->bytes + i * sizeof(verdict), sizeof(verdict));
        if (verdict.err > 0 || verdict.err < -ERRNO_MAX)
            return -EPROTO;
        if (verdict.count > items - sum)
            return -EPROTO;
        if (refused && verdict.err == MRL_SIDE_REFUSED)
            memset(refused + sum, 1, verdict.count);
        sum += verdict.count;
        err = err || verdict.err == MRL_SIDE_REFUSED ? err : verdict.err;
        taken += err ? 0 : verdict.count;
    }
    if (sum != items)
        return -EPROTO;
    *ret_taken = taken;
    *ret_err = err;
    return 0;
}

/* A text that ends within the payload, at `*at`, which moves behind it. NULL: it does not. */
static const char *read_text(const struct mrl_side_message *message, size_t *at)
{
    const char *text = message->bytes + *at;
    const char *end = memchr(text, '\0', message->head.size - *at);

    if (end)
        *at += (size_t)(end - text) + 1;
    return end ? text : NULL;
}

int mrl_side_target__read(const struct mrl_side_message *message,
                          struct mrl_side_target *ret_target)
{
    struct mrl_side_target target = { .options = NULL };
    struct mrl_side_open open;
    size_t at = sizeof(open);
    unsigned int used = 0;

    if (message->head.size < sizeof(open))
        return -EPROTO;
    memcpy(&open, message->bytes, sizeof(open));
    if (open.option_bytes > MRL_SINK_OPTIONS_MAX ||
        open.option_bytes > message->head.size - sizeof(open) || open.fds >> MRL_SINK_FDS_MAX)
        return -EPROTO;
    target.options = message->bytes + at;
    target.option_bytes = open.option_bytes;
    target.give_up_ns = open.give_up_ns;
    at += open.option_bytes;
    target.destination = read_text(message, &at);
    target.format = target.destination ? read_text(message, &at) : NULL;
    target.sink = target.format ? read_text(message, &at) : NULL;
    if (!target.sink || at != message->head.size)
        return -EPROTO;
    for (unsigned int i = 0; i < MRL_SINK_FDS_MAX; i++)
        target.fds[i] = open.fds & 1U << i && used < message->fd_count ? message->fds[used++] : -1;
    if (used != message->fd_count || (unsigned int)__builtin_popcount(open.fds) != used)
        return -EPROTO;
    *ret_target = target;
    return 0;
}

/* A time to come would hide for as long that nothing is taken. */
int mrl_side_sent__read(const struct mrl_side_message *message, struct mrl_sent *sent)
{
    const uint64_t now_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    struct mrl_sent now;

    if (!message->head.size)
        return 0;
    if (message->head.size != sizeof(now))
        return -EPROTO;
    memcpy(&now, message->bytes, sizeof(now));
    if (now.retries < sent->retries || now.resent < sent->resent || now.resent < now.retries ||
        now.resent > INT64_MAX)
        return -EPROTO;
    if (now.last_success_ns > now_ns)
        now.last_success_ns = now_ns;
    *sent = now;
    return 0;
}

int mrl_side_health__read(const char *bytes, size_t size, struct mrl_health *ret_health)
{
    struct mrl_health health = { .count = (unsigned int)(size / sizeof(*health.checks)) };

    if (size % sizeof(*health.checks) || size > sizeof(health.checks))
        return -EPROTO;
    memcpy(health.checks, bytes, size);
    for (unsigned int i = 0; i < health.count; i++)
        if (!memchr(health.checks[i].name, '\0', sizeof(health.checks[i].name)) ||
            !memchr(health.checks[i].text, '\0', sizeof(health.checks[i].text)))
            return -EPROTO;
    *ret_health = health;
    return 0;
}

int mrl_side_request__read(const struct mrl_side_message *message,
                           struct mrl_side_request *ret_request)
{
    if (message->head.size != sizeof(*ret_request))
        return -EPROTO;
    memcpy(ret_request, message->bytes, sizeof(*ret_request));
    return ret_request->asked < MRL_SIDE_ASKED_COUNT ? 0 : -EPROTO;
}
