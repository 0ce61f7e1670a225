/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows in its room, and is cut at the end of it. */
#ifndef MRL_BASE_APPEND_H
#define MRL_BASE_APPEND_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/** Appends to the `*used` bytes in a room of `size`, of which the last is for the NUL. */
__attribute__((format(printf, 4, 5))) static inline void mrl_append(
    char *text, size_t size, size_t *used, const char *format, ...)
{
    va_list arguments;
    int more;

    va_start(arguments, format);
    more = vsnprintf(text + *used, size - *used, format, arguments);
    va_end(arguments);
    *used += more > 0 ? (size_t)more : 0;
    if (*used >= size)
        *used = size - 1;
}

#endif
