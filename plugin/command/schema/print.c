// SPDX-License-Identifier: Apache-2.0
/*
 * Shapes as a JSON Schema: a document of jansson. A lack of memory is noticed at each step and
 * told at the end.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command/schema/json_text.h"
#include "command/schema/schema.h"

enum { DEFINITIONS_MAX = 64, SUBSETS_MAX = 1 << 8 };

/* Shapes that are definitions, in the order in which they are met; whether memory ran out. */
struct printer {
    const struct mrl_shape *definitions[DEFINITIONS_MAX];
    unsigned int definition_count;
    bool failed;
};

static json_t *shape_json(struct printer *printer, const struct mrl_shape *shape);

/* Both steal the value; NULL is what a lack of memory left of it. */
static void put(struct printer *printer, json_t *object, const char *key, json_t *value)
{
    printer->failed |= json_object_set_new(object, key, value) != 0;
}

static void append(struct printer *printer, json_t *array, json_t *value)
{
    printer->failed |= json_array_append_new(array, value) != 0;
}

/* -- references ------------------------------------------------------------------------------- */

static json_t *reference(struct printer *printer, const struct mrl_shape *shape)
{
    unsigned int i = 0;

    while (i < printer->definition_count && printer->definitions[i] != shape)
        i++;
    if (i == printer->definition_count) {
        assert(i < DEFINITIONS_MAX);
        printer->definitions[printer->definition_count++] = shape;
    }
    return json_pack("{s:s+}", "$ref", "#/definitions/", shape->name);
}

static json_t *value_json(struct printer *printer, const struct mrl_shape *shape)
{
    return shape->name ? reference(printer, shape) : shape_json(printer, shape);
}

static json_t *extra_reference(const struct mrl_layout_field *place)
{
    return json_pack("{s:s++++}", "$ref", "#/definitions/", "extra_", place->extra->name, "_",
                     place->field->name);
}

/* -- the parts of a shape --------------------------------------------------------------------- */

/* One word stands alone, several are a list. */
static void put_types(struct printer *printer, json_t *schema, unsigned int types)
{
    static const char *const names[] = {
        "integer", "string", "boolean", "null", "object", "array"
    };
    json_t *list = json_array();

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (types & (1U << i))
            append(printer, list, json_string(names[i]));
    if (json_array_size(list) != 1) {
        put(printer, schema, "type", list);
        return;
    }
    put(printer, schema, "type", json_incref(json_array_get(list, 0)));
    json_decref(list);
}

/* jansson's integers end at INT64_MAX: see json_text.h. */
static json_t *unsigned_json(uint64_t number)
{
    assert(number <= INT64_MAX || number == UINT64_MAX);
    return number <= INT64_MAX ? json_integer((json_int_t)number) : json_real(MRL_JSON_UINT64_MAX);
}

static void put_integer(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    put(printer, schema, "minimum", json_integer(shape->minimum));
    put(printer, schema, "maximum", unsigned_json(shape->maximum));
}

static void put_words(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    json_t *words = json_array();

    for (unsigned int i = 0; i < shape->word_count; i++)
        append(printer, words, json_string(shape->words[i]));
    put(printer, schema, "enum", words);
}

static void put_string(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    if (shape->word_count)
        put_words(printer, schema, shape);
    if (shape->text)
        put(printer, schema, "pattern", json_string(shape->text->pattern));
    if (shape->length_min)
        put(printer, schema, "minLength", json_integer(shape->length_min));
    if (shape->length_max)
        put(printer, schema, "maxLength", json_integer(shape->length_max));
}

static void put_boolean(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    if (shape->only_true)
        put(printer, schema, "const", json_true());
}

static void put_nothing(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    (void)printer;
    (void)schema;
    (void)shape;
}

static void put_array(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    json_t *items = shape->each ? value_json(printer, shape->each) : json_array();

    for (unsigned int i = 0; !shape->each && i < shape->item_count; i++)
        append(printer, items, value_json(printer, &shape->items[i]));
    if (shape->each || shape->item_count)
        put(printer, schema, "items", items);
    else
        json_decref(items);
    put(printer, schema, "minItems", json_integer(shape->items_min));
    put(printer, schema, "maxItems", json_integer(shape->items_max));
}

