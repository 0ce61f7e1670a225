// SPDX-License-Identifier: Apache-2.0
#include "shape/flat.h"

#include "base/visible.h"

/* Nearly every text is one run of these, and is copied at once. */
static const bool plain[256] = {
    [' ' ... '<'] = true,
    ['>' ... '['] = true,
    [']' ... '~'] = true,
};

void mrl_put_flat_text(struct mrl_writer *writer,
                       struct mrl_text text,
                       void (*put_special)(struct mrl_writer *writer, char byte))
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size, *start;

    while (at < end) {
        unsigned int size;

        for (start = at; at < end && plain[*at]; at++)
            ;
        mrl_put_bytes(writer, (const char *)start, (size_t)(at - start));
        if (at == end)
            break;
        size = mrl_utf8_size(at, end);
        if (size > 1)
            mrl_put_bytes(writer, (const char *)at, size);
        else if (size)
            put_special(writer, (char)*at);
        else
            mrl_put_literal(writer, "\xef\xbf\xbd");
        at += size ? size : 1;
    }
}
