/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in shapes of key=value pairs. */
#ifndef MRL_SHAPE_FLAT_H
#define MRL_SHAPE_FLAT_H

#include "encode/writer.h"

/** Writes a text as UTF-8: each byte that is none becomes U+FFFD. What `put_special` writes, at
 * most six bytes, stands for backslashes, equals signs and what does not show. */
void mrl_put_flat_text(struct mrl_writer *writer,
                       struct mrl_text text,
                       void (*put_special)(struct mrl_writer *writer, char byte));

#endif
