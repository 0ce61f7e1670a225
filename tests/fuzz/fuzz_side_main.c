// SPDX-License-Identifier: Apache-2.0
/* Any bytes from a side program: the keeper goes on, or ends it; it counts no item that was not
 * sent, and nobody gets a wish that is none. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "fuzz.h"
#include "side/common/keeper.h"
#include "side/common/names/service.h"
#include "side_messages.h"

enum { ITEMS = 3 };

static int fulfil(void *context, const struct mrl_wish *wish, struct mrl_error *error)
{
    (void)context;
    must(wish->kind == MRL_WISH_LOG_LEVEL ? wish->level <= MRL_LOG_DEBUG
                                          : wish->event < mrl_event_def__count());
    return mrl_error__set(error, -EOPNOTSUPP, "not here");
}

static void log_text(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    must(level <= MRL_LOG_DEBUG && strlen(text) < 1024);
}

static enum mrl_control control(const void *options)
{
    (void)options;
    return MRL_CONTROL_ALL;
}

/* Nothing reaches the library that breaks a rule. */
static void named(void *context, uint32_t ask, const struct mrl_container_names *names)
{
    (void)context;
    (void)ask;
    must(names->result > MRL_NAMES_PENDING && names->result < MRL_NAMES_RESULTS);
    must(names->runtime < MRL_RUNTIME_CRI && names->id.size <= 64);
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        must(names->texts[i].size <= mrl_name__bytes_max((enum mrl_name)i) &&
             !memchr(names->texts[i].bytes, '\n', names->texts[i].size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mrl_sink_ops row = { .name = "x", .side = "x", .control = control };
    static struct mrl_sides sides;
    static struct mrl_sink sink;
    int pair[2];

    sides.options = (struct mrl_sides_options){ .log = log_text, .fulfil = fulfil, .named = named };
    must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
    memset(&sink, 0, offsetof(struct mrl_sink, buffer));
    sink.sides = &sides;
    sink.row = size && data[0] & 2 ? &mrl_service_names : &row;
    sink.socket = pair[0];
    sink.lives = 1;
    sink.state = size && data[0] & 1 ? MRL_SIDE_OPENING : MRL_SIDE_UP;
    sink.due_ms = sink.pinged_ms = size && data[0] & 4;
    sink.flight = (struct mrl_flight){ .first = 7, .sent = 2, .items = { ITEMS, ITEMS } };
    say_all(pair[1], data, size);
    mrl_keeper__hear(&sink);
    must(sink.flight.taken <= 2 * ITEMS && sink.flight.answered <= 2 && sink.flight.err <= 0);
    must(sink.sent.retries <= sink.sent.resent && sink.sent.resent <= INT64_MAX);
    close(pair[0]);
    close(pair[1]);
    return 0;
}
