// SPDX-License-Identifier: Apache-2.0
#include "side/names/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "side/names/resolver.h"

/* What was listed: the first is looked up. */
struct listed {
    unsigned int count;
    char id[MRL_NAMING_ID_BYTES + 1];
};

static const char *const states[] = {
    [MRL_ASKER_NEW] = "new",   [MRL_ASKER_ABSENT] = "absent", [MRL_ASKER_DOWN] = "down",
    [MRL_ASKER_HUNG] = "hung", [MRL_ASKER_UP] = "up",
};

static void take(void *context, const struct mrl_naming *naming)
{
    struct listed *listed = context;

    if (!listed->count++)
        snprintf(listed->id, sizeof(listed->id), "%.*s", (int)naming->names.id.size,
                 naming->names.id.bytes);
}

/* -1: there was none, or it has gone. */
static int64_t time_lookup(struct mrl_asker *asker, const char *id, struct mrl_naming *room)
{
    const int64_t begun_ns = mrl_clock__ns(CLOCK_MONOTONIC);

    return !*id || asker->ops->find(asker, id, room)
               ? -1
               : (mrl_clock__ns(CLOCK_MONOTONIC) - begun_ns) / 1000;
}

static void look(struct mrl_asker *asker)
{
    static struct mrl_naming room;
    struct listed listed = { 0, "" };
    bool lacks;
    const enum mrl_asker_state state = mrl_resolver__reach(asker, &room, take, &listed, &lacks);
    const int64_t us = state == MRL_ASKER_UP ? time_lookup(asker, listed.id, &room) : -1;

    if (state == MRL_ASKER_ABSENT && !lacks)
        return;
    printf("%s\t%s\t%s\t%s\t%s\t%u\t%" PRId64 "\t%s\n", mrl_runtime__name(asker->runtime),
           asker->path, asker->ops->name, states[state], asker->version, listed.count, us,
           asker->why);
}

int mrl_names__look(const struct mrl_names_options *options)
{
    struct mrl_asker askers[MRL_ASKERS_MAX];
    const struct mrl_names_socket *sockets;
    size_t count;
    bool is_named;

    sockets = mrl_resolver__sockets(options, &count, &is_named);
    for (size_t i = 0; i < count; i++) {
        const unsigned int found = mrl_askers__of(&sockets[i], is_named, askers, MRL_ASKERS_MAX);

        for (unsigned int j = 0; j < found; j++)
            look(&askers[j]);
    }
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
