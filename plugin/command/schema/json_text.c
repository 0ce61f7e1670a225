// SPDX-License-Identifier: Apache-2.0
/*
 * The text of a document: two blanks per level. jansson breaks either all lines or
 * none; here those of the outer levels are broken.
 */
#include "command/schema/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memstream.h"

enum { INDENTED_LEVELS = 7 };

static void write_value(FILE *out, const json_t *value, unsigned int depth);

/* Before each item, and before the bracket at the end: `depth` is that of what follows. */
static void write_gap(FILE *out, bool breaks, bool first, unsigned int depth)
{
    if (breaks)
        fprintf(out, "\n%*s", (int)depth * 2, "");
    else if (!first)
        fputc(' ', out);
}

static void write_object(FILE *out, json_t *object, bool breaks, unsigned int depth)
{
    bool first = true;
    const char *key;
    json_t *value;

    fputc('{', out);
    json_object_foreach(object, key, value)
    {
        if (!first)
            fputc(',', out);
        write_gap(out, breaks, first, depth + 1);
        first = false;
        fprintf(out, "\"%s\": ", key);
        write_value(out, value, depth + 1);
    }
    write_gap(out, breaks && !first, true, depth);
    fputc('}', out);
}

static void write_array(FILE *out, const json_t *array, bool breaks, unsigned int depth)
{
    size_t i;
    json_t *value;

    fputc('[', out);
    json_array_foreach(array, i, value)
    {
        if (i)
            fputc(',', out);
        write_gap(out, breaks, !i, depth + 1);
        write_value(out, value, depth + 1);
    }
    write_gap(out, breaks && i, true, depth);
    fputc(']', out);
}

/* Lines are broken within the outer levels; what lies deeper stays on one. */
static void write_value(FILE *out, const json_t *value, unsigned int depth)
{
    bool breaks = depth < INDENTED_LEVELS;

    if (json_is_object(value))
        write_object(out, (json_t *)value, breaks, depth);
    else if (json_is_array(value))
        write_array(out, value, breaks, depth);
    else if (json_is_real(value))
        fprintf(out, "%ju", UINTMAX_MAX);
    else
        json_dumpf(value, out, JSON_ENCODE_ANY);
}

char *mrl_json_text(const json_t *root)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    write_value(out, root, 0);
    fputc('\n', out);
    mrl_memstream__close(out, &text);
    return text;
}
