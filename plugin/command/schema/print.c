// SPDX-License-Identifier: Apache-2.0
/*
 * Shapes as a JSON Schema. The text is written compactly first and indented then, so that what
 * writes it need not know how deep it is.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/schema/schema.h"

enum { INDENTED_LEVELS = 7, DEFINITIONS_MAX = 64, SUBSETS_MAX = 1 << 8 };

/* Shapes that are definitions, in the order in which they are met. */
struct printer {
    FILE *out;
    const struct mrl_shape *definitions[DEFINITIONS_MAX];
    unsigned int definition_count;
};

static void print_shape(struct printer *printer, const struct mrl_shape *shape);

/* Texts of the tables: none holds a control character. */
static void print_text(const struct printer *printer, const char *text)
{
    fputc('"', printer->out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', printer->out);
        fputc(*text, printer->out);
    }
    fputc('"', printer->out);
}

static void print_key(const struct printer *printer, const char *key, bool *first)
{
    if (!*first)
        fputc(',', printer->out);
    *first = false;
    print_text(printer, key);
    fputc(':', printer->out);
}

/* -- references ------------------------------------------------------------------------------- */

static void print_reference(struct printer *printer, const struct mrl_shape *shape)
{
    unsigned int i = 0;

    while (i < printer->definition_count && printer->definitions[i] != shape)
        i++;
    if (i == printer->definition_count) {
        assert(i < DEFINITIONS_MAX);
        printer->definitions[printer->definition_count++] = shape;
    }
    fprintf(printer->out, "{\"$ref\":\"#/definitions/%s\"}", shape->name);
}

static void print_value(struct printer *printer, const struct mrl_shape *shape)
{
    if (shape->name)
        print_reference(printer, shape);
    else
        print_shape(printer, shape);
}

static void print_extra_reference(const struct printer *printer,
                                  const struct mrl_extra *extra,
                                  unsigned int field)
{
    fprintf(printer->out, "{\"$ref\":\"#/definitions/extra_%s_%s\"}", extra->name,
            extra->fields[field].name);
}

/* -- the parts of a shape --------------------------------------------------------------------- */

static void print_types(const struct printer *printer, unsigned int types)
{
    static const char *const names[] = {
        "integer", "string", "boolean", "null", "object", "array"
    };
    bool several = types & (types - 1), first = true;

    fputs("\"type\":", printer->out);
    if (several)
        fputc('[', printer->out);
    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(types & (1U << i)))
            continue;
        fprintf(printer->out, "%s\"%s\"", first ? "" : ",", names[i]);
        first = false;
    }
    if (several)
        fputc(']', printer->out);
}

static void print_integer(struct printer *printer, const struct mrl_shape *shape)
{
    fprintf(printer->out, ",\"minimum\":%" PRId64 ",\"maximum\":%" PRIu64, shape->minimum,
            shape->maximum);
}

static void print_string(struct printer *printer, const struct mrl_shape *shape)
{
    if (shape->word_count) {
        fputs(",\"enum\":[", printer->out);
        for (unsigned int i = 0; i < shape->word_count; i++) {
            if (i)
                fputc(',', printer->out);
            print_text(printer, shape->words[i]);
        }
        fputc(']', printer->out);
    }
    if (shape->text) {
        fputs(",\"pattern\":", printer->out);
        print_text(printer, shape->text->pattern);
    }
    if (shape->length_min)
        fprintf(printer->out, ",\"minLength\":%u", shape->length_min);
    if (shape->length_max)
        fprintf(printer->out, ",\"maxLength\":%u", shape->length_max);
}

static void print_boolean(struct printer *printer, const struct mrl_shape *shape)
{
    if (shape->only_true)
        fputs(",\"const\":true", printer->out);
}

static void print_nothing(struct printer *printer, const struct mrl_shape *shape)
{
    (void)printer;
    (void)shape;
}

/* -- arrays ----------------------------------------------------------------------------------- */

static void print_bounds(const struct printer *printer,
                         const char *of,
                         unsigned int least,
                         unsigned int most)
{
    fprintf(printer->out, ",\"min%s\":%u,\"max%s\":%u", of, least, of, most);
}

static void print_array(struct printer *printer, const struct mrl_shape *shape)
{
    if (shape->each) {
        fputs(",\"items\":", printer->out);
        print_value(printer, shape->each);
    } else if (shape->item_count) {
        fputs(",\"items\":[", printer->out);
        for (unsigned int i = 0; i < shape->item_count; i++) {
            if (i)
                fputc(',', printer->out);
            print_value(printer, &shape->items[i]);
        }
        fputc(']', printer->out);
    }
    print_bounds(printer, "Items", shape->items_min, shape->items_max);
}

/* -- objects ---------------------------------------------------------------------------------- */