/* -- objects ---------------------------------------------------------------------------------- */

static const struct mrl_shape *member_shape(const struct mrl_shape *object, const char *key)
{
    for (unsigned int i = 0; i < object->member_count; i++)
        if (!strcmp(object->members[i].name, key))
            return object->members[i].shape;
    return NULL;
}

/* Properties that say how many items the list has, where a key of the object counts them. */
static json_t *counted(struct printer *printer, const struct mrl_shape *object, size_t count)
{
    json_t *properties = json_object();

    if (object->count_key)
        put(printer, properties, object->count_key, json_pack("{s:I}", "const", (json_int_t)count));
    return properties;
}

/* A list of the event's own arguments (which are told of elsewhere) and of those of some extras. */
static json_t *subset_json(struct printer *printer,
                           const struct mrl_shape *object,
                           const struct mrl_shape *list,
                           unsigned int subset)
{
    json_t *items = json_array(), *properties;

    for (unsigned int i = 0; i < list->item_count; i++)
        append(printer, items, json_true());
    for (unsigned int i = 0; i < list->extra_count; i++)
        for (unsigned int j = 0; (subset & (1U << i)) && j < list->extras[i].field_count; j++)
            append(printer, items, extra_reference(&list->extras[i].places[j]));
    properties = counted(printer, object, json_array_size(items));
    put(printer, properties, object->list_key,
        json_pack("{s:o, s:I, s:I}", "items", items, "minItems", (json_int_t)json_array_size(items),
                  "maxItems", (json_int_t)json_array_size(items)));
    return json_pack("{s:o}", "properties", properties);
}

/* Without extras the plain case stands alone, so that what is wrong with it is said of it. */
static void put_list(struct printer *printer, json_t *schema, const struct mrl_shape *object)
{
    const struct mrl_shape *list = member_shape(object, object->list_key);
    json_t *subsets;

    if (!list->extra_count)
        return;
    assert(1U << list->extra_count <= SUBSETS_MAX);
    put(printer, schema, "if",
        json_pack("{s:{s:{s:i}}}", "properties", object->list_key, "maxItems",
                  (int)list->item_count));
    put(printer, schema, "then",
        json_pack("{s:o}", "properties", counted(printer, object, list->item_count)));
    subsets = json_array();
    for (unsigned int subset = 1; subset < 1U << list->extra_count; subset++)
        append(printer, subsets, subset_json(printer, object, list, subset));
    put(printer, schema, "else", json_pack("{s:o}", "anyOf", subsets));
}

static void put_object(struct printer *printer, json_t *schema, const struct mrl_shape *shape)
{
    json_t *properties = json_object(), *required = json_array();

    for (unsigned int i = 0; i < shape->member_count; i++) {
        const struct mrl_member *member = &shape->members[i];

        put(printer, properties, member->name, value_json(printer, member->shape));
        if (!member->optional)
            append(printer, required, json_string(member->name));
    }
    put(printer, schema, "properties", properties);
    if (json_array_size(required))
        put(printer, schema, "required", json_incref(required));
    json_decref(required);
    put(printer, schema, "additionalProperties", json_false());
    if (shape->size) {
        put(printer, schema, "minProperties", json_integer(shape->size));
        put(printer, schema, "maxProperties", json_integer(shape->size));
    }
    if (shape->list_key)
        put_list(printer, schema, shape);
}

/* -- a shape ---------------------------------------------------------------------------------- */

static void put_field(struct printer *printer, json_t *schema, const struct mrl_field *field)
{
    json_t *tags = json_array();

    for (unsigned int bit = 0; mrl_tag_name(bit); bit++)
        if (field->tags & (1U << bit))
            append(printer, tags, json_string(mrl_tag_name(bit)));
    put(printer, schema, "description", json_string(field->doc));
    put(printer, schema, "x-tracee-tags", tags);
    if (field->tags & MRL_TAG_TOCTOU)
        put(printer, schema, "x-tracee-toctou-unless", json_string(MRL_TOCTOU_UNLESS));
}

