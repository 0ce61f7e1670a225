// SPDX-License-Identifier: Apache-2.0
#include "enrich/told_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

void mrl_told_names__init(struct mrl_told_names *names)
{
    *names = (struct mrl_told_names){ .end = &names->first };
    pthread_mutex_init(&names->lock, NULL);
}

void mrl_told_names__done(struct mrl_told_names *names)
{
    pthread_mutex_destroy(&names->lock);
}

/* Where they are too long together, the last of these are cut. */
static const enum mrl_name by_weight[MRL_NAMES] = {
    MRL_NAME_POD_UID,   MRL_NAME_POD_NAMESPACE, MRL_NAME_POD,
    MRL_NAME_CONTAINER, MRL_NAME_IMAGE,         MRL_NAME_IMAGE_DIGEST,
};

static size_t measure(const struct mrl_container_names *container, size_t sizes[MRL_NAMES])
{
    size_t size = 0;

    for (unsigned int rank = 0; rank < MRL_NAMES; rank++) {
        enum mrl_name i = by_weight[rank];
        size_t room = MRL_NAMES_BYTES_MAX - size;

        sizes[i] = container->result == MRL_NAMES_KNOWN
                       ? mrl_utf8_cut(container->texts[i].bytes, container->texts[i].size, room)
                       : 0;
        size += sizes[i];
    }
    return size;
}

struct mrl_told *mrl_told__of_names(const struct mrl_container_names *container)
{
    size_t sizes[MRL_NAMES], size = measure(container, sizes);
    struct mrl_told *told = calloc(1, sizeof(*told) + size);
    char *at = told ? told->texts : NULL;

    if (!told)
        return NULL;
    told->named = (struct mrl_named){ .result = container->result,
                                      .runtime = container->runtime,
                                      .is_sandbox = container->is_sandbox };
    told->size = size;
    told->id_size = (uint8_t)container->id.size;
    memcpy(told->id, container->id.bytes, container->id.size);
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        if (sizes[i])
            memcpy(at, container->texts[i].bytes, sizes[i]);
        told->named.texts[i].size = sizes[i];
        at += sizes[i];
    }
    return told;
}

struct mrl_told *mrl_told__of_change(enum mrl_told_what what, struct mrl_text id)
{
    struct mrl_told *told = calloc(1, sizeof(*told));

    if (!told)
        return NULL;
    told->what = what;
    told->named.result = what == MRL_TOLD_NAMES ? MRL_NAMES_QUEUE_FULL : MRL_NAMES_PENDING;
    told->id_size = (uint8_t)id.size;
    memcpy(told->id, id.bytes, id.size);
    return told;
}

int mrl_told_names__append(struct mrl_told_names *names, struct mrl_told *told)
{
    size_t size = sizeof(*told) + told->size;
    int err = -EAGAIN;

    pthread_mutex_lock(&names->lock);
    if (names->bytes + size <= MRL_TOLD_NAMES_BYTES) {
        names->bytes += size;
        *names->end = told;
        names->end = &told->next;
        atomic_store(&names->has_news, true);
        err = names->bytes > MRL_TOLD_NAMES_BYTES / 2;
    }
    pthread_mutex_unlock(&names->lock);
    return err;
}

struct mrl_told *mrl_told_names__take(struct mrl_told_names *names)
{
    struct mrl_told *told;

    pthread_mutex_lock(&names->lock);
    told = names->first;
    names->first = NULL;
    names->end = &names->first;
    names->bytes = 0;
    atomic_store(&names->has_news, false);
    pthread_mutex_unlock(&names->lock);
    return told;
}
