// SPDX-License-Identifier: Apache-2.0
/*
 * The fast path: a line held against the shapes while its bytes pass by, without a tree. It says
 * yes only where a validator with the printed schema would; at anything unusual it gives up, which
 * is never wrong. It needs neither memory nor a stack that grows with the line.
 */
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "command/schema/schema.h"

struct cursor {
    const char *at, *end;
};

/* What an object has to know of the lists and numbers in it. */
struct seen {
    uint64_t number;
    unsigned int items;
};

static bool take_value(struct cursor *cursor, const struct mrl_shape *shape, struct seen *seen);

static bool take_bytes(struct cursor *cursor, const char *bytes, size_t size)
{
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, bytes, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

static bool take_char(struct cursor *cursor, char byte)
{
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

/* -- numbers ---------------------------------------------------------------------------------- */

static bool take_digits(struct cursor *cursor, uint64_t *ret_number)
{
    const char *start = cursor->at;
    uint64_t number = 0;

    for (; cursor->at < cursor->end && (unsigned char)(*cursor->at - '0') < 10; cursor->at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*cursor->at - '0'), &number))
            return false;
    *ret_number = number;
    return cursor->at > start && (*start != '0' || cursor->at == start + 1);
}

static bool take_integer(struct cursor *cursor, const struct mrl_shape *shape, struct seen *seen)
{
    bool negative = take_char(cursor, '-');
    uint64_t number;

    if (!take_digits(cursor, &number))
        return false;
    if (negative) /* -0 is left to others */
        return number && shape->minimum < 0 && number <= -(uint64_t)shape->minimum;
    seen->number = number;
    return number <= shape->maximum && (shape->minimum <= 0 || number >= (uint64_t)shape->minimum);
}

/* -- strings ---------------------------------------------------------------------------------- */

/* Skips an escape, of which `at` is the second byte. NUL, and what may be half of a pair, is left
 * to others. */
static bool take_escape(struct cursor *cursor)
{
    unsigned int code = 0;

    if (cursor->at == cursor->end)
        return false;
    if (*cursor->at != 'u')
        return *cursor->at && strchr("\"\\/bfnrt", *cursor->at++);
    if (cursor->end - ++cursor->at < 4)
        return false;
    for (int i = 0; i < 4; i++, cursor->at++) {
        const char *digits = "0123456789abcdef";
        const char *digit = *cursor->at ? strchr(digits, *cursor->at) : NULL;

        if (!digit)
            return false;
        code = code << 4 | (unsigned int)(digit - digits);
    }
    return code && (code < 0xd800 || code > 0xdfff);
}

/* A character beyond ASCII. */
static bool take_character(struct cursor *cursor)
{
    unsigned int size =
        mrl_utf8_size((const unsigned char *)cursor->at, (const unsigned char *)cursor->end);

    cursor->at += size;
    return size;
}

static bool is_word(const struct mrl_shape *shape, const char *text, size_t size)
{
    for (unsigned int i = 0; i < shape->word_count; i++)
        if (strlen(shape->words[i]) == size && !memcmp(shape->words[i], text, size))
            return true;
    return !shape->word_count;
}

static bool take_string(struct cursor *cursor, const struct mrl_shape *shape)
{
    unsigned int length = 0;
    bool escaped = false;
    const char *start;

    if (!take_char(cursor, '"'))
        return false;
    for (start = cursor->at; cursor->at < cursor->end && *cursor->at != '"'; length++) {
        if (*cursor->at & 0x80) {
            if (!take_character(cursor))
                return false;
        } else if (*cursor->at++ == '\\') {
            escaped = true;
            if (!take_escape(cursor))
                return false;
        } else if (cursor->at[-1] < 0x20) {
            return false;
        }
    }
    if (length < shape->length_min || (shape->length_max && length > shape->length_max))
        return false;
    if (shape->word_count || shape->text) {
        size_t size = (size_t)(cursor->at - start);

        if (escaped || !is_word(shape, start, size) ||
            (shape->text && !shape->text->holds(start, size)))
            return false;
    }
    return take_char(cursor, '"');
}

/* -- arrays ----------------------------------------------------------------------------------- */

/* The items of an array one after another: each is preceded by what belongs before it. */
static bool take_item(struct cursor *cursor, const struct mrl_shape *shape, unsigned int *count)
{
    struct seen inner;

    return (!*count || take_char(cursor, ',')) && (++*count, take_value(cursor, shape, &inner));
}

/* An extra that is not there leaves the cursor and the count as they are. */
static bool take_extra(struct cursor *cursor,
                       const struct mrl_extra_shape *extra,
                       unsigned int *count)
{
    for (unsigned int i = 0; i < extra->field_count; i++)
        if (!take_item(cursor, &extra->fields[i], count))
            return false;
    return true;
}

