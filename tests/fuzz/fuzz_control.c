// SPDX-License-Identifier: Apache-2.0
/* Any bytes at the control socket: nobody gets a wish that is none, and a stranger gets none. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "command/session/control.h"
#include "fuzz.h"
#include "side_messages.h"

static int status(void *context, char *text, size_t size)
{
    (void)context;
    (void)size;
    strcpy(text, "{}"); /* NOLINT: there is room */
    return 0;
}

static int fulfil(void *context, const struct mrl_wish *wish, struct mrl_error *error)
{
    const struct mrl_ctl_peer *peer = context;

    must(peer->may_change);
    must(wish->kind == MRL_WISH_LOG_LEVEL ? wish->level <= MRL_LOG_DEBUG
                                          : wish->event < mrl_event_def__count());
    return mrl_error__set(error, -EOPNOTSUPP, "not here");
}

static void wished(void *context, const struct mrl_wish *wish, int err, const char *why)
{
    (void)context;
    must(err < 0 && *wish->by && *why);
}

static unsigned int reload(void *context, int64_t by_uid, int64_t by_pid)
{
    const struct mrl_ctl_peer *peer = context;

    (void)by_uid;
    (void)by_pid;
    must(peer->may_change);
    return 1;
}

static void say(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    must(level <= MRL_LOG_DEBUG && strlen(text) < 1024);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mrl_ctl control;
    struct mrl_ctl_peer peer = { .uid = 7, .pid = 8, .may_change = size && data[0] & 1 };
    int pair[2];

    must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    control.host = (struct mrl_ctl_host){ status, fulfil, wished, reload, NULL, say, &peer };
    peer.fd = pair[0];
    say_all(pair[1], data, size);
    while (mrl_ctl__hear(&control, &peer) && !peer.waits && size--)
        ;
    must(!peer.waits || peer.may_change);
    close(pair[0]);
    close(pair[1]);
    return 0;
}
