// SPDX-License-Identifier: Apache-2.0
/* What the dialects build their shapes with. */
#include "command/schema/shape.h"

#include <assert.h>
#include <string.h>

/* -- memory ----------------------------------------------------------------------------------- */

void *mrl_shape_pool__take(struct mrl_shape_pool *pool, size_t size)
{
    char *taken = pool->at;

    size = (size + 15) & ~(size_t)15;
    assert(size <= (size_t)(pool->end - pool->at));
    pool->at += size;
    return taken;
}

void *mrl_shape_pool__copy(struct mrl_shape_pool *pool, const void *from, size_t size)
{
    return memcpy(mrl_shape_pool__take(pool, size), from, size);
}

/* -- values ----------------------------------------------------------------------------------- */

struct mrl_shape mrl_shape__integer(const struct mrl_kind *kind)
{
    struct mrl_shape shape = { .types = MRL_JSON_INTEGER };
    unsigned int above = 64 - kind->bits;

    assert(kind->bits && kind->bits <= 64);
    if (kind->storage == MRL_STORAGE_SIGNED) {
        shape.minimum = INT64_MIN >> above;
        shape.maximum = (uint64_t)(INT64_MAX >> above);
    } else {
        shape.maximum = UINT64_MAX >> above;
    }
    return shape;
}

struct mrl_shape mrl_shape__word(struct mrl_shape_pool *pool, const char *word)
{
    return (struct mrl_shape){
        .types = MRL_JSON_STRING,
        .words = mrl_shape_pool__copy(pool, &word, sizeof(word)),
        .word_count = 1,
    };
}

/* -- arguments -------------------------------------------------------------------------------- */

static const struct mrl_shape *shapes_of(struct mrl_shape_pool *pool,
                                         const struct mrl_field *fields,
                                         unsigned int count,
                                         mrl_field_shape field_shape,
                                         const struct mrl_field *last)
{
    struct mrl_shape *shapes = mrl_shape_pool__take(pool, (count + 1) * sizeof(*shapes));

    for (unsigned int i = 0; i < count; i++)
        shapes[i] = field_shape(pool, &fields[i]);
    if (last)
        shapes[count] = field_shape(pool, last);
    return shapes;
}

static void add_extras(struct mrl_shape_pool *pool,
                       const struct mrl_event_def *def,
                       mrl_field_shape field_shape,
                       struct mrl_shape *array)
{
    unsigned int count;
    const struct mrl_extra *all = mrl_extra__all(&count);
    struct mrl_extra_shape *extras = mrl_shape_pool__take(pool, count * sizeof(*extras));

    for (unsigned int i = 0; i < count; i++) {
        if (!all[i].field_count || !mrl_extra__fits(&all[i], def))
            continue;
        extras[array->extra_count++] = (struct mrl_extra_shape){
            .extra = &all[i],
            .fields = shapes_of(pool, all[i].fields, all[i].field_count, field_shape, NULL),
        };
        array->items_max += all[i].field_count;
    }
    array->extras = extras;
}

struct mrl_shape mrl_shape__arguments(struct mrl_shape_pool *pool,
                                      const struct mrl_event_def *def,
                                      mrl_field_shape field_shape,
                                      const struct mrl_field *last)
{
    struct mrl_shape array = {
        .types = MRL_JSON_ARRAY,
        .items = shapes_of(pool, def->fields, def->field_count, field_shape, last),
        .item_count = def->field_count + (last ? 1 : 0),
    };

    array.items_min = array.items_max = array.item_count;
    add_extras(pool, def, field_shape, &array);
    return array;
}
