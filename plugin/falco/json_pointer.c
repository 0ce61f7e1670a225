// SPDX-License-Identifier: Apache-2.0
#include "falco/json_pointer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* Returns where the value that begins at `at` ends. */
static const char *skip_value(const char *at)
{
    unsigned int depth = 0;

    do {
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at = *at == '"' ? skip_string(at) : at + 1;
    } while (depth || !strchr(",]}", *at)); /* the NUL too */
    return at;
}

/* Returns where the member called `name` begins, or in an array the element of that index; NULL:
 * there is none. */
static const char *enter(const char *at, const char *name, size_t size)
{
    const bool is_object = *at == '{';

    if (!is_object && *at != '[')
        return NULL;
    at++;
    for (unsigned int i = 0; *at != '}' && *at != ']'; i++) {
        char index[12];
        const char *key = index;
        size_t key_size = (size_t)snprintf(index, sizeof(index), "%u", i);

        if (is_object) {
            key = at + 1;
            at = skip_string(at);
            key_size = (size_t)(at - key) - 1;
            at++; /* the colon */
        }
        if (key_size == size && !memcmp(key, name, size))
            return at;
        at = skip_value(at);
        at += *at == ',';
    }
    return NULL;
}

/* "~0" and "~1" stand for characters that no key has, so that they find nothing as they are. */
struct mrl_text mrl_json_pointer__find(const char *line, const char *pointer)
{
    const char *at = line;

    while (at && *pointer == '/') {
        size_t size = strcspn(++pointer, "/");

        at = enter(at, pointer, size);
        pointer += size;
    }
    if (!at || *pointer)
        return (struct mrl_text){ "", 0 };
    return (struct mrl_text){ at, (size_t)(skip_value(at) - at) };
}

/* -- strings ---------------------------------------------------------------------------------- */

/* The encoder writes \u00XX for control characters and three others, none of them half a pair. */
static char *put_character(char *to, unsigned long code)
{
    if (code >= 0x800) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)code;
    }
    return to;
}

size_t mrl_json_pointer__unquote(struct mrl_text text, char *to)
{
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *const start = to, *end = text.bytes + text.size - 1;

    for (const char *at = text.bytes + 1; at < end; at++) {
        const char *name;

        if (*at != '\\') {
            *to++ = *at;
        } else if (*++at == 'u') {
            const char digits[] = { at[1], at[2], at[3], at[4], '\0' };

            to = put_character(to, strtoul(digits, NULL, 16));
            at += 4;
        } else {
            name = strchr(names, *at);
            *to++ = name ? meanings[name - names] : *at;
        }
    }
    *to = '\0';
    return (size_t)(to - start);
}
