/* SPDX-License-Identifier: Apache-2.0 */
/* Constant text of a dialect, made when its encoder is. */
#ifndef MRL_ENCODE_PIECE_H
#define MRL_ENCODE_PIECE_H

#include "encode/writer.h"

enum { MRL_PIECE_BYTES = 160 };

struct mrl_piece {
    char bytes[MRL_PIECE_BYTES];
    size_t size;
};

/** As printf; the text must fit. */
void mrl_piece__make(struct mrl_piece *piece, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void mrl_put_piece(struct mrl_writer *writer, const struct mrl_piece *piece)
{
    mrl_put_bytes(writer, piece->bytes, piece->size);
}

#endif
