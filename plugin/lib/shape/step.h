/* SPDX-License-Identifier: Apache-2.0 */
/* A step of a plan: constant text, and what is done behind it. */
#ifndef MRL_SHAPE_STEP_H
#define MRL_SHAPE_STEP_H

#include "encode/rfc3339.h"
#include "encode/task_text.h"
#include "shape/mapping.h"

struct mrl_run;
struct mrl_step;

typedef void (*mrl_step_fn)(struct mrl_run *run, const struct mrl_step *step);

typedef void (*mrl_form_fn)(struct mrl_run *run,
                            const struct mrl_step *step,
                            const struct mrl_value *value);

struct mrl_step {
    mrl_step_fn act;
    uint32_t text, text_size; /* in the plan's pool */
    uint32_t key_size;        /* the end of the text, taken back where there is no value */
    struct mrl_told told;
    mrl_form_fn put; /* its value, in its form */
    bool is_picky;   /* some values are not said: MRL_FORM_LONG, or: */
    bool drops_empty;
    bool says_null;        /* that it is not known */
    char separator;        /* behind it */
    uint16_t most;         /* as mrl_mapping_row */
    uint16_t label_size;   /* behind the value: of the text that follows its own */
    const char *otherwise; /* or this; NULL: neither */
};

/** Steps, and the text that they share. */
struct mrl_steps {
    struct mrl_step *at;
    unsigned int count;
    const char *text;
};

/** One event on its way. */
struct mrl_run {
    const struct mrl_mapping *mapping;
    struct mrl_telling *telling;
    struct mrl_task_texts *tasks;
    struct mrl_writer *writer;
    const char *text; /* of the steps that are taken */
    struct mrl_date *date;
    const char *limit; /* texts end before it */
};

/** Takes the steps, one after the other. */
void mrl_steps__take(const struct mrl_steps *steps, struct mrl_run *run);

/** What writes values of a kind in a form. */
mrl_form_fn mrl_form__put(enum mrl_form form, const struct mrl_kind *kind);

/** What a step does: tells a value, closes an object, ends the line, tells of the task. */
void mrl_step__tell(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__close(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__end(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__task(struct mrl_run *run, const struct mrl_step *step);

#endif
