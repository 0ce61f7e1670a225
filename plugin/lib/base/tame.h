/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of strangers on their way to a terminal, a log or a peer. */
#ifndef MRL_BASE_TAME_H
#define MRL_BASE_TAME_H

#include <string.h>

#include "base/visible.h"

/** Makes each byte that must not be shown (base/visible.h) a '?', in place. Returns `text`. */
static inline char *mrl_tame(char *text)
{
    unsigned char *at = (unsigned char *)text, *end = at + strlen(text);

    while (at < end) {
        unsigned int shown = mrl_visible_size(at, end),
                     size = shown ? shown : mrl_utf8_size(at, end);

        size = size ? size : 1;
        if (!shown)
            memset(at, '?', size);
        at += size;
    }
    return text;
}

#endif
