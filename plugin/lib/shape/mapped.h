/* SPDX-License-Identifier: Apache-2.0 */
/* The encoder of every shape that is a mapping. */
#ifndef MRL_SHAPE_MAPPED_H
#define MRL_SHAPE_MAPPED_H

#include "encode/encoder.h"
#include "shape/mapping.h"

/** As mrl_encoder_ops.make, of an encoder for this mapping; mrl_mapped__put() and destroy() go with
 * it. */
int mrl_mapped__make(const struct mrl_mapping *mapping,
                     const struct mrl_encoder_options *options,
                     struct mrl_encoder **ret_encoder);
void mrl_mapped__put(struct mrl_encoder *encoder,
                     const struct mrl_event *event,
                     struct mrl_writer *writer);
void mrl_mapped__destroy(struct mrl_encoder *encoder);

#endif
