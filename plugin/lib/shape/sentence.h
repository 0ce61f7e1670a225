/* SPDX-License-Identifier: Apache-2.0 */
/* One sentence about an event: the pattern of its subject (event/about.def), filled in. */
#ifndef MRL_SHAPE_SENTENCE_H
#define MRL_SHAPE_SENTENCE_H

#include "shape/told.h"

enum { MRL_SENTENCE_PARTS_MAX = 8, MRL_SENTENCE_BYTES = 2048 };

/** Text, and what is told behind it. */
struct mrl_sentence_part {
    struct mrl_text text;
    bool tells;
    struct mrl_told told;
};

struct mrl_sentence {
    struct mrl_sentence_part parts[MRL_SENTENCE_PARTS_MAX];
    unsigned int count;
};

/** The sentence of the events of `def`, laid out like this. */
void mrl_sentence__make(const struct mrl_event_def *def,
                        const struct mrl_layout *layout,
                        struct mrl_sentence *ret_sentence);

/** The sentence of an event, which is told of. Bytes of names stand as they are: to be escaped.
 * Valid until the next thing is told; at most MRL_SENTENCE_BYTES. */
struct mrl_text mrl_sentence__say(struct mrl_telling *telling);

#endif
