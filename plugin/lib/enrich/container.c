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

/* What stands before an id, and whose sign that is. */
struct sign {
    const char *text;
    enum mrl_runtime runtime;
};

/* Under systemd's cgroup driver. */
static const struct sign prefixes[] = { { "docker-", MRL_RUNTIME_DOCKER },
                                        { "crio-", MRL_RUNTIME_CRIO },
                                        { "cri-containerd-", MRL_RUNTIME_CONTAINERD },
                                        { "libpod-", MRL_RUNTIME_PODMAN } };

/* What the component around a bare id begins with, where Tracee knows the runtime: docker,
 * GitHub's runners, and Kubernetes without systemd. */
static const struct sign parents[] = { { "docker", MRL_RUNTIME_DOCKER },
                                       { "actions_job", MRL_RUNTIME_DOCKER },
                                       { "pod", MRL_RUNTIME_CRI } };

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

/* An id as a component says it. */
struct found {
    struct mrl_text id;
    bool is_signed; /* a runtime's own sign is beside it */
    enum mrl_runtime hint;
};

/* The part of a component that would be the id. */
static struct found id_of(struct mrl_text part)
{
    struct mrl_text id = part, inner;
    size_t scope = strlen(SCOPE);

    if (part.size > scope && !memcmp(part.bytes + part.size - scope, SCOPE, scope))
        id.size -= scope;
    inner = after_infix(id);
    if (inner.size)
        return (struct found){ inner, true, MRL_RUNTIME_CONTAINERD };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(id, prefixes[i].text))
            return (struct found){ without(id, strlen(prefixes[i].text)), true,
                                   prefixes[i].runtime };
    return (struct found){ id, false, MRL_RUNTIME_UNKNOWN };
}

/* docker and actions_job are whole names; "pod" is how the name of a pod begins. NULL: neither. */
static const struct sign *find_parent(struct mrl_text part)
{
    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
        if (starts_with(part, parents[i].text) &&
            (part.size == strlen(parents[i].text) || !strcmp(parents[i].text, "pod")))
            return &parents[i];
    return NULL;
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

static struct found container_of(struct mrl_text part, struct mrl_text parent)
{
    struct found found = id_of(part);
    const struct sign *sign;

    if (is_hex_id(found.id)) {
        sign = found.is_signed ? NULL : find_parent(parent);
        if (sign)
            found = (struct found){ found.id, true, sign->runtime };
        return found;
    }
    return is_garden_id(found.id) ? (struct found){ found.id, true, MRL_RUNTIME_UNKNOWN }
                                  : (struct found){ none, false, MRL_RUNTIME_UNKNOWN };
}

struct mrl_container_path mrl_container_path__parse(const char *path)
{
    struct mrl_container_path found = { .id = none, .outer = none };
    size_t end = strlen(path), before;
    bool shaped = false, delegated = false;

    while (end) {
        struct mrl_text part = take_component(path, &end);
        struct found here;

        before = end;
        here = container_of(part, take_component(path, &before));
        delegated |= starts_with(part, DELEGATED);
        if (!here.id.size)
            continue;
        /* Nothing speaks for a bare id within a container: it is in the container around. */
        if (found.id.size && shaped) {
            found.outer = here.id;
            continue;
        }
        found.id = here.id;
        found.hint = here.hint;
        shaped = here.is_signed;
        delegated = false; /* what counts is what is around */
    }
    found.is_claim = found.id.size && (delegated || found.outer.size);
    found.confirmed = shaped && !found.is_claim;
    return found;
}
