/* SPDX-License-Identifier: Apache-2.0 */
/* Constant text of a dialect, made when its encoder is. */
#ifndef MRL_ENCODE_CONSTANT_TEXT_H
#define MRL_ENCODE_CONSTANT_TEXT_H

#include "encode/writer.h"

enum { MRL_CONSTANT_TEXT_BYTES = 160 };

struct mrl_constant_text {
    char bytes[MRL_CONSTANT_TEXT_BYTES];
    size_t size;
};

/** As printf; the text must fit. */
void mrl_constant_text__make(struct mrl_constant_text *piece, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void mrl_put_piece(struct mrl_writer *writer, const struct mrl_constant_text *piece)
{
    mrl_put_bytes(writer, piece->bytes, piece->size);
}

#endif
