/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes of a stranger's text may be shown as they are: whole characters of UTF-8 that a
 * reader sees, and that neither steer a terminal nor reorder what stands beside them.
 */
#ifndef MRL_BASE_VISIBLE_H
#define MRL_BASE_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of the well-formed UTF-8 character that begins at `at`; 0: there is none. `at` < `end`. */
static inline unsigned int mrl_utf8_size(const unsigned char *at, const unsigned char *end)
{
    /* Well-formed sequences, Unicode 15 table 3-7: by lead byte, the range of the second byte. */
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max, size;
    } rows[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    size_t row = 0;

    while (row < count && !(*at >= rows[row].lead_min && *at <= rows[row].lead_max))
        row++;
    if (row == count || rows[row].size > end - at)
        return 0;
    if (rows[row].size > 1 && !(at[1] >= rows[row].second_min && at[1] <= rows[row].second_max))
        return 0;
    for (unsigned int i = 2; i < rows[row].size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return rows[row].size;
}

/** How much of a text to keep of `room` bytes: no well-formed character is cut in its middle. */
static inline size_t mrl_utf8_cut(const char *bytes, size_t size, size_t room)
{
    const unsigned char *begin = (const unsigned char *)bytes, *at = begin + room;

    if (size <= room)
        return size;
    while (at > begin && at + 3 > begin + room && (*at & 0xc0) == 0x80)
        at--;
    return at + mrl_utf8_size(at, begin + size) > begin + room ? (size_t)(at - begin) : room;
}

/** The number of the well-formed character of `size` bytes at `at`. */
static inline uint32_t mrl_utf8_code(const unsigned char *at, unsigned int size)
{
    uint32_t code = size == 1 ? *at : *at & (0x7fU >> size);

    for (unsigned int i = 1; i < size; i++)
        code = code << 6 | (at[i] & 0x3f);
    return code;
}

/**
 * Whether a character is a control (C0, DEL, C1), turns the direction of writing, ends a line, or
 * is ignored where it cannot be shown: Unicode 15, Cc, Bidi_Control, Zl, Zp and
 * Default_Ignorable_Code_Point, and what annotates between lines.
 */
static inline bool mrl_is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        { 0x0000, 0x001f },   { 0x007f, 0x009f },   { 0x00ad, 0x00ad },   { 0x034f, 0x034f },
        { 0x061c, 0x061c },   { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
        { 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x3164, 0x3164 },
        { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
        { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && code >= hidden[i].first; i++)
        if (code <= hidden[i].last)
            return true;
    return false;
}

/** Bytes of the character at `at` that may be shown as it is; 0: the first byte may not. */
static inline unsigned int mrl_visible_size(const unsigned char *at, const unsigned char *end)
{
    unsigned int size = mrl_utf8_size(at, end);

    return size && !mrl_is_hidden(mrl_utf8_code(at, size)) ? size : 0;
}

#endif
