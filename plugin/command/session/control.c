// SPDX-License-Identifier: Apache-2.0
#include "command/session/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"
#include "side/common/message.h"

enum {
    ASK_MS = 2000,          /* how long a peer may take to ask */
    RELOAD_MS = 120 * 1000, /* how long it waits for a reload */
    STEP_MS = 50,           /* how often that is looked at */
    REFUSALS_MAX = 10,      /* told in a second */
};

/* -- listening -------------------------------------------------------------------------------- */

int mrl_ctl__open(struct mrl_ctl *control,
                  const struct mrl_control_options *options,
                  struct mrl_error *error)
{
    const unsigned int mode = options->mode ? options->mode : *options->group ? 0660 : 0600;
    char path[MRL_CONTROL_PATH];
    struct mrl_error why;
    int err;

    *control =
        (struct mrl_ctl){ .address = { .socket = -1, .lock = -1, .group = (gid_t)-1 }, .wake = -1 };
    for (unsigned int i = 0; i < MRL_CONTROL_PEERS; i++)
        control->peers[i].fd = -1;
    mrl_control_options__path(options, path);
    err = mrl_address__listen_unix(path, SOCK_SEQPACKET, mode, options->group, &why,
                                   &control->address);
    if (err)
        mrl_error__set(error, err, "--control: %s", why.text);
    control->wake = err ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!err && control->wake < 0)
        err = mrl_error__set(error, -errno, "--control: %s", strerror(errno));
    if (err)
        mrl_address__release(&control->address);
    control->is_open = !err;
    return err;
}

/* -- answering -------------------------------------------------------------------------------- */

static void answer(const struct mrl_ctl_peer *peer, int err, const char *text)
{
    mrl_side_message__say(
        peer->fd, (struct mrl_side_head){ .type = MRL_SIDE_ANSWER, .id = peer->id, .err = err },
        text);
}

static void name_peer(const struct mrl_ctl_peer *peer, char name[64])
{
    snprintf(name, 64, "user %lld (process %lld)", (long long)peer->uid, (long long)peer->pid);
}

/* Of a flood of refusals, the first of a second. */
static bool is_worth_telling(struct mrl_ctl *control, int err)
{
    return !err || mrl_allowance__take(&control->refusals, REFUSALS_MAX);
}

static const char refusal[] = "only root and the sensor's own user may";

static void take_wish(struct mrl_ctl *control,
                      const struct mrl_ctl_peer *peer,
                      const struct mrl_wish *asked)
{
    struct mrl_error error = { "" };
    struct mrl_wish wish = *asked;
    char name[64];
    int err;

    name_peer(peer, name);
    wish.by_uid = peer->uid;
    wish.by_pid = peer->pid;
    wish.by = name;
    err = peer->may_change ? control->host.fulfil(control->host.context, &wish, &error)
                           : mrl_error__set(&error, -EACCES, "%s", refusal);
    if (is_worth_telling(control, err))
        control->host.wished(control->host.context, &wish, err, error.text);
    answer(peer, err, error.text);
}

/* Returns whether it waits. */
static bool take_reload(struct mrl_ctl *control, struct mrl_ctl_peer *peer)
{
    char line[160], name[64];

    name_peer(peer, name);
    if (is_worth_telling(control, !peer->may_change)) {
        snprintf(line, sizeof(line), "a client, %s, reloads the configuration%s%s", name,
                 peer->may_change ? "" : ": ", peer->may_change ? "" : refusal);
        control->host.say(control->host.context, peer->may_change ? MRL_LOG_INFO : MRL_LOG_WARNING,
                          line);
    }
    if (!peer->may_change) {
        answer(peer, -EACCES, refusal);
        return false;
    }
    peer->number = control->host.reload(control->host.context, peer->uid, peer->pid);
    peer->waits = true;
    peer->until_ms = mrl_clock__ms() + RELOAD_MS;
    return true;
}

static void take_status(struct mrl_ctl *control, const struct mrl_ctl_peer *peer)
{
    char *text = malloc(MRL_CONTROL_TEXT);
    int err = text ? control->host.status(control->host.context, text, MRL_CONTROL_TEXT) : -ENOMEM;

    answer(peer, err, err ? strerror(-err) : text);
    free(text);
}

/* Returns whether the peer waits for more. */
static bool take(struct mrl_ctl *control,
                 struct mrl_ctl_peer *peer,
                 const struct mrl_side_request *request)
{
    struct mrl_wish wish = { .event = request->argument,
                             .level = (enum mrl_log_level)request->argument };
    const bool is_event = request->argument < mrl_event_def__count();

    if (request->asked == MRL_SIDE_STATUS)
        take_status(control, peer);
    else if (request->asked == MRL_SIDE_RELOAD)
        return take_reload(control, peer);
    else if (request->asked == MRL_SIDE_LOG_LEVEL && request->argument <= MRL_LOG_DEBUG)
        wish.kind = MRL_WISH_LOG_LEVEL;
    else if (request->asked == MRL_SIDE_ENABLE && is_event)
        wish.kind = MRL_WISH_ENABLE;
    else if (request->asked == MRL_SIDE_DISABLE && is_event)
        wish.kind = MRL_WISH_DISABLE;
    else
        return false; /* rubbish gets no answer */
    if (request->asked != MRL_SIDE_STATUS)
        take_wish(control, peer, &wish);
    return false;
}

