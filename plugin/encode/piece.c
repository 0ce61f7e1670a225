// SPDX-License-Identifier: Apache-2.0
#include "encode/piece.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void mrl_piece__make(struct mrl_piece *piece, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(piece->bytes, sizeof(piece->bytes), format, arguments);
    va_end(arguments);
    assert(size >= 0 && (size_t)size < sizeof(piece->bytes));
    piece->size = (size_t)size;
}
