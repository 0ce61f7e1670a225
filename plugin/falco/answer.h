/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for the answers of one call of extract_fields(). What does not fit is left out: a rule that
 * asks for it finds no value, and nothing is allocated.
 */
#ifndef MRL_FALCO_ANSWER_H
#define MRL_FALCO_ANSWER_H

#include <mrelease/event.h>
#include <stdbool.h>

#include "falco/abi.h"

enum {
    MRL_ANSWER_TEXT = 64 * 1024,
    MRL_ANSWER_LIST = 64,
    MRL_ESCAPE_BYTES = sizeof("\\ud83d\\udca9"),
};

/**
 * Writes a text to `to` so that it can be shown, and returns its size; NULL: only that. Each byte
 * of a character that must not be shown (base/visible.h) becomes "\\x0a"; in JSON, the character
 * becomes "\\u000a", which means the same.
 */
size_t mrl_show(struct mrl_text text, bool is_json, char *to);

/** Three lists, one per type that Falco knows; each counts how many answers it has. */
struct mrl_answer {
    const char *texts[MRL_ANSWER_LIST]; /* in `room`, each with a NUL */
    uint64_t numbers[MRL_ANSWER_LIST];
    falco_bool truths[MRL_ANSWER_LIST];
    unsigned int text_count, number_count, truth_count;
    size_t used; /* of `room` */
    char room[MRL_ANSWER_TEXT];
};

/** Returns where the next text of `size` bytes and its NUL can be written; NULL: it does not fit.
 */
char *mrl_answer__room(struct mrl_answer *answer, size_t size);

/** Appends a text, or a piece of JSON, as mrl_show() writes it. */
void mrl_answer__text(struct mrl_answer *answer, const char *bytes, size_t size);
void mrl_answer__json(struct mrl_answer *answer, struct mrl_text text);

void mrl_answer__number(struct mrl_answer *answer, uint64_t number);
void mrl_answer__truth(struct mrl_answer *answer, bool truth);

/** Appends a number as text, because Falco has no signed ones. */
void mrl_answer__signed(struct mrl_answer *answer, int64_t number);

/** Appends a value of this kind as a number; a text is left out. */
void mrl_answer__value(struct mrl_answer *answer,
                       const struct mrl_kind *kind,
                       const struct mrl_value *value);

/** Appends a value of this kind as text. */
void mrl_answer__value_as_text(struct mrl_answer *answer,
                               const struct mrl_kind *kind,
                               const struct mrl_value *value);

#endif
