/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what a JSON value must look like, as data. A dialect builds one for each event from the
 * event table, and two walkers read it: print.c writes it as a JSON Schema, quick.c holds a line
 * against it. So the schema and the fast path cannot know different things.
 */
#ifndef MRL_COMMAND_SCHEMA_SHAPE_H
#define MRL_COMMAND_SCHEMA_SHAPE_H

#include <mrelease/extra.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** JSON's types, as a set of bits. */
enum mrl_json_type {
    MRL_JSON_INTEGER = 1 << 0,
    MRL_JSON_STRING = 1 << 1,
    MRL_JSON_BOOLEAN = 1 << 2,
    MRL_JSON_NULL = 1 << 3,
    MRL_JSON_OBJECT = 1 << 4,
    MRL_JSON_ARRAY = 1 << 5,
};

/** A class of strings: the same set twice, for a validator and for the fast path. */
struct mrl_text_class {
    /** ECMA 262, anchored, every repetition bounded: std::regex recurses once per repetition. */
    const char *pattern;
    /** Never called with a text that holds an escape. */
    bool (*holds)(const char *text, size_t size);
};

extern const struct mrl_text_class mrl_text_hex, mrl_text_u64, mrl_text_s64, mrl_text_time;

struct mrl_shape;

/** A key of an object. */
struct mrl_member {
    const char *name;
    const struct mrl_shape *shape;
    bool optional;
};

/** An extra, as it follows the arguments: all of its fields or none. */
struct mrl_extra_shape {
    /** Its fields in the layout of the event, and a shape for each. */
    const struct mrl_layout_field *places;
    struct mrl_shape *fields;
    unsigned int field_count;
};

/**
 * A value. Members that belong to a type outside of `types` are ignored. A shape with a `name`
 * becomes a definition of the schema.
 */
struct mrl_shape {
    const char *name;
    unsigned int types;

    /* integers */
    int64_t minimum;
    uint64_t maximum;

    /* strings, all of it where nothing is set; lengths count code points */
    const struct mrl_text_class *text;
    const char *const *words;
    unsigned int word_count;
    unsigned int length_min, length_max;

    /* booleans */
    bool only_true;

    /* objects, which have no other keys. The fast path wants them in this order. */
    const struct mrl_member *members;
    unsigned int member_count;
    /** Exactly so many keys; 0: as many as there are. */
    unsigned int size;
    /** Key whose number is the number of items in the array under `list_key`; NULL: none. */
    const char *count_key, *list_key;

    /* arrays: these items, then whole extras in the order of their table; or any number of `each`
     */
    const struct mrl_shape *items;
    unsigned int item_count;
    const struct mrl_extra_shape *extras;
    unsigned int extra_count;
    const struct mrl_shape *each;
    unsigned int items_min, items_max;

    /* of a field */
    const struct mrl_field *field;
};

struct mrl_dialect;

/** Whose shapes are built, and in which memory: sized for the tables, so running out is a
 * programming error. */
struct mrl_shape_pool {
    const struct mrl_dialect *dialect;
    char *at, *end;
};

void *mrl_shape_pool__take(struct mrl_shape_pool *pool, size_t size);

/** Copies of what is pointed to, in the pool. */
void *mrl_shape_pool__copy(struct mrl_shape_pool *pool, const void *from, size_t size);

#define MRL_TEXT_ANY             \
    {                            \
        .types = MRL_JSON_STRING \
    }
#define MRL_TEXT_FROM(least)                            \
    {                                                   \
        .types = MRL_JSON_STRING, .length_min = (least) \
    }
#define MRL_TEXT_UP_TO(most)                           \
    {                                                  \
        .types = MRL_JSON_STRING, .length_max = (most) \
    }
#define MRL_NUMBER(least, most)                                          \
    {                                                                    \
        .types = MRL_JSON_INTEGER, .minimum = (least), .maximum = (most) \
    }
#define MRL_TEXT_OF(name_, class)                                   \
    {                                                               \
        .name = (name_), .types = MRL_JSON_STRING, .text = &(class) \
    }
#define MRL_LIST(each_, least, most)                                                         \
    {                                                                                        \
        .types = MRL_JSON_ARRAY, .each = &(each_), .items_min = (least), .items_max = (most) \
    }
#define MRL_OBJECT(name_, members_)                                      \
    {                                                                    \
        .name = (name_), .types = MRL_JSON_OBJECT, MRL_MEMBERS(members_) \
    }
#define MRL_MEMBERS(array) .members = (array), .member_count = sizeof(array) / sizeof((array)[0])

/** The integers that a kind can hold. */
struct mrl_shape mrl_shape__integer(const struct mrl_kind *kind);

/** The one text `word`, which must outlive the pool. */
struct mrl_shape mrl_shape__word(struct mrl_shape_pool *pool, const char *word);

/** Makes the shape of one argument, as a dialect writes it. */
typedef struct mrl_shape (*mrl_field_shape)(struct mrl_shape_pool *pool,
                                            const struct mrl_field *field);

/**
 * The array of an event's arguments: its own, then `last` unless it is NULL, then the extras that
 * may follow.
 */
struct mrl_shape mrl_shape__arguments(struct mrl_shape_pool *pool,
                                      const struct mrl_event_def *def,
                                      mrl_field_shape field_shape,
                                      const struct mrl_field *last);

#endif
