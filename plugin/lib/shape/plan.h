/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping, worked out for the events of one definition. */
#ifndef MRL_SHAPE_PLAN_H
#define MRL_SHAPE_PLAN_H

#include "shape/sentence.h"
#include "shape/step.h"

struct mrl_plan {
    struct mrl_steps steps;
    struct mrl_sentence sentence;
    size_t fixed_bytes; /* at most, of all but texts and the object of the task */
};

/** What all plans of an encoder have in common. `telling` is used to ask for what is known once. */
struct mrl_plan_options {
    const struct mrl_mapping *mapping;
    struct mrl_telling *telling;
    uint32_t extras;
    bool of_task; /* the plan of the object mrl_mapping.of_task alone */
};

/** At most so many bytes of constant text in a plan. */
enum { MRL_PLAN_TEXT_BYTES = 8 * 1024 };

/** New, to be ended by mrl_plan__done(), also after the error: -ENOMEM. */
int mrl_plan__make(const struct mrl_plan_options *options,
                   const struct mrl_event_def *def,
                   struct mrl_plan *ret_plan);

/** A zeroed plan is allowed. */
void mrl_plan__done(struct mrl_plan *plan);

#endif
