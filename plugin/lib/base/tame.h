/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of strangers on their way to a terminal, a log or a peer. */
#ifndef MRL_BASE_TAME_H
#define MRL_BASE_TAME_H

/** How many bytes at `at` are one character that steers no terminal; 0: the first is not of one. */
static inline unsigned int mrl_tame__size(const unsigned char *at)
{
    unsigned int size = *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf5 ? 4 : 0;

    if (*at < 0x80)
        return *at >= ' ' && *at != 0x7f;
    if (*at == 0xc2 && at[1] < 0xa0) /* U+0080 to U+009F: C1 */
        return 0;
    for (unsigned int i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) /* the end of the text, too */
            return 0;
    return size;
}

/**
 * Makes each byte of a control character (C0, DEL, and C1 as UTF-8 writes them) and each byte that
 * is no UTF-8 a '?', in place. Returns `text`.
 */
static inline char *mrl_tame(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        unsigned int size = mrl_tame__size(at);

        if (!size)
            *at++ = '?';
        at += size;
    }
    return text;
}

#endif
