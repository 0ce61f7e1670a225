/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what others than Tracee want an event to look like. A shape is a table of rows {what is
 * told, where, in which form}; fields that no row names follow in a place of their own. Made into
 * a plan once per event: constant text, and between it what is asked of each event. No shape knows
 * an event by name.
 */
#ifndef MRL_SHAPE_MAPPING_H
#define MRL_SHAPE_MAPPING_H

#include "shape/told.h"

/** How a value is written. */
enum mrl_form {
    MRL_FORM_OWN,    /* as its kind wants it: mrl_mapping.form_of */
    MRL_FORM_NUMBER, /* digits */
    MRL_FORM_TEXT,   /* a string, also of a number */
    MRL_FORM_DATE,   /* ns since the epoch as RFC 3339 */
    MRL_FORM_MS,     /* ns as ms, cut */
    MRL_FORM_TRUTH,  /* 0: false */
    MRL_FORM_COUNT
};

/** One row of a shape. */
struct mrl_mapping_row {
    /** Where: members of objects with dots between them. Rows of one object stand together. */
    const char *path;
    /** What: a name for mrl_told__find(); "=TEXT" is that text; NULL: `column`. */
    const char *from;
    enum mrl_form form;
    /** Offset of a text in struct mrl_about: a column of the table of subjects. */
    size_t column;
    /** The text is the only element of a list. */
    bool in_list;
};

/** A shape. Static. */
struct mrl_mapping {
    const struct mrl_mapping_row *rows;
    unsigned int row_count;
    /** Object of the fields that no row names. */
    const char *rest;
    /** Object that tells of the task alone, whose text is kept ready; NULL: none. */
    const char *of_task;
    /** What is not known is null; else it is left out. */
    bool says_unknown;
    /** Form of a value whose row says MRL_FORM_OWN. */
    enum mrl_form (*form_of)(const struct mrl_kind *kind);
};

#endif
