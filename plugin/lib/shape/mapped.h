/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of every shape that is a mapping. */
#ifndef MRL_SHAPE_MAPPED_H
#define MRL_SHAPE_MAPPED_H

#include "encode/encoder.h"
#include "shape/plan.h"

struct mrl_mapped {
    struct mrl_encoder base;
    struct mrl_date event_date, task_date;
    struct mrl_telling telling;
    struct mrl_task_texts tasks;
    struct mrl_plan of_task;
    struct mrl_plan plans[MRL_EVENT_COUNT];
};

int mrl_mapped__init(struct mrl_encoder *encoder, const struct mrl_encoder_options *options);
void mrl_mapped__put(struct mrl_encoder *encoder,
                     const struct mrl_event *event,
                     struct mrl_writer *writer);
void mrl_mapped__done(struct mrl_encoder *encoder);

/** What the mrl_encoder_ops of every mapping say alike, beside `name` and `mapping`. */
#define MRL_MAPPED_OPS                                                                    \
    .bytes = sizeof(struct mrl_mapped), .init = mrl_mapped__init, .put = mrl_mapped__put, \
    .done = mrl_mapped__done

#endif
