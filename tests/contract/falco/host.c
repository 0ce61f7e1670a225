// SPDX-License-Identifier: Apache-2.0
/* A host of the plugin. */
#include "host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool falco_host__load(struct falco_host *host, const char *path)
{
    *host = (struct falco_host){ .image = dlopen(path, RTLD_LOCAL | RTLD_NOW) };
    if (!host->image)
        return false;
#define X(name)                                                  \
    *(void **)&host->name = dlsym(host->image, "plugin_" #name); \
    if (!host->name)                                             \
        return false;
    FALCO_FUNCTIONS(X)
#undef X
    return true;
}

void falco_host__unload(struct falco_host *host)
{
    dlclose(host->image);
    *host = (struct falco_host){ 0 };
}

static const char *no_error(void *owner)
{
    (void)owner;
    return "";
}

struct falco_state *falco_host__init(const struct falco_host *host, const char *config, int *rc)
{
    const struct falco_init_input input = { .config = config, .get_owner_last_error = no_error };

    *rc = 77; /* left as it is by a plugin that forgets to set it */
    return host->init(&input, rc);
}

void falco_host__accept(const struct falco_host *host, struct falco_event *event)
{
    struct falco_plugin_event head;

    memcpy(&head, event, sizeof(head));
    head.head.tid = UINT64_MAX;
    head.plugin_id = host->get_id();
    memcpy(event, &head, sizeof(head));
}

bool falco_host__takes_api(const char *have, const char *wanted)
{
    unsigned int major, minor, patch, own_major, own_minor, own_patch;

    if (sscanf(have, "%u.%u.%u", &own_major, &own_minor, &own_patch) != 3 ||
        sscanf(wanted, "%u.%u.%u", &major, &minor, &patch) != 3)
        return false;
    return major == own_major && (minor < own_minor || (minor == own_minor && patch <= own_patch));
}
