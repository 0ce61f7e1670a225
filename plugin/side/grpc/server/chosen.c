// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/chosen.h"

#include <string.h>

#include "encode/protobuf_reader.h"

/* Field numbers of tracee.v1beta1. */
enum { RESPONSE_EVENT = 1, EVENT_POLICIES = 4, POLICIES_MATCHED = 1 };

bool mrl_chosen__is_there(const struct mrl_metrics *metrics, const char *name)
{
    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++) {
        const struct mrl_metric *row = mrl_metrics__at(metrics, i);

        for (unsigned int j = 0; j < row->label_count; j++)
            if (!strcmp(row->labels[j].name, "policy") && !strcmp(row->labels[j].value, name))
                return true;
    }
    return false;
}

static bool has(const struct mrl_chosen *chosen, struct mrl_text name)
{
    for (unsigned int i = 0; i < chosen->count; i++)
        if (chosen->names[i].size == name.size &&
            !memcmp(chosen->names[i].bytes, name.bytes, name.size))
            return true;
    return false;
}

bool mrl_chosen__add(struct mrl_chosen *chosen, const char *name)
{
    const struct mrl_text text = { name, strlen(name) };
    const struct mrl_text *last = chosen->count ? &chosen->names[chosen->count - 1] : NULL;
    const size_t used = last ? (size_t)(last->bytes + last->size - chosen->bytes) : 0;

    if (has(chosen, text))
        return true;
    if (chosen->count == MRL_POLICIES_MAX || text.size > sizeof(chosen->bytes) - used)
        return false;
    memcpy(chosen->bytes + used, name, text.size);
    chosen->names[chosen->count++] = (struct mrl_text){ chosen->bytes + used, text.size };
    return true;
}

/* The field of this number; empty where there is none. */
static struct mrl_text find(struct mrl_text message, unsigned int number)
{
    struct mrl_protobuf_reader reader = { message.bytes, message.bytes + message.size };
    struct mrl_protobuf_field field;

    while (mrl_protobuf_reader__next(&reader, &field))
        if (field.number == number && field.wire_type == MRL_PB_BYTES)
            return field.content;
    return (struct mrl_text){ "", 0 };
}

bool mrl_chosen__wants(const struct mrl_chosen *chosen, const char *message, size_t size)
{
    const struct mrl_text event = find((struct mrl_text){ message, size }, RESPONSE_EVENT),
                          policies = find(event, EVENT_POLICIES);
    struct mrl_protobuf_reader reader = { policies.bytes, policies.bytes + policies.size };
    struct mrl_protobuf_field field;

    while (mrl_protobuf_reader__next(&reader, &field))
        if (field.number == POLICIES_MATCHED && field.wire_type == MRL_PB_BYTES &&
            has(chosen, field.content))
            return true;
    return false;
}