static json_t *shape_json(struct printer *printer, const struct mrl_shape *shape)
{
    static void (*const by_type[])(struct printer *, json_t *, const struct mrl_shape *) = {
        put_integer, put_string, put_boolean, put_nothing, put_object, put_array,
    };
    json_t *schema = json_object();

    put_types(printer, schema, shape->types);
    for (unsigned int i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++)
        if (shape->types & (1U << i))
            by_type[i](printer, schema, shape);
    if (shape->field)
        put_field(printer, schema, shape->field);
    return schema;
}

/* -- the whole -------------------------------------------------------------------------------- */

/* An object that has `leaf` at a path; steals it. */
static json_t *at_path(const char *path, json_t *leaf)
{
    const char *dot = strchr(path, '.');
    int size = (int)(dot ? dot - path : (ptrdiff_t)strlen(path));

    if (dot)
        leaf = at_path(dot + 1, leaf);
    return json_pack("{s:[s#], s:o}", "required", path, size, "properties",
                     json_pack("{s%:o}", path, (size_t)size, leaf));
}

static json_t *head_json(struct printer *printer, const struct mrl_dialect *dialect)
{
    json_t *names = json_array(), *head, *named;
    char id[64];

    mrl_schema__id(dialect, id);
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        append(printer, names, json_string(mrl_event_def__at(i)->name));
    head = json_pack("{s:s, s:s, s:s+, s:s, s:s}", "$schema",
                     "http://json-schema.org/draft-07/schema#", "$id", id, "title",
                     "mrelease events, ", dialect->name, "description", dialect->doc, "type",
                     "object");
    named = at_path(dialect->name_key, json_pack("{s:o}", "enum", names));
    printer->failed |= json_object_update(head, named) != 0;
    json_decref(named);
    return head;
}

static json_t *events_json(struct printer *printer, const struct mrl_schema *schema)
{
    const char *key = schema->dialect->name_key;
    json_t *events = json_array();

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        append(printer, events,
               json_pack("{s:o, s:o}", "if",
                         at_path(key, json_pack("{s:s}", "const", mrl_event_def__at(i)->name)),
                         "then", reference(printer, &schema->lines[i])));
    return events;
}

/* An extra's fields have the same shapes behind every event: each extra is written once. */
static void put_extras(struct printer *printer, json_t *definitions, const struct mrl_shape *line)
{
    const struct mrl_shape *list = line->list_key ? member_shape(line, line->list_key) : NULL;
    char name[64];

    for (unsigned int i = 0; list && i < list->extra_count; i++)
        for (unsigned int j = 0; j < list->extras[i].field_count; j++) {
            const struct mrl_layout_field *place = &list->extras[i].places[j];

            snprintf(name, sizeof(name), "extra_%s_%s", place->extra->name, place->field->name);
            if (!json_object_get(definitions, name))
                put(printer, definitions, name, shape_json(printer, &list->extras[i].fields[j]));
        }
}

static json_t *schema_json(struct printer *printer, const struct mrl_schema *schema)
{
    json_t *root = head_json(printer, schema->dialect), *definitions = json_object();

    put(printer, root, "allOf", events_json(printer, schema));
    for (unsigned int i = 0; i < printer->definition_count; i++) /* it grows meanwhile */
        put(printer, definitions, printer->definitions[i]->name,
            shape_json(printer, printer->definitions[i]));
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        put_extras(printer, definitions, &schema->lines[i]);
    put(printer, root, "definitions", definitions);
    return root;
}

/* -- its text ---------------------------------------------------------------------------------- */

char *mrl_schema__text(const struct mrl_schema *schema)
{
    struct printer printer = { .failed = false };
    json_t *root = schema_json(&printer, schema);
    char *text = root && !printer.failed ? mrl_json_text(root) : NULL;

    json_decref(root);
    return text;
}
