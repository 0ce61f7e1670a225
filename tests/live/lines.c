// SPDX-License-Identifier: Apache-2.0
/* JSON lines. */
#include "lines.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "harness.h"

enum { DIGITS_SAFE = 18 };

static void free_lines(void *object)
{
    struct lines *lines = object;

    for (size_t i = 0; i < lines->count; i++)
        json_decref(lines->at[i].json);
    free(lines->at);
    free(lines);
}

/* jansson has no numbers above INT64_MAX; it shall not make them floating point either. Every
 * number that might be one becomes a string with all its digits. */
static char *quote_big_numbers(const char *text)
{
    char *copy = malloc(2 * strlen(text) + 64), *to = copy;
    bool in_string = false;

    assert_non_null(copy);
    while (*text) {
        size_t digits = in_string ? 0 : strspn(text, "0123456789");

        if (digits > DIGITS_SAFE && digits < 21 && strtoull(text, NULL, 10) > INT64_MAX) {
            to += sprintf(to, "\"" BIG "%.*s\"", (int)digits, text);
            text += digits;
            continue;
        }
        if (in_string && *text == '\\' && text[1])
            *to++ = *text++;
        else if (*text == '"')
            in_string = !in_string;
        *to++ = *text++;
    }
    *to = '\0';
    return copy;
}

static json_t *parse(const char *text)
{
    char *readable = quote_big_numbers(text);
    json_error_t error;
    json_t *json = json_loads(readable, JSON_REJECT_DUPLICATES, &error);

    free(readable);
    if (!json)
        fail_msg("not a JSON value (%s): %s", error.text, text);
    return json;
}

static void add(struct lines *lines, const char *text)
{
    struct line *more = realloc(lines->at, (lines->count + 1) * sizeof(*more));

    assert_non_null(more);
    lines->at = more;
    if (strncmp(text, "{\"timestamp\":", 13) != 0 || !isdigit((unsigned char)text[13]))
        fail_msg("a line does not begin as Tracee's do: %s", text);
    lines->at[lines->count].text = text;
    lines->at[lines->count].json = parse(text);
    lines->count++;
}

const struct lines *lines__parse(const char *text)
{
    struct lines *lines = calloc(1, sizeof(*lines));
    char *copy = strdup(text), *end;

    assert_non_null(lines);
    cleanup__add(free, copy);
    cleanup__add(free_lines, lines);
    for (char *at = copy; *at; at = end + 1) {
        end = strchr(at, '\n');
        if (!end)
            fail_msg("the last line has no end: %s", at);
        *end = '\0';
        add(lines, at);
    }
    return lines;
}

const struct lines *lines__load(const char *path)
{
    struct stat status;
    size_t size;
    char *text;

    assert_int_equal(stat(path, &status), 0);
    size = (size_t)status.st_size + 1;
    text = malloc(size);
    assert_non_null(text);
    cleanup__add(free, text);
    if (size == 1)
        *text = '\0';
    else
        assert_int_equal(caller__read(path, text, size), size - 1);
    assert_int_equal(strlen(text), size - 1); /* no NUL among them */
    return lines__parse(text);
}

size_t lines__of_script(const struct lines *lines, const struct script *script)
{
    size_t count = 0;

    for (size_t i = 0; i < lines->count; i++) {
        uint64_t host_tid = json__number(lines->at[i].json, "hostThreadId");
        bool ours = false;

        for (unsigned int j = 0; j < script->count; j++)
            ours |= script->calls[j].caller.host_tid == host_tid;
        count += ours;
    }
    return count;
}

static bool is_of(const struct line *line, const char *event, uint32_t host_tid)
{
    return !strcmp(json__text(line->json, "eventName"), event) &&
           (!host_tid || json__number(line->json, "hostThreadId") == host_tid);
}

const struct line *lines__find(const struct lines *lines,
                               const char *event,
                               uint32_t host_tid,
                               size_t n)
{
    for (size_t i = 0; i < lines->count; i++)
        if (is_of(&lines->at[i], event, host_tid) && !n--)
            return &lines->at[i];
    fail_msg("an event %s of task %u is missing among %zu lines (a flood by others costs events)",
             event, host_tid, lines->count);
    return NULL;
}

size_t lines__count(const struct lines *lines, const char *event, uint32_t host_tid)
{
    size_t count = 0;

    for (size_t i = 0; i < lines->count; i++)
        count += is_of(&lines->at[i], event, host_tid);
    return count;
}

/* -- members ---------------------------------------------------------------------------------- */

uint64_t json__number(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (json_is_string(value) && !strncmp(json_string_value(value), BIG, strlen(BIG)))
        return strtoull(json_string_value(value) + strlen(BIG), NULL, 10);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        fail_msg("'%s' is not a number from 0", key);
    return (uint64_t)json_integer_value(value);
}

int64_t json__signed(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        fail_msg("'%s' is not an integer", key);
    return json_integer_value(value);
}

const char *json__text(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_string(value))
        fail_msg("'%s' is not a string", key);
    return json_string_value(value);
}

int json__truth(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        fail_msg("'%s' is neither true nor false", key);
    return json_is_true(value);
}

uint64_t lines__lost(const struct lines *lines, const char *event, const char *cause)
{
    uint64_t count = 0;

    for (size_t i = 0; i < lines->count; i++) {
        const json_t *args = json_object_get(lines->at[i].json, "args");

        if (strcmp(json__text(lines->at[i].json, "eventName"), "events_lost") != 0 ||
            strcmp(json__text(json_array_get(args, 0), "value"), event) != 0 ||
            (cause && strcmp(json__text(json_array_get(args, 2), "value"), cause) != 0))
            continue;
        count += json__number(json_array_get(args, 1), "value");
    }
    return count;
}

size_t lines__count_of_file(const char *path)
{
    static char block[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t count = 0;
    ssize_t size;

    assert_true(fd >= 0);
    while ((size = read(fd, block, sizeof(block))) > 0)
        for (const char *at = block; (at = memchr(at, '\n', (size_t)(block + size - at))); at++)
            count++;
    close(fd);
    return count;
}
