// SPDX-License-Identifier: Apache-2.0
/*
 * The fast path: an event of the two classic dialects, checked as JSON from its first byte to its
 * last while it passes by, and without a tree. A line that is torn, or has another one within, is
 * never JSON. Anything unusual (blanks, fractions, escapes in names) is left to the slow path.
 *
 * The newline behind the line stops every loop: it belongs to no token.
 */
#include <ctype.h>
#include <string.h>

#include "base/visible.h"
#include "command/verify/line.h"

enum { DEPTH_MAX = 8 };

/* What of a line is looked for. */
struct found {
    uint64_t cpu, seq, lane;
    bool has_cpu, has_name, has_args, has_seq, has_lane;
};

static const char *skip_value(const char *at, unsigned int depth);

/* -- tokens: each returns what follows it, or NULL ------------------------------------------- */

static const char *expect(const char *at, const char *text, size_t size)
{
    return memcmp(at, text, size) ? NULL : at + size;
}

/* memcmp() may look at all bytes that it is told of; these stop at the newline. */
#define EXPECT(at, end, text) \
    ((size_t)((end) - (at)) >= sizeof(text) - 1 ? expect((at), (text), sizeof(text) - 1) : NULL)

static const char *skip_plain(const char *at)
{
    while ((unsigned char)(*at - 0x20) < 0x60 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Of a name: one that is spelled with escapes could not be compared. `at` is behind the quote. */
static const char *skip_name(const char *at)
{
    at = skip_plain(at);
    return *at == '"' ? at + 1 : NULL;
}

/* `at` is behind the backslash. NUL, and what may be half of a pair, is left to others. */
static const char *skip_escape(const char *at)
{
    unsigned int code = 0;

    if (*at != 'u')
        return *at && strchr("\"\\/bfnrt", *at) ? at + 1 : NULL;
    for (unsigned int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)*++at))
            return NULL;
        code = code << 4 | (unsigned int)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    }
    return code && (code < 0xd800 || code > 0xdfff) ? at + 1 : NULL;
}

/* Beyond ASCII. The newline is no part of a character either. */
static const char *skip_character(const char *at)
{
    const unsigned char *first = (const unsigned char *)at;
    unsigned int size = mrl_utf8_size(first, first + 4);

    return size > 1 ? at + size : NULL;
}

/* Of a value. `at` is behind the opening quote. */
static const char *skip_text(const char *at)
{
    for (at = skip_plain(at); at && *at != '"'; at = at ? skip_plain(at) : NULL)
        at = *at == '\\' ? skip_escape(at + 1) : skip_character(at);
    return at ? at + 1 : NULL;
}

static const char *take_whole_number(const char *at, uint64_t *ret_number)
{
    const char *start = at;
    uint64_t number = 0;

    for (; (unsigned char)(*at - '0') < 10; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return NULL;
    *ret_number = number;
    return at > start && (*start != '0' || at == start + 1) ? at : NULL;
}

static const char *skip_word(const char *at)
{
    static const char *const words[] = { "null", "true", "false" };

    for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = 0;

        while (words[i][size] && at[size] == words[i][size])
            size++;
        if (!words[i][size])
            return at + size;
    }
    return NULL;
}

static const char *skip_members(const char *at, unsigned int depth)
{
    if (*at == '}')
        return at + 1;
    do {
        at = *at == '"' ? skip_name(at + 1) : NULL;
        at = at && *at == ':' ? skip_value(at + 1, depth) : NULL;
    } while (at && *at++ == ',');
    return at && at[-1] == '}' ? at : NULL;
}

static const char *skip_items(const char *at, unsigned int depth)
{
    if (*at == ']')
        return at + 1;
    do
        at = skip_value(at, depth);
    while (at && *at++ == ',');
    return at && at[-1] == ']' ? at : NULL;
}

