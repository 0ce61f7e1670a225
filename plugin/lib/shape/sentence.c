// SPDX-License-Identifier: Apache-2.0
#include "shape/sentence.h"

#include <assert.h>
#include <string.h>

#include "event/about.h"

enum { NAME_BYTES = 32, FIXED_BYTES = 512 };

/* At `{name}`; returns what follows it. */
static const char *make_part(const struct mrl_event_def *def,
                             const struct mrl_layout *layout,
                             const char *at,
                             struct mrl_sentence_part *part)
{
    size_t size = strcspn(at + 1, "}");
    char name[NAME_BYTES] = "";

    assert(size < sizeof(name));
    memcpy(name, at + 1, size);
    /* What an event does not have is not known of it: without its extra, a target is not. */
    part->tells = true;
    if (!mrl_told__find(def, layout, name, &part->told))
        part->told = (struct mrl_told){ .field = NULL };
    return at + size + 2;
}

void mrl_sentence__make(const struct mrl_event_def *def,
                        const struct mrl_layout *layout,
                        struct mrl_sentence *ret_sentence)
{
    const char *at = mrl_event_def__about(def->index)->sentence;

    for (ret_sentence->count = 0; *at; ret_sentence->count++) {
        struct mrl_sentence_part *part = &ret_sentence->parts[ret_sentence->count];

        assert(ret_sentence->count < MRL_SENTENCE_PARTS_MAX);
        *part = (struct mrl_sentence_part){ .text = { at, strcspn(at, "{") } };
        at += part->text.size;
        if (*at)
            at = make_part(def, layout, at, part);
    }
}

static void put_value(struct mrl_writer *writer,
                      const struct mrl_told *told,
                      const struct mrl_value *value,
                      size_t room)
{
    switch (told->field->kind->storage) {
    case MRL_STORAGE_TEXT:
        mrl_put_bytes(writer, value->text.bytes, value->text.size < room ? value->text.size : room);
        break;
    case MRL_STORAGE_SIGNED:
        mrl_put_signed(writer, value->number);
        break;
    default:
        mrl_put_unsigned(writer, value->unsigned_number);
    }
}

struct mrl_text mrl_sentence__say(struct mrl_telling *telling)
{
    const struct mrl_sentence *sentence = telling->sentence;
    /* A part that is computed lies in the same scratch, behind what is written already. */
    char text[MRL_SENTENCE_BYTES];
    struct mrl_writer writer = { text };
    struct mrl_value value;
    /* Words of the pattern, and numbers, fit behind the longest names. */
    const char *limit = text + MRL_SENTENCE_BYTES - FIXED_BYTES;

    for (unsigned int i = 0; i < sentence->count; i++) {
        const struct mrl_sentence_part *part = &sentence->parts[i];

        mrl_put_bytes(&writer, part->text.bytes, part->text.size);
        if (!part->tells)
            continue;
        if (part->told.field && mrl_told__value(&part->told, telling, &value) == MRL_KNOWN)
            put_value(&writer, &part->told, &value,
                      writer.at < limit ? (size_t)(limit - writer.at) : 0);
        else
            mrl_put_literal(&writer, "unknown");
    }
    memcpy(telling->scratch, text, (size_t)(writer.at - text));
    return (struct mrl_text){ telling->scratch, (size_t)(writer.at - text) };
}
