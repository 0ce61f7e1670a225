// SPDX-License-Identifier: Apache-2.0
#include "side/names/naming.h"

#include <string.h>

#include "base/visible.h"

bool mrl_naming__begin(struct mrl_naming *naming, enum mrl_runtime runtime, const char *id)
{
    const size_t size = id ? strnlen(id, MRL_NAMING_ID_BYTES + 1) : 0;

    if (!id || !mrl_naming__is_id(id, size))
        return false;
    naming->names = (struct mrl_container_names){ .result = MRL_NAMES_KNOWN, .runtime = runtime };
    memcpy(naming->id, id, size);
    naming->names.id = (struct mrl_text){ naming->id, size };
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        naming->names.texts[i] = (struct mrl_text){ naming->texts[i], 0 };
    return true;
}

/* Whole characters, each of which may be shown; what must not becomes a '?'. */
void mrl_naming__set(struct mrl_naming *naming, enum mrl_name name, const char *text)
{
    const size_t room = mrl_name__bytes_max(name);
    const unsigned char *at = (const unsigned char *)(text ? text : "");
    const unsigned char *end = at + strnlen((const char *)at, room + 4);
    char *to = naming->texts[name];
    size_t used = 0;

    naming->names.cut &= ~(1U << name);
    while (at < end) {
        const unsigned int shown = mrl_visible_size(at, end);
        unsigned int size = shown ? shown : mrl_utf8_size(at, end);

        size = size ? size : 1;
        if (used + (shown ? shown : 1) > room) {
            naming->names.cut |= 1U << name;
            break;
        }
        if (shown)
            memcpy(to + used, at, shown);
        else
            to[used] = '?';
        used += shown ? shown : 1;
        at += size;
    }
    naming->names.texts[name].size = used;
}

void mrl_naming__set_label(struct mrl_naming *naming, const char *key, const char *value)
{
    static const struct {
        const char *key;
        enum mrl_name name;
    } wanted[] = {
        { "io.kubernetes.container.name", MRL_NAME_CONTAINER },
        { "io.kubernetes.pod.name", MRL_NAME_POD },
        { "io.kubernetes.pod.namespace", MRL_NAME_POD_NAMESPACE },
        { "io.kubernetes.pod.uid", MRL_NAME_POD_UID },
    };

    for (size_t i = 0; key && i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!strcmp(key, wanted[i].key))
            mrl_naming__set(naming, wanted[i].name, value);
}

/* -- messages --------------------------------------------------------------------------------- */

void mrl_namings__flush(struct mrl_namings *namings)
{
    if (namings->count && namings->send)
        namings->send(namings->context, namings->count, namings->bytes, namings->used);
    namings->used = namings->count = 0;
}

void mrl_namings__add(struct mrl_namings *namings,
                      uint32_t ask,
                      const struct mrl_container_names *names)
{
    ssize_t size = mrl_side_named__put(namings->bytes + namings->used,
                                       sizeof(namings->bytes) - namings->used, ask, names);

    if (size < 0) {
        mrl_namings__flush(namings);
        size = mrl_side_named__put(namings->bytes, sizeof(namings->bytes), ask, names);
    }
    namings->used += (size_t)size; /* one always fits into what is empty */
    namings->count++;
}
