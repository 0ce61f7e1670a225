/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what others than Tracee want an event to look like. A shape is a mapping: rows {where,
 * what is told, in which form}; fields that no row names follow in a place of their own. No shape
 * knows an event by name: where one needs a word of its own, that is a column of the table of
 * subjects (event/about.def).
 */
#ifndef MRL_SHAPE_MAPPING_H
#define MRL_SHAPE_MAPPING_H

#include "event/about.h"
#include "shape/told.h"

/** One row of a mapping. Where a row does not apply to an event, nothing is said there. */
struct mrl_mapping_row {
    /** As mrl_shape_place.path. Rows of one object stand together. */
    const char *path;
    /** What: a name for mrl_told__find(); "=TEXT" is that text; NULL: `column`. */
    const char *from;
    enum mrl_form form;
    /** Offset of a text in struct mrl_about. */
    size_t column;
    bool in_list;
    /** Set of bits of enum mrl_about_index: only of these subjects; 0: of all. */
    uint32_t only;
    /** Flat shapes: what the key means, said under the key with "Label" behind it. */
    const char *label;
    /** Said where the value is not known, because the shape wants something there. */
    const char *otherwise;
    /** An empty text means that there is none. */
    bool drops_empty;
    /** A text is cut behind so many bytes; 0: it is not. */
    uint16_t most;
};

/** Rows as most are written: in the form that their kind wants, in another, as a word. */
#define MRL_ROW(path_, from_)            \
    {                                    \
        .path = (path_), .from = (from_) \
    }
#define MRL_ROW_AS(form_, path_, from_)                            \
    {                                                              \
        .path = (path_), .from = (from_), .form = MRL_FORM_##form_ \
    }
#define MRL_ROW_OF_ABOUT(path_, member)                               \
    {                                                                 \
        .path = (path_), .column = offsetof(struct mrl_about, member) \
    }
#define MRL_LIST_OF_ABOUT(path_, member)                                               \
    {                                                                                  \
        .path = (path_), .column = offsetof(struct mrl_about, member), .in_list = true \
    }

/** A shape. Static. */
struct mrl_mapping {
    const struct mrl_mapping_row *rows;
    unsigned int row_count;
    /** 0: JSON. Else what stands between key=value pairs. */
    char separator;
    /** Object of the fields that no row names; in a flat shape the beginning of their keys. */
    const char *rest;
    /** A field that is told under another name, and has no place; NULL: none. */
    const char *hides;
    /** Top-level object that tells of the task alone, whose text is kept ready; NULL: none. In a
     * flat shape that is whatever is told of the task. */
    const char *of_task;
    /** Object in which null says that a value is not known, "": everywhere. Elsewhere it is left
     * out. NULL: nowhere. */
    const char *nulls;
    /** Form of a value at this path whose row says MRL_FORM_OWN. */
    enum mrl_form (*form_of)(const struct mrl_kind *kind, const char *path);
    /** A string, with its quotes where it has some. At most six bytes a byte, and two. */
    void (*put_text)(struct mrl_writer *writer, struct mrl_text text);
    /** By enum mrl_severity, from MRL_SEVERITY_ERROR on. */
    unsigned char severities[MRL_SEVERITY_INFO - MRL_SEVERITY_ERROR + 1];
};

/** A place, and who tells what stands there. */
struct mrl_spot {
    struct mrl_shape_place place;
    struct mrl_told told;
    const struct mrl_mapping_row *row; /* NULL: of the rest */
};

/** The places of an event, in the order of a line. `own` is the set of extras that the format shows
 * without being asked. */
unsigned int mrl_mapping__spots(const struct mrl_mapping *mapping,
                                const struct mrl_event_def *def,
                                const struct mrl_layout *layout,
                                uint32_t own,
                                struct mrl_spot spots[MRL_PLACES_MAX]);

/** form_of: a text is text, all else a number. */
enum mrl_form mrl_form__by_storage(const struct mrl_kind *kind, const char *path);

/** form_of: what is a name or a time is text, whatever it is made of; an amount is a number. */
enum mrl_form mrl_form__by_meaning(const struct mrl_kind *kind, const char *path);

/** Whether a path leads into an object. */
bool mrl_path__is_within(const char *path, const char *object);

#endif
