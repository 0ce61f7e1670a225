// SPDX-License-Identifier: Apache-2.0
/*
 * The container that a cgroup path names. Which names are a container's are Tracee's rules
 * (v0.24.1, pkg/datastores/container), but for two: what follows a runtime's prefix must look like
 * an id, and a name inside of a container, or below a user's own manager, is only a claim: whoever
 * is there can make a cgroup of any name.
 */
#include <ctype.h>
#include <string.h>

#include "enrich/cgroups.h"

enum { GARDEN_ID = 28, HEX_ID = 64 };

#define SCOPE     ".scope"
#define CRI_INFIX ":cri-containerd:"
#define DELEGATED "user@" /* the manager of a user, who owns all below */

/* docker, CRI-O, containerd and podman under systemd's cgroup driver. */
static const char *const prefixes[] = { "docker-", "crio-", "cri-containerd-", "libpod-" };

/* What the component around a bare id begins with, where Tracee knows the runtime: docker,
 * GitHub's runners, and Kubernetes without systemd. */
static const char *const parents[] = { "docker", "actions_job", "pod" };

static const struct mrl_text none = { "", 0 };

static bool starts_with(struct mrl_text text, const char *prefix)
{
    size_t size = strlen(prefix);

    return text.size >= size && !memcmp(text.bytes, prefix, size);
}

static struct mrl_text without(struct mrl_text text, size_t front)
{
    return (struct mrl_text){ text.bytes + front, text.size - front };
}

static bool is_hex_id(struct mrl_text text)
{
    if (text.size != HEX_ID)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!isxdigit((unsigned char)text.bytes[i]))
            return false;
    return true;
}

/* Garden's GUID: groups of 8, 4, 4, 4 and 4 hexadecimal digits, joined by '-'. */
static bool is_garden_id(struct mrl_text text)
{
    if (text.size != GARDEN_ID)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool dash = i >= 8 && (i - 8) % 5 == 0;

        if (dash ? text.bytes[i] != '-' : !isxdigit((unsigned char)text.bytes[i]))
            return false;
    }
    return true;
}

/* What follows the last CRI_INFIX; empty where there is none. */
static struct mrl_text after_infix(struct mrl_text text)
{
    struct mrl_text found = none, rest = text;
    const char *infix;

    while ((infix = memmem(rest.bytes, rest.size, CRI_INFIX, strlen(CRI_INFIX)))) {
        rest = without(rest, (size_t)(infix - rest.bytes) + strlen(CRI_INFIX));
        found = rest;
    }
    return found;
}

/* The part of a component that would be the id, and whether a runtime's own sign is beside it. */
static struct mrl_text id_of(struct mrl_text part, bool *ret_signed)
{
    struct mrl_text id = part, inner;
    size_t scope = strlen(SCOPE);

    if (part.size > scope && !memcmp(part.bytes + part.size - scope, SCOPE, scope))
        id.size -= scope;
    *ret_signed = true;
    inner = after_infix(id);
    if (inner.size)
        return inner;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(id, prefixes[i]))
            return without(id, strlen(prefixes[i]));
    *ret_signed = false;
    return id;
}

/* docker and actions_job are whole names; "pod" is how the name of a pod begins. */
static bool is_parent(struct mrl_text part)
{
    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
        if (starts_with(part, parents[i]) &&
            (part.size == strlen(parents[i]) || !strcmp(parents[i], "pod")))
            return true;
    return false;
}

/* The component that ends at `*end`, which is moved to the end of the one before it. */
static struct mrl_text take_component(const char *path, size_t *end)
{
    size_t last = *end, start = last;

    while (start && path[start - 1] != '/')
        start--;
    *end = start ? start - 1 : 0;
    return (struct mrl_text){ path + start, last - start };
}

static struct mrl_text container_of(struct mrl_text part, struct mrl_text parent, bool *ret_shaped)
{
    struct mrl_text id = id_of(part, ret_shaped);

    if (is_hex_id(id)) {
        *ret_shaped |= is_parent(parent);
        return id;
    }
    *ret_shaped = is_garden_id(id);
    return *ret_shaped ? id : none;
}

struct mrl_container_path mrl_container_path__parse(const char *path)
{
    struct mrl_container_path found = { .id = none, .outer = none };
    size_t end = strlen(path), before;
    bool shaped = false, delegated = false, is_shaped;

    while (end) {
        struct mrl_text part = take_component(path, &end), id;

        before = end;
        id = container_of(part, take_component(path, &before), &is_shaped);
        delegated |= starts_with(part, DELEGATED);
        if (!id.size)
            continue;
        /* Nothing speaks for a bare id within a container: it is in the container around. */
        if (found.id.size && shaped) {
            found.outer = id;
            continue;
        }
        found.id = id;
        shaped = is_shaped;
        delegated = false; /* what counts is what is around */
    }
    found.is_claim = found.id.size && (delegated || found.outer.size);
    found.confirmed = shaped && !found.is_claim;
    return found;
}
