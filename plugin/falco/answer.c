// SPDX-License-Identifier: Apache-2.0
#include "falco/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "enrich/entity.h"

/* As the v0.24 dialect rounds. */
enum { ENTITY_ROUNDING_NS = 100 * 1000 * 1000 };

char *mrl_answer__room(struct mrl_answer *answer, size_t size)
{
    if (answer->text_count == MRL_ANSWER_LIST || size >= sizeof(answer->room) - answer->used)
        return NULL;
    return answer->room + answer->used;
}

/* Appends the text of `size` bytes and a NUL that was written where there was room. */
static void keep(struct mrl_answer *answer, size_t size)
{
    answer->texts[answer->text_count++] = answer->room + answer->used;
    answer->used += size + 1;
}

/* What stands for a byte that must not be shown, or in JSON for a character. Returns its size. */
static size_t escape_byte(const unsigned char *at, char to[MRL_ESCAPE_BYTES])
{
    return (size_t)snprintf(to, MRL_ESCAPE_BYTES, "\\x%02x", *at);
}

static size_t escape_in_json(const unsigned char *at, unsigned int size, char to[MRL_ESCAPE_BYTES])
{
    uint32_t code = mrl_utf8_code(at, size);

    if (code < 0x10000)
        return (size_t)snprintf(to, MRL_ESCAPE_BYTES, "\\u%04x", code);
    code -= 0x10000;
    return (size_t)snprintf(to, MRL_ESCAPE_BYTES, "\\u%04x\\u%04x", 0xd800 | code >> 10,
                            0xdc00 | (code & 0x3ff));
}

/* Bytes of printable ASCII. Nearly every text is one such run, which is copied at once: character
 * by character, texts took a third of the time of a question. */
static size_t plain_bytes(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *start = at;

    while (at < end && *at >= ' ' && *at <= '~')
        at++;
    return (size_t)(at - start);
}

size_t mrl_show(struct mrl_text text, bool is_json, char *to)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;
    char escape[MRL_ESCAPE_BYTES];
    size_t used = 0;

    while (at < end) {
        size_t plain = plain_bytes(at, end);
        size_t shown = plain ? plain : mrl_visible_size(at, end);
        size_t size = shown || !is_json ? shown : mrl_utf8_size(at, end);
        size_t put = shown  ? shown
                     : size ? escape_in_json(at, (unsigned int)size, escape)
                            : escape_byte(at, escape);

        if (to)
            memcpy(to + used, shown ? (const char *)at : escape, put);
        used += put;
        at += size ? size : 1;
    }
    return used;
}

static void put_text(struct mrl_answer *answer, struct mrl_text text, bool is_json)
{
    const unsigned char *bytes = (const unsigned char *)text.bytes;
    bool plain = plain_bytes(bytes, bytes + text.size) == text.size;
    size_t size = plain ? text.size : mrl_show(text, is_json, NULL);
    char *to = mrl_answer__room(answer, size);

    if (!to)
        return;
    if (plain)
        memcpy(to, text.bytes, size);
    else
        mrl_show(text, is_json, to);
    to[size] = '\0';
    keep(answer, size);
}

void mrl_answer__text(struct mrl_answer *answer, const char *bytes, size_t size)
{
    put_text(answer, (struct mrl_text){ bytes, size }, false);
}

void mrl_answer__json(struct mrl_answer *answer, struct mrl_text text)
{
    put_text(answer, text, true);
}

void mrl_answer__number(struct mrl_answer *answer, uint64_t number)
{
    if (answer->number_count < MRL_ANSWER_LIST)
        answer->numbers[answer->number_count++] = number;
}

void mrl_answer__truth(struct mrl_answer *answer, bool truth)
{
    if (answer->truth_count < MRL_ANSWER_LIST)
        answer->truths[answer->truth_count++] = truth;
}

void mrl_answer__signed(struct mrl_answer *answer, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%" PRId64, number);

    mrl_answer__text(answer, text, (size_t)size);
}

/* -- values of the event table ---------------------------------------------------------------- */

static uint64_t number_of(const struct mrl_kind *kind, const struct mrl_value *value)
{
    if (kind->storage == MRL_STORAGE_ENTITY)
        return mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ENTITY_ROUNDING_NS);
    return kind->storage == MRL_STORAGE_SIGNED && kind->bits == 32 ? (uint32_t)value->number
                                                                   : value->unsigned_number;
}

void mrl_answer__value_as_text(struct mrl_answer *answer,
                               const struct mrl_kind *kind,
                               const struct mrl_value *value)
{
    char text[24];
    int size;

    if (kind->storage == MRL_STORAGE_TEXT) {
        mrl_answer__text(answer, value->text.bytes, value->text.size);
    } else if (kind->storage == MRL_STORAGE_SIGNED) {
        mrl_answer__signed(answer, value->number);
    } else {
        size = snprintf(text, sizeof(text), "%" PRIu64, number_of(kind, value));
        mrl_answer__text(answer, text, (size_t)size);
    }
}

void mrl_answer__value(struct mrl_answer *answer,
                       const struct mrl_kind *kind,
                       const struct mrl_value *value)
{
    if (kind->storage != MRL_STORAGE_TEXT)
        mrl_answer__number(answer, number_of(kind, value));
}
