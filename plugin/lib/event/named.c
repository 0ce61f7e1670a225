// SPDX-License-Identifier: Apache-2.0
/* Names of containers, from where they are kept into events. */
#include "event/named.h"

#include <string.h>

#include "base/arena.h"

/* In the order of enum mrl_name. */
static const size_t name_members[MRL_NAMES] = {
    [MRL_NAME_CONTAINER] = offsetof(struct mrl_event, container_name),
    [MRL_NAME_IMAGE] = offsetof(struct mrl_event, container_image),
    [MRL_NAME_IMAGE_DIGEST] = offsetof(struct mrl_event, container_image_digest),
    [MRL_NAME_POD] = offsetof(struct mrl_event, pod_name),
    [MRL_NAME_POD_NAMESPACE] = offsetof(struct mrl_event, pod_namespace),
    [MRL_NAME_POD_UID] = offsetof(struct mrl_event, pod_uid),
};

const struct mrl_text *mrl_event__name(const struct mrl_event *event, enum mrl_name name)
{
    return (const void *)((const char *)event + name_members[name]);
}

size_t mrl_named__bytes(const struct mrl_named *named)
{
    size_t size = sizeof(*named);

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        size += named->texts[i].size;
    return size;
}

/* Where they begin, if they follow each other, as those that are kept do; else NULL. */
static const char *begin_of(const struct mrl_named *named)
{
    const char *begin = NULL, *end = NULL;

    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        const struct mrl_text text = named->texts[i];

        if (!text.size)
            continue;
        if (!begin)
            begin = end = text.bytes;
        if (text.bytes != end)
            return NULL;
        end += text.size;
    }
    return begin;
}

struct mrl_named *mrl_named__copy(const struct mrl_named *named, void *room)
{
    struct mrl_named *copy = room;
    char *const texts = (char *)(copy + 1), *at = texts;
    const char *begin = begin_of(named);

    *copy = *named;
    copy->copy = copy->original = NULL;
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        size_t size = named->texts[i].size;

        if (size && !begin)
            memcpy(at, named->texts[i].bytes, size);
        copy->texts[i].bytes = size ? at : "";
        at += size;
    }
    if (begin)
        memcpy(texts, begin, (size_t)(at - texts));
    return copy;
}

static struct mrl_named *copy_into(struct mrl_arena *arena, const struct mrl_named *named)
{
    void *room = mrl_arena__take(arena, mrl_named__bytes(named));

    return room ? mrl_named__copy(named, room) : NULL;
}

/* The copy that the batch has, or a new one. The names of a record with a target are not shared:
 * once those of the target are found, the caller's may be forgotten, and then nobody could say that
 * the copy was taken back. */
static const struct mrl_named *share(const struct mrl_raw *raw, struct mrl_named *named)
{
    struct mrl_arena *arena = raw->arena;
    struct mrl_named *copy;

    if (named->copy && named->copied_in == arena->serial)
        return named->copy;
    copy = copy_into(arena, named);
    if (copy && arena->serial && !raw->target) {
        copy->original = named;
        named->copy = copy;
        named->copied_in = arena->serial;
    }
    return copy;
}

static struct mrl_text text_of(const char *text)
{
    return (struct mrl_text){ text, strlen(text) };
}

void mrl_named__put(const struct mrl_raw *raw, struct mrl_named *kept, struct mrl_event *event)
{
    const struct mrl_named *named = share(raw, kept);

    event->named = named;
    if (!named)
        return;
    event->names_result = named->result;
    event->container_lookup = text_of(mrl_names_result__word(named->result));
    event->pod_sandbox = named->is_sandbox;
    if (named->runtime != MRL_RUNTIME_UNKNOWN)
        event->container_runtime = text_of(mrl_runtime__name(named->runtime));
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        *(struct mrl_text *)mrl_event__name(event, i) = named->texts[i];
}

void mrl_named__put_target(const struct mrl_raw *raw,
                           const struct mrl_named *kept,
                           struct mrl_event *event)
{
    const struct mrl_named *named = copy_into(raw->arena, kept);

    event->target_named = named;
    if (!named || named->result != MRL_NAMES_KNOWN)
        return;
    event->target_container_name = named->texts[MRL_NAME_CONTAINER];
    event->target_container_image = named->texts[MRL_NAME_IMAGE];
    event->target_pod_name = named->texts[MRL_NAME_POD];
    event->target_pod_namespace = named->texts[MRL_NAME_POD_NAMESPACE];
}

void mrl_named__take_back(const struct mrl_event *event, const char *end)
{
    const struct mrl_named *copy = event->named;

    if (copy && copy->original && (const char *)copy >= end)
        copy->original->copy = NULL;
}
