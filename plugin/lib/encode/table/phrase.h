/* SPDX-License-Identifier: Apache-2.0 */
/* What matters of an event, in one phrase: its subject (event/about.def) has it, with holes. */
#ifndef MRL_ENCODE_TABLE_PHRASE_H
#define MRL_ENCODE_TABLE_PHRASE_H

#include "encode/writer.h"

/**
 * Fills in the phrase of an event. A hole is `{field}`, of the event or of an extra that fits it;
 * "not known" stands for one that is absent. What stands in `[…]` is left out where one of its
 * fields is absent, or the event has none of that name. Writes less than MRL_PHRASE_BYTES_MAX.
 */
void mrl_phrase__put(struct mrl_writer *writer, const struct mrl_event *event);

#define MRL_PHRASE_BYTES_MAX ((size_t)16 * 1024)

/** Whether it is written as it should be: every hole closed, and each that stands in no […] a field
 * of the event. */
bool mrl_phrase__is_right(const struct mrl_event_def *def);

#endif