static const char *skip_value(const char *at, unsigned int depth)
{
    uint64_t number;

    if (depth == DEPTH_MAX)
        return NULL;
    switch (*at) {
    case '"':
        return skip_text(at + 1);
    case '{':
        return skip_members(at + 1, depth + 1);
    case '[':
        return skip_items(at + 1, depth + 1);
    case '-':
        return take_whole_number(at + 1, &number);
    case 'n':
    case 't':
    case 'f':
        return skip_word(at);
    default:
        return take_whole_number(at, &number);
    }
}

/* -- the line --------------------------------------------------------------------------------- */

static bool is(const char *text, size_t size, const char *name)
{
    return size == strlen(name) && !memcmp(text, name, size);
}

/* {"name":"…","type":"…","value":…} */
static const char *take_argument(const char *at, const char *end, struct found *found)
{
    const char *name;
    size_t size;

    name = EXPECT(at, end, "{\"name\":\"");
    at = name ? skip_name(name) : NULL;
    if (!at)
        return NULL;
    size = (size_t)(at - 1 - name);
    at = EXPECT(at, end, ",\"type\":\"");
    at = at ? skip_name(at) : NULL;
    at = at ? EXPECT(at, end, ",\"value\":") : NULL;
    if (!at)
        return NULL;
    if (is(name, size, "seq")) {
        found->has_seq = true;
        at = take_whole_number(at, &found->seq);
    } else if (is(name, size, "lane")) {
        found->has_lane = true;
        at = take_whole_number(at, &found->lane);
    } else {
        at = skip_value(at, 2);
    }
    return at && *at == '}' ? at + 1 : NULL;
}

/* Of two keys that are the same, a reader of JSON takes the last: that is left to one. */
static bool once(bool *seen)
{
    bool again = *seen;

    *seen = true;
    return !again;
}

static const char *take_arguments(const char *at, const char *end, struct found *found)
{
    if (*at != '[' || !once(&found->has_args))
        return NULL;
    do
        at = take_argument(at + 1, end, found);
    while (at && *at == ',');
    return at && *at == ']' ? at + 1 : NULL;
}

static const char *take_name(const char *at, struct found *found)
{
    const char *name = at + 1, *end = *at == '"' ? skip_name(name) : NULL;
    size_t size = end ? (size_t)(end - 1 - name) : 0;

    if (is(name, size, "events_lost") || is(name, size, "sensor_state"))
        return NULL; /* these are read in full */
    return once(&found->has_name) ? end : NULL;
}

static const char *take_member(const char *at, const char *end, struct found *found)
{
    const char *key = at + 1;
    size_t size;

    at = *at == '"' ? skip_name(key) : NULL;
    if (!at || *at != ':')
        return NULL;
    size = (size_t)(at - 1 - key);
    if (is(key, size, "processorId"))
        return once(&found->has_cpu) ? take_whole_number(at + 1, &found->cpu) : NULL;
    if (is(key, size, "eventName"))
        return take_name(at + 1, found);
    if (is(key, size, "args"))
        return take_arguments(at + 1, end, found);
    return skip_value(at + 1, 1);
}

bool mrl_line__scan(const char *bytes, size_t size, struct mrl_line *ret_line)
{
    const char *at = bytes, *end = bytes + size;
    struct found found = { 0 };

    if (*at != '{')
        return false;
    do
        at = take_member(at + 1, end, &found);
    while (at && *at == ',');
    if (!at || *at != '}' || at + 1 != end || !found.has_cpu || !found.has_name || !found.has_seq ||
        !found.has_lane)
        return false;
    if (found.cpu >= MRL_VERIFY_CPUS || found.lane >= MRL_VERIFY_LANES || found.seq > MRL_SEQ_MAX)
        return false;
    ret_line->kind = MRL_LINE_EVENT;
    ret_line->cpu = (uint32_t)found.cpu;
    ret_line->lane = (uint32_t)found.lane;
    ret_line->seq = found.seq;
    return true;
}

void mrl_line__read(const char *bytes, size_t size, struct mrl_line *ret_line)
{
    if (!mrl_line__scan(bytes, size, ret_line))
        mrl_line__parse(bytes, size, ret_line);
}