static void take_extras(struct cursor *cursor, const struct mrl_shape *shape, unsigned int *count)
{
    for (unsigned int i = 0; i < shape->extra_count; i++) {
        struct cursor tried = *cursor;
        unsigned int tried_count = *count;

        if (!take_extra(&tried, &shape->extras[i], &tried_count))
            continue;
        *cursor = tried;
        *count = tried_count;
    }
}

static bool take_array(struct cursor *cursor, const struct mrl_shape *shape, struct seen *seen)
{
    unsigned int count = 0;

    if (!take_char(cursor, '['))
        return false;
    for (unsigned int i = 0; i < shape->item_count; i++)
        if (!take_item(cursor, &shape->items[i], &count))
            return false;
    take_extras(cursor, shape, &count);
    while (shape->each && cursor->at < cursor->end && *cursor->at != ']')
        if (count > shape->items_max || !take_item(cursor, shape->each, &count))
            return false;
    seen->items = count;
    return count >= shape->items_min && count <= shape->items_max && take_char(cursor, ']');
}

/* -- objects ---------------------------------------------------------------------------------- */

static bool take_key(struct cursor *cursor, const char *name, bool first)
{
    struct cursor tried = *cursor;

    if ((!first && !take_char(&tried, ',')) || !take_char(&tried, '"') ||
        !take_bytes(&tried, name, strlen(name)) || !take_bytes(&tried, "\":", 2))
        return false;
    *cursor = tried;
    return true;
}

static bool take_object(struct cursor *cursor, const struct mrl_shape *shape)
{
    struct seen counted = { 0 }, listed = { 0 }, other;
    unsigned int taken = 0;

    if (!take_char(cursor, '{'))
        return false;
    for (unsigned int i = 0; i < shape->member_count; i++) {
        const struct mrl_member *member = &shape->members[i];
        struct seen *seen = &other;

        if (!take_key(cursor, member->name, !taken)) {
            if (!member->optional)
                return false;
            continue;
        }
        if (shape->count_key && !strcmp(member->name, shape->count_key))
            seen = &counted;
        if (shape->list_key && !strcmp(member->name, shape->list_key))
            seen = &listed;
        if (!take_value(cursor, member->shape, seen))
            return false;
        taken++;
    }
    if (shape->count_key && counted.number != listed.items)
        return false;
    return (!shape->size || taken == shape->size) && take_char(cursor, '}');
}

/* -- values ----------------------------------------------------------------------------------- */

static bool take_boolean(struct cursor *cursor, const struct mrl_shape *shape)
{
    return take_bytes(cursor, "true", 4) || (!shape->only_true && take_bytes(cursor, "false", 5));
}

/* The first byte of a value tells its type. */
static bool take_value(struct cursor *cursor, const struct mrl_shape *shape, struct seen *seen)
{
    if (cursor->at == cursor->end)
        return false;
    switch (*cursor->at) {
    case '"':
        return (shape->types & MRL_JSON_STRING) && take_string(cursor, shape);
    case '{':
        return (shape->types & MRL_JSON_OBJECT) && take_object(cursor, shape);
    case '[':
        return (shape->types & MRL_JSON_ARRAY) && take_array(cursor, shape, seen);
    case 'n':
        return (shape->types & MRL_JSON_NULL) && take_bytes(cursor, "null", 4);
    case 't':
    case 'f':
        return (shape->types & MRL_JSON_BOOLEAN) && take_boolean(cursor, shape);
    default:
        return (shape->types & MRL_JSON_INTEGER) && take_integer(cursor, shape, seen);
    }
}

/* The shape of the event that the line seems to be of; holding the line against it is what counts.
 */
static const struct mrl_shape *find_shape(const struct mrl_schema *schema,
                                          const char *line,
                                          size_t size)
{
    const char *dot = strrchr(schema->dialect->name_key, '.');
    char key[32];
    size_t key_size =
        (size_t)snprintf(key, sizeof(key), "\"%s\":\"", dot ? dot + 1 : schema->dialect->name_key);
    const char *name, *end = line + size;

    name = memmem(line, size, key, key_size);
    for (unsigned int i = 0; name && i < mrl_event_def__count(); i++) {
        size_t name_size = strlen(schema->lines[i].name);
        const char *at = name + key_size;

        if ((size_t)(end - at) > name_size && at[name_size] == '"' &&
            !memcmp(at, schema->lines[i].name, name_size))
            return &schema->lines[i];
    }
    return NULL;
}

bool mrl_schema__surely_holds(const struct mrl_schema *schema, const char *line, size_t size)
{
    struct cursor cursor = { line, line + size };
    const struct mrl_shape *shape = find_shape(schema, line, size);
    struct seen seen;

    return shape && take_value(&cursor, shape, &seen) && cursor.at == cursor.end;
}
