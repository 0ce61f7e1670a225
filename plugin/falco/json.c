// SPDX-License-Identifier: Apache-2.0
/* Reading JSON in place. */
#include "falco/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEY_MAX = 256 };

static void skip_blanks(struct mrl_json *json)
{
    while (json->at < json->end && strchr(" \t\r\n", *json->at) && *json->at)
        json->at++;
}

static bool take(struct mrl_json *json, char wanted)
{
    skip_blanks(json);
    if (json->at == json->end || *json->at != wanted)
        return false;
    json->at++;
    return true;
}

enum mrl_json_type mrl_json__peek(struct mrl_json *json)
{
    skip_blanks(json);
    if (json->at == json->end)
        return MRL_JSON_WRONG;
    switch (*json->at) {
    case 'n':
        return MRL_JSON_NULL;
    case 't':
    case 'f':
        return MRL_JSON_BOOL;
    case '"':
        return MRL_JSON_STRING;
    case '[':
        return MRL_JSON_ARRAY;
    case '{':
        return MRL_JSON_OBJECT;
    default:
        return *json->at == '-' || (*json->at >= '0' && *json->at <= '9') ? MRL_JSON_NUMBER
                                                                          : MRL_JSON_WRONG;
    }
}

static bool skip_string(struct mrl_json *json)
{
    if (!take(json, '"'))
        return false;
    for (; json->at < json->end && *json->at != '"'; json->at++)
        if (*json->at == '\\' && ++json->at == json->end)
            return false;
    return take(json, '"');
}

static bool skip_word(struct mrl_json *json)
{
    static const char *const words[] = { "null", "true", "false" };

    for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i]);

        if ((size_t)(json->end - json->at) >= size && !memcmp(json->at, words[i], size)) {
            json->at += size;
            return true;
        }
    }
    return false;
}

static bool skip_number(struct mrl_json *json)
{
    const char *start = json->at;

    while (json->at < json->end && *json->at && strchr("+-.eE0123456789", *json->at))
        json->at++;
    return json->at > start;
}

static bool skip_value(struct mrl_json *json, unsigned int depth);

static bool skip_members(struct mrl_json *json, char close, unsigned int depth)
{
    bool first = true, wrong = false;

    while (mrl_json__next(json, close, &first, &wrong)) {
        if (close == '}' && !mrl_json__key(json).size)
            return false;
        if (!skip_value(json, depth + 1))
            return false;
    }
    return !wrong;
}

static bool skip_value(struct mrl_json *json, unsigned int depth)
{
    if (depth > DEPTH_MAX)
        return false;
    switch (mrl_json__peek(json)) {
    case MRL_JSON_NULL:
    case MRL_JSON_BOOL:
        return skip_word(json);
    case MRL_JSON_NUMBER:
        return skip_number(json);
    case MRL_JSON_STRING:
        return skip_string(json);
    case MRL_JSON_ARRAY:
        return skip_members(json, ']', depth);
    case MRL_JSON_OBJECT:
        return skip_members(json, '}', depth);
    case MRL_JSON_WRONG:
        break;
    }
    return false;
}

struct mrl_text mrl_json__skip(struct mrl_json *json)
{
    const char *start;

    skip_blanks(json);
    start = json->at;
    if (!skip_value(json, 0))
        return (struct mrl_text){ "", 0 };
    return (struct mrl_text){ start, (size_t)(json->at - start) };
}

bool mrl_json__next(struct mrl_json *json, char close, bool *first, bool *ret_wrong)
{
    bool begins = *first;

    *first = false;
    if (begins && !take(json, close == '}' ? '{' : '[')) {
        *ret_wrong = true;
        return false;
    }
    if (take(json, close))
        return false;
    *ret_wrong = !begins && !take(json, ',');
    return !*ret_wrong;
}

struct mrl_text mrl_json__key(struct mrl_json *json)
{
    const char *start;
    size_t size;

    skip_blanks(json);
    start = json->at;
    if (!skip_string(json))
        return (struct mrl_text){ "", 0 };
    size = (size_t)(json->at - start);
    return take(json, ':') ? (struct mrl_text){ start, size } : (struct mrl_text){ "", 0 };
}

/* -- strings ---------------------------------------------------------------------------------- */

static int hex4(const char *at, const char *end)
{
    int value = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *digit;
        int lower = at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32 : at[i];

        digit = lower ? strchr(digits, lower) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* \uXXXX, and its second half where it is one of two; half a pair becomes U+FFFD. */
static const char *take_unicode(const char *at, const char *end, char **to)
{
    int code = hex4(at, end), low;

    if (code < 0)
        return NULL;
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        low = hex4(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            *to = put_utf8(*to,
                           0x10000U + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
            return at + 6;
        }
    }
    *to = put_utf8(*to, code >= 0xd800 && code < 0xe000 ? 0xfffd : (uint32_t)code);
    return at;
}

/* What stands behind a backslash. Returns what follows it; NULL: it is wrong. */
static const char *take_escape(const char *at, const char *end, char **to)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (at == end || !*at)
        return NULL;
    if (*at == 'u')
        return take_unicode(at + 1, end, to);
    name = strchr(names, *at);
    if (!name)
        return NULL;
    *(*to)++ = meanings[name - names];
    return at + 1;
}

ssize_t mrl_json__unquote(struct mrl_text text, char *to)
{
    const char *at = text.bytes + 1, *end = text.bytes + text.size - 1;
    char *start = to;

    if (text.size < 2 || *text.bytes != '"' || *end != '"')
        return -1;
    while (at && at < end) {
        if (*at == '\\')
            at = take_escape(at + 1, end, &to);
        else
            *to++ = *at++;
    }
    *to = '\0';
    return at ? to - start : -1;
}

/* -- pointers --------------------------------------------------------------------------------- */

/* The next part of a pointer, without its "~0" and "~1". Returns where the next begins, or NULL. */
static const char *take_part(const char *pointer, char part[KEY_MAX])
{
    size_t size = 0;

    if (*pointer++ != '/')
        return NULL;
    for (; *pointer && *pointer != '/'; pointer++) {
        if (size + 1 == KEY_MAX)
            return NULL;
        if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            part[size++] = *++pointer == '0' ? '~' : '/';
        else
            part[size++] = *pointer;
    }
    part[size] = '\0';
    return pointer;
}

static bool is_key(struct mrl_text key, const char *part)
{
    char text[KEY_MAX];

    return key.size && key.size <= sizeof(text) && mrl_json__unquote(key, text) >= 0 &&
           !strcmp(text, part);
}

/* Moves to the member that `part` names. */
static bool enter(struct mrl_json *json, const char *part)
{
    bool is_object = mrl_json__peek(json) == MRL_JSON_OBJECT, first = true, wrong = false;
    char number[24];

    if (!is_object && mrl_json__peek(json) != MRL_JSON_ARRAY)
        return false;
    for (unsigned int i = 0; mrl_json__next(json, is_object ? '}' : ']', &first, &wrong); i++) {
        snprintf(number, sizeof(number), "%u", i);
        if (is_object ? is_key(mrl_json__key(json), part) : !strcmp(number, part))
            return true;
        if (!mrl_json__skip(json).size)
            break;
    }
    return false;
}

struct mrl_text mrl_json__find(struct mrl_text value, const char *pointer)
{
    struct mrl_json json = { value.bytes, value.bytes + value.size };
    char part[KEY_MAX];

    while (*pointer) {
        pointer = take_part(pointer, part);
        if (!pointer || !enter(&json, part))
            return (struct mrl_text){ "", 0 };
    }
    return mrl_json__skip(&json);
}
