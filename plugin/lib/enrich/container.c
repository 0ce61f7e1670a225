// SPDX-License-Identifier: Apache-2.0
/*
 * The container that a cgroup path names: Tracee's rules (v0.24.1, pkg/datastores/container). The
 * innermost component that looks like a container wins.
 */
#include <ctype.h>
#include <string.h>

#include "enrich/cgroups.h"

enum { SHORTEST_ID = 28, HEX_ID = 64 };

#define SCOPE     ".scope"
#define CRI_INFIX ":cri-containerd:"
#define MONITOR   "conmon-" /* CRI-O's and podman's monitor has a cgroup, but is no container */

/* docker, CRI-O, containerd and podman under systemd's cgroup driver. */
static const char *const prefixes[] = { "docker-", "crio-", "cri-containerd-", "libpod-" };

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
    if (text.size != SHORTEST_ID)
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

static struct mrl_text container_of_component(struct mrl_text part)
{
    struct mrl_text id = part, inner;

    if (part.size < SHORTEST_ID)
        return none;
    if (!memcmp(part.bytes + part.size - strlen(SCOPE), SCOPE, strlen(SCOPE)))
        id.size -= strlen(SCOPE);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (starts_with(id, prefixes[i])) {
            inner = without(id, strlen(prefixes[i]));
            return starts_with(inner, MONITOR) ? none : inner;
        }
    inner = after_infix(part);
    if (inner.size)
        return inner;
    if (is_hex_id(id) || is_garden_id(id))
        return id;
    return none;
}

struct mrl_text mrl_container_of_path(const char *path)
{
    size_t end = strlen(path), start;
    struct mrl_text id;

    for (; end; end = start ? start - 1 : 0) {
        start = end;
        while (start && path[start - 1] != '/')
            start--;
        id = container_of_component((struct mrl_text){ path + start, end - start });
        if (id.size)
            return id;
    }
    return none;
}