static const struct mrl_shape *member_shape(const struct mrl_shape *object, const char *key)
{
    for (unsigned int i = 0; i < object->member_count; i++)
        if (!strcmp(object->members[i].name, key))
            return object->members[i].shape;
    return NULL;
}

static unsigned int items_of(const struct mrl_shape *list, unsigned int subset)
{
    unsigned int count = list->item_count;

    for (unsigned int i = 0; i < list->extra_count; i++)
        if (subset & (1U << i))
            count += list->extras[i].extra->field_count;
    return count;
}

/* Where a key counts the items, it has this number. */
static void print_count(const struct printer *printer,
                        const struct mrl_shape *object,
                        unsigned int count)
{
    if (object->count_key)
        fprintf(printer->out, "\"%s\":{\"const\":%u}", object->count_key, count);
}

/* The list holds what is its own, and these extras behind. */
static void print_subset(const struct printer *printer,
                         const struct mrl_shape *object,
                         const struct mrl_shape *list,
                         unsigned int subset)
{
    unsigned int count = items_of(list, subset);

    fputs("{\"properties\":{", printer->out);
    print_count(printer, object, count);
    fprintf(printer->out, "%s\"%s\":{\"items\":[", object->count_key ? "," : "", object->list_key);
    for (unsigned int i = 0; i < list->item_count; i++)
        fputs(i ? ",true" : "true", printer->out);
    for (unsigned int i = 0, at = list->item_count; i < list->extra_count; i++) {
        const struct mrl_extra *extra = list->extras[i].extra;

        for (unsigned int j = 0; (subset & (1U << i)) && j < extra->field_count; j++) {
            if (at++)
                fputc(',', printer->out);
            print_extra_reference(printer, extra, j);
        }
    }
    fputc(']', printer->out);
    print_bounds(printer, "Items", count, count);
    fputs("}}}", printer->out);
}

/* Without extras the plain case stands alone, so that what is wrong with it is said of it. */
static void print_list(const struct printer *printer, const struct mrl_shape *object)
{
    const struct mrl_shape *list = member_shape(object, object->list_key);

    if (!list->extra_count)
        return;
    assert(1U << list->extra_count <= SUBSETS_MAX);
    fprintf(printer->out,
            ",\"if\":{\"properties\":{\"%s\":{\"maxItems\":%u}}},\"then\":{\"properties\":{",
            object->list_key, list->item_count);
    print_count(printer, object, list->item_count);
    fputs("}},\"else\":{\"anyOf\":[", printer->out);
    for (unsigned int subset = 1; subset < 1U << list->extra_count; subset++) {
        if (subset > 1)
            fputc(',', printer->out);
        print_subset(printer, object, list, subset);
    }
    fputs("]}", printer->out);
}

static void print_required(const struct printer *printer, const struct mrl_shape *shape)
{
    bool first = true;

    for (unsigned int i = 0; i < shape->member_count; i++) {
        if (shape->members[i].optional)
            continue;
        fputs(first ? ",\"required\":[" : ",", printer->out);
        print_text(printer, shape->members[i].name);
        first = false;
    }
    if (!first)
        fputc(']', printer->out);
}

static void print_object(struct printer *printer, const struct mrl_shape *shape)
{
    bool first = true;

    fputs(",\"properties\":{", printer->out);
    for (unsigned int i = 0; i < shape->member_count; i++) {
        print_key(printer, shape->members[i].name, &first);
        print_value(printer, shape->members[i].shape);
    }
    fputc('}', printer->out);
    print_required(printer, shape);
    fputs(",\"additionalProperties\":false", printer->out);
    if (shape->size)
        print_bounds(printer, "Properties", shape->size, shape->size);
    if (shape->list_key)
        print_list(printer, shape);
}

/* -- a shape ---------------------------------------------------------------------------------- */

static void print_field(const struct printer *printer, const struct mrl_field *field)
{
    bool first = true;

    fputs(",\"description\":", printer->out);
    print_text(printer, field->doc);
    fputs(",\"x-tracee-tags\":[", printer->out);
    for (unsigned int bit = 0; mrl_tag_name(bit); bit++) {
        if (!(field->tags & (1U << bit)))
            continue;
        fprintf(printer->out, "%s\"%s\"", first ? "" : ",", mrl_tag_name(bit));
        first = false;
    }
    fputc(']', printer->out);
    if (field->tags & MRL_TAG_TOCTOU)
        fputs(",\"x-tracee-toctou-unless\":\"" MRL_TOCTOU_UNLESS "\"", printer->out);
}

static void print_shape(struct printer *printer, const struct mrl_shape *shape)
{
    static void (*const by_type[])(struct printer *, const struct mrl_shape *) = {
        print_integer, print_string, print_boolean, print_nothing, print_object, print_array,
    };

    fputc('{', printer->out);
    print_types(printer, shape->types);
    for (unsigned int i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++)
        if (shape->types & (1U << i))
            by_type[i](printer, shape);
    if (shape->field)
        print_field(printer, shape->field);
    fputc('}', printer->out);
}

