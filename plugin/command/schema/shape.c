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

/* The fields of one extra lie together, from `first` on. Returns how many they are. */
static unsigned int add_extra(struct mrl_shape_pool *pool,
                              const struct mrl_layout *layout,
                              unsigned int first,
                              mrl_field_shape field_shape,
                              struct mrl_extra_shape *ret_extra)
{
    const struct mrl_layout_field *places = &layout->fields[first];
    unsigned int count = 0;

    while (first + count < layout->count && places[count].extra == places->extra)
        count++;
    *ret_extra = (struct mrl_extra_shape){
        .places = mrl_shape_pool__copy(pool, places, count * sizeof(*places)),
        .fields = mrl_shape_pool__take(pool, count * sizeof(*ret_extra->fields)),
        .field_count = count,
    };
    for (unsigned int i = 0; i < count; i++)
        ret_extra->fields[i] = field_shape(pool, places[i].field);
    return count;
}

static void add_extras(struct mrl_shape_pool *pool,
                       const struct mrl_layout *layout,
                       mrl_field_shape field_shape,
                       struct mrl_shape *array)
{
    struct mrl_extra_shape *extras;

    extras = mrl_shape_pool__take(pool, layout->count * sizeof(*extras));
    for (unsigned int at = layout->own_count; at < layout->count;) {
        unsigned int count =
            add_extra(pool, layout, at, field_shape, &extras[array->extra_count++]);

        at += count;
        array->items_max += count;
    }
    array->extras = extras;
}

struct mrl_shape mrl_shape__arguments(struct mrl_shape_pool *pool,
                                      const struct mrl_event_def *def,
                                      mrl_field_shape field_shape,
                                      const struct mrl_field *last)
{
    struct mrl_shape array = { .types = MRL_JSON_ARRAY }, *items;
    struct mrl_layout layout;

    mrl_layout__make(def, UINT32_MAX, &layout);
    items = mrl_shape_pool__take(pool, (layout.own_count + 1) * sizeof(*items));
    for (unsigned int i = 0; i < layout.own_count; i++)
        items[array.item_count++] = field_shape(pool, layout.fields[i].field);
    if (last)
        items[array.item_count++] = field_shape(pool, last);
    array.items = items;
    array.items_min = array.items_max = array.item_count;
    add_extras(pool, &layout, field_shape, &array);
    return array;
}
