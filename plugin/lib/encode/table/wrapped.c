// SPDX-License-Identifier: Apache-2.0
/* Text of a row that is broken where the terminal ends. */
#include "encode/table/wrapped.h"

void mrl_wrapped__break(struct mrl_writer *writer, unsigned int indent)
{
    while (writer->at[-1] == ' ')
        writer->at--;
    mrl_put_char(writer, '\n');
    for (unsigned int i = 0; i < indent; i++)
        mrl_put_char(writer, ' ');
}

/* Columns of the next word, and its bytes. */
static unsigned int measure(const char *at, const char *end, size_t *ret_size)
{
    unsigned int width = 0;

    *ret_size = 0;
    for (; at < end && *at != ' '; at++, ++*ret_size)
        width += ((unsigned char)*at & 0xc0) != 0x80;
    return width;
}

void mrl_wrapped__put(struct mrl_writer *writer,
                      const char *at,
                      const char *end,
                      unsigned int indent,
                      unsigned int width)
{
    const unsigned int room = width - indent;
    unsigned int used = 0;
    size_t size;

    while (at < end) {
        const unsigned int word = measure(at, end, &size);

        if (used && used + 1 + word > room) {
            mrl_wrapped__break(writer, indent);
            used = 0;
        } else if (used) {
            mrl_put_char(writer, ' ');
            used++;
        }
        for (size_t i = 0; i < size; i++) {
            if (((unsigned char)at[i] & 0xc0) != 0x80 && used++ == room) {
                mrl_wrapped__break(writer, indent);
                used = 1;
            }
            mrl_put_char(writer, at[i]);
        }
        at += size + 1;
    }
}
