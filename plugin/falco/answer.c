// SPDX-License-Identifier: Apache-2.0
#include "falco/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "enrich/entity.h"

/* As the v0.24 dialect rounds. */
enum { ENTITY_ROUNDING_NS = 100 * 1000 * 1000 };

char *mrl_answer__room(struct mrl_answer *answer, size_t size)
{
    if (answer->text_count == MRL_ANSWER_LIST || size >= sizeof(answer->room) - answer->used)
        return NULL;
    return answer->room + answer->used;
}

void mrl_answer__keep(struct mrl_answer *answer, size_t size)
{
    answer->texts[answer->text_count++] = answer->room + answer->used;
    answer->used += size + 1;
}

void mrl_answer__text(struct mrl_answer *answer, const char *bytes, size_t size)
{
    char *to = mrl_answer__room(answer, size);

    if (!to)
        return;
    memcpy(to, bytes, size);
    to[size] = '\0';
    mrl_answer__keep(answer, size);
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