bool mrl_ctl__hear(struct mrl_ctl *control, struct mrl_ctl_peer *peer)
{
    struct mrl_side_message message;
    struct mrl_side_request request;
    char *buffer = malloc(MRL_SIDE_MESSAGE_MAX);
    int err = buffer ? mrl_side_message__receive(peer->fd, buffer, 0, &message) : -ENOMEM;
    bool goes_on = err == -EAGAIN || err == -EINTR;

    if (err == 1 && !peer->waits && message.head.type == MRL_SIDE_REQUEST &&
        message.head.size == sizeof(request)) {
        memcpy(&request, message.bytes, sizeof(request));
        peer->id = message.head.id;
        goes_on = take(control, peer, &request);
    }
    free(buffer);
    return goes_on;
}

/* -- the thread ------------------------------------------------------------------------------- */

static void cut(struct mrl_ctl_peer *peer)
{
    close(peer->fd);
    *peer = (struct mrl_ctl_peer){ .fd = -1 };
}

/* Those who may change nothing take no place from those who may. */
static struct mrl_ctl_peer *find_place(struct mrl_ctl *control, bool may_change)
{
    struct mrl_ctl_peer *place = NULL;
    unsigned int strangers = 0;

    for (unsigned int i = 0; i < MRL_CONTROL_PEERS; i++) {
        struct mrl_ctl_peer *peer = &control->peers[i];

        strangers += peer->fd >= 0 && !peer->may_change;
        if (peer->fd < 0)
            place = peer;
    }
    return !may_change && strangers >= MRL_CONTROL_STRANGERS ? NULL : place;
}

static void admit(struct mrl_ctl *control)
{
    struct ucred credentials = { 0 };
    socklen_t size = sizeof(credentials);
    int fd = accept4(control->address.socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct mrl_ctl_peer *place;
    bool may_change;

    if (fd < 0) {
        mrl_clock__pause_ms(STEP_MS); /* no descriptor is left, and who waits is still there */
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size)) {
        close(fd);
        return;
    }
    may_change = !credentials.uid || credentials.uid == geteuid();
    place = find_place(control, may_change);
    if (!place) {
        close(fd);
        return;
    }
    *place = (struct mrl_ctl_peer){ .fd = fd,
                                    .uid = credentials.uid,
                                    .pid = credentials.pid ? credentials.pid : MRL_NOBODY,
                                    .may_change = may_change,
                                    .until_ms = mrl_clock__ms() + ASK_MS };
}

/* Returns whether it is over. */
static bool tell_reloaded(struct mrl_ctl *control, struct mrl_ctl_peer *peer)
{
    char text[1024];
    int err;

    if (!peer->waits ||
        !control->host.reloaded(control->host.context, peer->number, &err, text, sizeof(text)))
        return false;
    answer(peer, err, text);
    return true;
}

static void look_after(struct mrl_ctl *control, struct mrl_ctl_peer *peer, short revents)
{
    if ((revents && !mrl_ctl__hear(control, peer)) || tell_reloaded(control, peer) ||
        mrl_clock__ms() > peer->until_ms)
        cut(peer);
}

static void *serve(void *context)
{
    struct mrl_ctl *control = context;
    struct pollfd polled[MRL_CONTROL_PEERS + 2];

    for (;;) {
        bool any = false;

        for (unsigned int i = 0; i < MRL_CONTROL_PEERS; i++) {
            polled[i] = (struct pollfd){ .fd = control->peers[i].fd, .events = POLLIN };
            any |= control->peers[i].fd >= 0;
        }
        polled[MRL_CONTROL_PEERS] =
            (struct pollfd){ .fd = control->address.socket, .events = POLLIN };
        polled[MRL_CONTROL_PEERS + 1] = (struct pollfd){ .fd = control->wake, .events = POLLIN };
        if (poll(polled, MRL_CONTROL_PEERS + 2, any ? STEP_MS : -1) < 0)
            continue;
        if (polled[MRL_CONTROL_PEERS + 1].revents)
            return NULL;
        for (unsigned int i = 0; i < MRL_CONTROL_PEERS; i++)
            if (control->peers[i].fd >= 0)
                look_after(control, &control->peers[i], polled[i].revents);
        if (polled[MRL_CONTROL_PEERS].revents)
            admit(control);
    }
}

int mrl_ctl__start(struct mrl_ctl *control, const struct mrl_ctl_host *host)
{
    if (!control->is_open)
        return 0;
    control->host = *host;
    control->has_thread = !mrl_thread__start(&control->thread, 0, serve, control);
    return control->has_thread ? 0 : -EAGAIN;
}

void mrl_ctl__close(struct mrl_ctl *control)
{
    const uint64_t once = 1;

    if (!control->is_open)
        return;
    if (control->has_thread && write(control->wake, &once, sizeof(once)) == sizeof(once))
        pthread_join(control->thread, NULL);
    for (unsigned int i = 0; i < MRL_CONTROL_PEERS; i++)
        if (control->peers[i].fd >= 0)
            cut(&control->peers[i]);
    close(control->wake);
    mrl_address__release(&control->address);
    control->is_open = control->has_thread = false;
}
