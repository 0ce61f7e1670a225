/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be told of an event, by name: its fields, and the rows of told.def. A value is known, or
 * it is not, or there is none: a shape must not take the second for the third.
 */
#ifndef MRL_SHAPE_TOLD_H
#define MRL_SHAPE_TOLD_H

#include <mrelease/encode.h>
#include <mrelease/extra.h>

#include "encode/writer.h"

enum mrl_known { MRL_KNOWN, MRL_UNKNOWN, MRL_NONE };

/** When a value is known: see told.def. */
enum mrl_told_when { MRL_TOLD_ONCE, MRL_TOLD_TASK, MRL_TOLD_EVENT };

struct mrl_sentence;

enum { MRL_TOLD_SCRATCH_BYTES = 4096 };

/** Who is asked for values. */
struct mrl_telling {
    const struct mrl_event_def *def;
    const struct mrl_event *event;        /* NULL: only what is known ONCE can be asked */
    const struct mrl_host_identity *host; /* NULL: not known */
    const struct mrl_sentence *sentence;  /* of `def`, and who says it (shape/sentence.h) */
    struct mrl_text (*say)(struct mrl_telling *telling);
    char scratch[MRL_TOLD_SCRATCH_BYTES]; /* texts that are computed: valid until the next one */
};

/** Something that can be told of the events of one definition. */
struct mrl_told {
    const struct mrl_field *field; /* its name, kind and doc */
    enum mrl_told_when when;
    bool may_lack;                 /* there may be none */
    struct mrl_layout_field place; /* unless there is `tell` */
    enum mrl_known (*tell)(struct mrl_telling *telling, struct mrl_value *value);
};

/** Looks for a row of told.def that events of `def` have, and then for a field of `layout`. */
bool mrl_told__find(const struct mrl_event_def *def,
                    const struct mrl_layout *layout,
                    const char *name,
                    struct mrl_told *ret_told);

/** What a field of a layout tells. */
struct mrl_told mrl_told__of_field(const struct mrl_layout_field *place);

/** The value; set only where it is known. */
enum mrl_known mrl_told__value(const struct mrl_told *told,
                               struct mrl_telling *telling,
                               struct mrl_value *value);

/** The rows of told.def, for documentation; NULL after the last. */
const struct mrl_field *mrl_told__field(unsigned int index);

/** Writes the id of an event (mrl_event__id()) without a NUL; nothing where its run is not known.
 */
void mrl_put_event_id(struct mrl_writer *writer, const struct mrl_event *event);

#endif