/* -- the whole -------------------------------------------------------------------------------- */

static void print_head(struct printer *printer, const struct mrl_schema *schema)
{
    const struct mrl_dialect *dialect = schema->dialect;
    char id[64];

    mrl_schema__id(dialect, id);
    fprintf(printer->out,
            "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$id\":\"%s\","
            "\"title\":\"mrelease events, %s\",\"description\":",
            id, dialect->name);
    print_text(printer, dialect->doc);
    fprintf(printer->out,
            ",\"type\":\"object\",\"required\":[\"%s\"],\"properties\":{\"%s\":{\"enum\":[",
            dialect->name_key, dialect->name_key);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        if (i)
            fputc(',', printer->out);
        print_text(printer, mrl_event_def__at(i)->name);
    }
    fputs("]}},\"allOf\":[", printer->out);
}

static void print_events(struct printer *printer, const struct mrl_schema *schema)
{
    const char *key = schema->dialect->name_key;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        fprintf(printer->out,
                "%s{\"if\":{\"required\":[\"%s\"],\"properties\":{\"%s\":{\"const\":\"%s\"}}},"
                "\"then\":",
                i ? "," : "", key, key, mrl_event_def__at(i)->name);
        print_reference(printer, &schema->lines[i]);
        fputc('}', printer->out);
    }
}

static void print_extra(struct printer *printer, const struct mrl_extra_shape *shape)
{
    const struct mrl_extra *extra = shape->extra;

    for (unsigned int i = 0; i < extra->field_count; i++) {
        fprintf(printer->out, ",\"extra_%s_%s\":", extra->name, extra->fields[i].name);
        print_shape(printer, &shape->fields[i]);
    }
}

/* An extra's fields have the same shapes behind every event: each extra is written once. */
static void print_extras(struct printer *printer, const struct mrl_schema *schema)
{
    unsigned int count;
    const struct mrl_extra *all = mrl_extra__all(&count);
    uint32_t written = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_shape *line = &schema->lines[i];
        const struct mrl_shape *list = member_shape(line, line->list_key);

        for (unsigned int j = 0; j < list->extra_count; j++) {
            uint32_t bit = 1U << (list->extras[j].extra - all);

            if (!(written & bit))
                print_extra(printer, &list->extras[j]);
            written |= bit;
        }
    }
}

static void print_schema(struct printer *printer, const struct mrl_schema *schema)
{
    print_head(printer, schema);
    print_events(printer, schema);
    fputs("],\"definitions\":{", printer->out);
    for (unsigned int i = 0; i < printer->definition_count; i++) { /* it grows meanwhile */
        fprintf(printer->out, "%s\"%s\":", i ? "," : "", printer->definitions[i]->name);
        print_shape(printer, printer->definitions[i]);
    }
    print_extras(printer, schema);
    fputs("}}", printer->out);
}

/* -- indentation ------------------------------------------------------------------------------ */

static void break_line(FILE *out, unsigned int depth)
{
    fprintf(out, "\n%*s", (int)depth * 2, "");
}

/* Breaks the line within the outer levels; what lies deeper stays on one line. */
static void indent(FILE *out, const char *text)
{
    unsigned int depth = 0;
    bool in_string = false;

    for (; *text; text++) {
        bool opens = !in_string && (*text == '{' || *text == '[');

        if (!in_string && (*text == '}' || *text == ']') && --depth < INDENTED_LEVELS &&
            text[-1] != '{' && text[-1] != '[')
            break_line(out, depth);
        fputc(*text, out);
        if (in_string && *text == '\\')
            fputc(*++text, out);
        else if (*text == '"')
            in_string = !in_string;
        else if (!in_string && *text == ':')
            fputc(' ', out);
        if (opens && depth++ < INDENTED_LEVELS && text[1] != '}' && text[1] != ']')
            break_line(out, depth);
        if (in_string || *text != ',')
            continue;
        if (depth <= INDENTED_LEVELS)
            break_line(out, depth);
        else
            fputc(' ', out);
    }
    fputc('\n', out);
}

/* Runs `write` into a new string; NULL without memory. */
static char *text_of(void (*write)(FILE *out, const void *from), const void *from)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    write(out, from);
    if (!fclose(out))
        return text;
    free(text);
    return NULL;
}

static void write_compact(FILE *out, const void *from)
{
    struct printer printer = { .out = out };

    print_schema(&printer, from);
}

static void write_indented(FILE *out, const void *from)
{
    indent(out, from);
}

char *mrl_schema__text(const struct mrl_schema *schema)
{
    char *compact = text_of(write_compact, schema), *indented = NULL;

    if (compact)
        indented = text_of(write_indented, compact);
    free(compact);
    return indented;
}
