/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the policies that want an event, as JSON. */
#ifndef MRL_ENCODE_POLICY_NAMES_H
#define MRL_ENCODE_POLICY_NAMES_H

#include "encode/constant_text.h"

/** What is said where no policy has a name. */
#define MRL_NO_POLICY "[\"\"]"

/** All of them may want one event: two quotes and a comma each, and the brackets. */
enum { MRL_POLICY_NAMES_JSON_MAX = MRL_POLICY_NAMES_MAX + 3 * MRL_POLICIES_MAX + 2 };

/** An array of strings. Names need no escapes: mrl_policy_name__check(). */
static inline void mrl_put_policy_names(struct mrl_writer *writer, const struct mrl_event *event)
{
    struct mrl_text names[MRL_POLICIES_MAX];
    unsigned int count = mrl_event__policies(event, names);

    for (unsigned int i = 0; i < count; i++) {
        mrl_put_bytes(writer, i ? ",\"" : "[\"", 2);
        mrl_put_bytes(writer, names[i].bytes, names[i].size);
        mrl_put_char(writer, '"');
    }
    mrl_put_char(writer, ']');
}

/** A constant text in which MRL_NO_POLICY stands at `at`: as it is, or with the event's names. */
static inline void mrl_put_piece_with_policies(struct mrl_writer *writer,
                                               const struct mrl_constant_text *piece,
                                               size_t at,
                                               const struct mrl_event *event)
{
    const size_t rest = at + sizeof(MRL_NO_POLICY) - 1;

    if (!event->all_policies) {
        mrl_put_piece(writer, piece);
        return;
    }
    mrl_put_bytes(writer, piece->bytes, at);
    mrl_put_policy_names(writer, event);
    mrl_put_bytes(writer, piece->bytes + rest, piece->size - rest);
}

/** Where MRL_NO_POLICY stands in a constant text. */
static inline size_t mrl_policies_at(const struct mrl_constant_text *piece)
{
    return (size_t)(strstr(piece->bytes, MRL_NO_POLICY) - piece->bytes);
}

#endif
