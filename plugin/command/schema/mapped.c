// SPDX-License-Identifier: Apache-2.0
/* Shapes of the lines of ecs and ocsf: made of the places of their mappings. */
#include <string.h>

#include "command/schema/dialect.h"

enum { NANOSECONDS = 1000 * 1000, SEVERITY_MAX = 10 };

static const struct mrl_shape text = MRL_TEXT_ANY;
static const struct mrl_shape date = { .types = MRL_JSON_STRING, .text = &mrl_text_time };
static const struct mrl_shape ms = MRL_NUMBER(0, UINT64_MAX / NANOSECONDS);
static const struct mrl_shape names = MRL_LIST(text, 1, MRL_POLICIES_MAX);
static const struct mrl_shape truth = { .types = MRL_JSON_BOOLEAN };
static const struct mrl_shape severity = MRL_NUMBER(0, SEVERITY_MAX);
static const struct mrl_shape u64_text = { .types = MRL_JSON_STRING, .text = &mrl_text_u64 };
static const struct mrl_shape s64_text = { .types = MRL_JSON_STRING, .text = &mrl_text_s64 };

/* -- leaves ----------------------------------------------------------------------------------- */

static const char *keep_text(struct mrl_shape_pool *pool, const char *start, size_t size)
{
    char *kept = mrl_shape_pool__take(pool, size + 1);

    memcpy(kept, start, size);
    kept[size] = '\0';
    return kept;
}

/* Each element is one of the words: their order says nothing. */
static struct mrl_shape list_shape(struct mrl_shape_pool *pool, const char *words)
{
    struct mrl_shape list = { .types = MRL_JSON_ARRAY };
    struct mrl_shape each = { .types = MRL_JSON_STRING };
    const char **kept = mrl_shape_pool__take(pool, strlen(words) * sizeof(*kept));

    while (*words) {
        size_t size = strcspn(words, ",");

        kept[each.word_count++] = keep_text(pool, words, size);
        words += size + (words[size] == ',');
    }
    each.words = kept;
    list.each = mrl_shape_pool__copy(pool, &each, sizeof(each));
    list.items_min = list.items_max = each.word_count;
    return list;
}

static uint64_t number_of(const char *digits)
{
    uint64_t number = 0;

    for (; *digits; digits++)
        number = number * 10 + (uint64_t)(*digits - '0');
    return number;
}

static struct mrl_shape word_shape(struct mrl_shape_pool *pool, const struct mrl_shape_place *place)
{
    uint64_t number;

    if (place->in_list)
        return list_shape(pool, place->word);
    if (place->form != MRL_FORM_NUMBER)
        return mrl_shape__word(pool, place->word);
    number = number_of(place->word);
    return (struct mrl_shape)MRL_NUMBER((int64_t)number, number);
}

static struct mrl_shape text_shape(const struct mrl_kind *kind)
{
    if (kind->storage == MRL_STORAGE_TEXT)
        return text;
    return kind->storage == MRL_STORAGE_SIGNED ? s64_text : u64_text;
}

static struct mrl_shape number_shape(const struct mrl_shape_place *place)
{
    struct mrl_shape shape = mrl_shape__integer(place->field->kind);

    if (place->form == MRL_FORM_LONG && shape.maximum > INT64_MAX)
        shape.maximum = INT64_MAX;
    return shape;
}

static struct mrl_shape value_shape(const struct mrl_shape_place *place)
{
    static const struct mrl_shape *const others[MRL_FORM_COUNT] = {
        [MRL_FORM_DATE] = &date,         [MRL_FORM_MS] = &ms,      [MRL_FORM_TRUTH] = &truth,
        [MRL_FORM_SEVERITY] = &severity, [MRL_FORM_LIST] = &names,
    };

    if (others[place->form])
        return *others[place->form];
    if (place->form != MRL_FORM_TEXT)
        return number_shape(place);
    return place->otherwise ? text : text_shape(place->field->kind);
}

static struct mrl_shape leaf_shape(struct mrl_shape_pool *pool,
                                   const struct mrl_event_def *def,
                                   const struct mrl_shape_place *place)
{
    struct mrl_shape shape;

    if (!place->field)
        return word_shape(pool, place);
    if (!strcmp(place->field->name, "eventName")) /* by it a line is told to be of the event */
        return mrl_shape__word(pool, def->name);
    shape = value_shape(place);
    shape.field = place->field;
    if (place->may_be_null)
        shape.types |= MRL_JSON_NULL;
    return shape;
}

/* -- objects ---------------------------------------------------------------------------------- */

struct walk {
    struct mrl_shape_pool *pool;
    const struct mrl_event_def *def;
    const struct mrl_shape_place *places;
};

/* How many places, from the first on, begin with the same bytes. */
static unsigned int count_same(const struct mrl_shape_place *places,
                               unsigned int count,
                               size_t size)
{
    unsigned int same = 1;

    while (same < count && !strncmp(places[same].path, places->path, size))
        same++;
    return same;
}

/* The object whose members are these places, behind the first `depth` bytes of their paths.
 * `*ret_optional`: it may be without members, and so be missing. */
static struct mrl_shape object_shape(const struct walk *walk,
                                     unsigned int first,
                                     unsigned int count,
                                     size_t depth,
                                     bool *ret_optional)
{
    struct mrl_member *members = mrl_shape_pool__take(walk->pool, count * sizeof(*members));
    struct mrl_shape object = { .types = MRL_JSON_OBJECT, .members = members };

    *ret_optional = true;
    for (unsigned int i = first, step; i < first + count; i += step) {
        const struct mrl_shape_place *place = &walk->places[i];
        size_t size = strcspn(place->path + depth, ".");
        struct mrl_member *member = &members[object.member_count++];
        struct mrl_shape shape;

        step = 1;
        member->name = keep_text(walk->pool, place->path + depth, size);
        member->optional = place->may_be_left_out;
        if (place->path[depth + size]) {
            step = count_same(place, first + count - i, depth + size + 1);
            shape = object_shape(walk, i, step, depth + size + 1, &member->optional);
        } else {
            shape = leaf_shape(walk->pool, walk->def, place);
        }
        member->shape = mrl_shape_pool__copy(walk->pool, &shape, sizeof(shape));
        *ret_optional &= member->optional;
    }
    return object;
}

static struct mrl_shape line_shape(struct mrl_shape_pool *pool, const struct mrl_event_def *def)
{
    struct mrl_shape_place *places = mrl_shape_pool__take(pool, MRL_PLACES_MAX * sizeof(*places));
    const struct walk walk = { pool, def, places };
    unsigned int count = mrl_format__places(pool->dialect->name, def, places);
    struct mrl_shape line;
    bool optional;

    line = object_shape(&walk, 0, count, 0, &optional);
    line.name = def->name;
    return line;
}

/* -- the shapes ------------------------------------------------------------------------------- */

const struct mrl_dialect mrl_dialect_ecs = {
    .name = "ecs",
    .doc = "One event per line, in the Elastic Common Schema.",
    .version = 1,
    .name_key = "event.action",
    .mark = "\"@timestamp\"",
    .line_shape = line_shape,
};

const struct mrl_dialect mrl_dialect_ocsf = {
    .name = "ocsf",
    .doc = "One event per line, in the Open Cybersecurity Schema Framework.",
    .version = 1,
    .name_key = "metadata.event_code",
    .mark = "\"class_uid\"",
    .line_shape = line_shape,
};
