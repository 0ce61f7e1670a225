// SPDX-License-Identifier: Apache-2.0
#include "side/common/names/frames.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/visible.h"

enum { ID_BYTES_MIN = 12 /* as short as people cut them */ };

bool mrl_naming__is_id(const char *id, size_t size)
{
    if (size < ID_BYTES_MIN || size > MRL_NAMING_ID_BYTES)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isxdigit((unsigned char)id[i]) && id[i] != '-')
            return false;
    return true;
}

int mrl_side_lookup__read(const struct mrl_side_message *message,
                          uint32_t index,
                          struct mrl_side_lookup *ret_lookup,
                          char id[MRL_NAMING_ID_BYTES + 1])
{
    struct mrl_side_lookup lookup;

    if (message->head.count > MRL_LOOKUPS_MAX || index >= message->head.count ||
        message->head.size != message->head.count * sizeof(lookup))
        return -EPROTO;
    memcpy(&lookup, message->bytes + index * sizeof(lookup), sizeof(lookup));
    if (lookup.hint >= MRL_RUNTIMES ||
        !mrl_naming__is_id(lookup.id, strnlen(lookup.id, sizeof(lookup.id))))
        return -EPROTO;
    memset(id, 0, MRL_NAMING_ID_BYTES + 1);
    memcpy(id, lookup.id, sizeof(lookup.id));
    *ret_lookup = lookup;
    return 0;
}

ssize_t mrl_side_named__put(char *to,
                            size_t room,
                            uint32_t ask,
                            const struct mrl_container_names *names)
{
    struct mrl_side_named head = { .ask = ask,
                                   .result = (uint8_t)names->result,
                                   .runtime = (uint8_t)names->runtime,
                                   .is_sandbox = names->is_sandbox,
                                   .cut = (uint8_t)names->cut,
                                   .sizes = { (uint16_t)names->id.size } };
    size_t used = sizeof(head) + names->id.size;

    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        head.sizes[1 + i] = (uint16_t)names->texts[i].size;
        used += names->texts[i].size;
    }
    if (used > room)
        return -ENOSPC;
    memcpy(to, &head, sizeof(head));
    to += sizeof(head);
    memcpy(to, names->id.bytes, names->id.size);
    to += names->id.size;
    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        memcpy(to, names->texts[i].bytes, names->texts[i].size);
        to += names->texts[i].size;
    }
    return (ssize_t)used;
}

/* What is shown to people, and to programs, without another look. */
static bool is_visible(struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;

    while (at < end) {
        unsigned int size = mrl_visible_size(at, end);

        if (!size)
            return false;
        at += size;
    }
    return true;
}

static bool is_head(const struct mrl_side_named *head)
{
    return head->result > MRL_NAMES_PENDING && head->result < MRL_NAMES_RESULTS &&
           head->runtime < MRL_RUNTIME_CRI && head->is_sandbox <= 1 && !(head->cut >> MRL_NAMES);
}

/* Takes a text off the rest of a message. */
static int take_text(const struct mrl_side_message *message,
                     size_t *at,
                     size_t size,
                     size_t most,
                     struct mrl_text *ret_text)
{
    if (size > most || size > message->head.size - *at)
        return -EPROTO;
    *ret_text = (struct mrl_text){ message->bytes + *at, size };
    *at += size;
    return is_visible(*ret_text) ? 0 : -EPROTO;
}

int mrl_side_named__next(const struct mrl_side_message *message,
                         size_t *at,
                         uint32_t *ret_ask,
                         struct mrl_container_names *ret_names)
{
    struct mrl_container_names names = { .cut = 0 };
    struct mrl_side_named head;
    size_t next = *at;
    int err;

    if (next == message->head.size)
        return 0;
    if (sizeof(head) > message->head.size - next)
        return -EPROTO;
    memcpy(&head, message->bytes + next, sizeof(head));
    next += sizeof(head);
    if (!is_head(&head))
        return -EPROTO;
    err = take_text(message, &next, head.sizes[0], MRL_NAMING_ID_BYTES, &names.id);
    for (unsigned int i = 0; !err && i < MRL_NAMES; i++)
        err = take_text(message, &next, head.sizes[1 + i], mrl_name__bytes_max((enum mrl_name)i),
                        &names.texts[i]);
    if (err || !mrl_naming__is_id(names.id.bytes, names.id.size))
        return -EPROTO;
    names.result = (enum mrl_names_result)head.result;
    names.runtime = (enum mrl_runtime)head.runtime;
    names.is_sandbox = head.is_sandbox;
    names.cut = head.cut;
    *at = next;
    *ret_ask = head.ask;
    *ret_names = names;
    return 1;
}
