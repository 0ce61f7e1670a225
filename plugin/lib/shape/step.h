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

struct mrl_step {
    mrl_step_fn act;
    uint32_t text, text_size; /* in the plan's pool */
    uint32_t key_size;        /* the end of the text, taken back where there is no value */
    enum mrl_form form;
    struct mrl_told told;
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
    struct mrl_date *date;
    const char *limit; /* texts end before it */
};

/** Takes the steps, one after the other. */
void mrl_steps__take(const struct mrl_steps *steps, struct mrl_run *run);

/** What a step does: tells a value, closes an object, ends the line, tells of the task. */
void mrl_step__tell(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__close(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__end(struct mrl_run *run, const struct mrl_step *step);
void mrl_step__task(struct mrl_run *run, const struct mrl_step *step);

#endif
