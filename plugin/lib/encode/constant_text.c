// SPDX-License-Identifier: Apache-2.0
#include "encode/constant_text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void mrl_constant_text__make(struct mrl_constant_text *piece, const char *format, ...)
{
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(piece->bytes, sizeof(piece->bytes), format, arguments);
    va_end(arguments);
    /* Only names of our own tables come here, so a text that is too long is a fault of the
     * program. */
    assert(size >= 0 && (size_t)size < sizeof(piece->bytes));
    piece->size = (size_t)size;
}
