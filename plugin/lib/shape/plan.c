// SPDX-License-Identifier: Apache-2.0
/* Plans made of the rows of a shape. */
#include "shape/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/about.h"

enum { STEPS_MAX = 160, PATH_BYTES = 128, DEPTH_MAX = 6 };

/* -- text and objects ------------------------------------------------------------------------- */

/* A plan in the making; its parts are copied when their sizes are known. */
struct maker {
    const struct mrl_plan_options *options;
    const struct mrl_event_def *def;
    struct mrl_layout layout;
    struct mrl_step steps[STEPS_MAX];
    unsigned int step_count;
    char text[MRL_PLAN_TEXT_BYTES];
    uint32_t text_size;
    uint32_t pending;                 /* where the constant text begins that no step has yet */
    char open[DEPTH_MAX][PATH_BYTES]; /* the objects that are open */
    unsigned int depth;
    uint32_t opening[DEPTH_MAX]; /* size of the text that opened it */
};

static void add_text(struct maker *maker, const char *text, size_t size)
{
    assert(maker->text_size + size <= MRL_PLAN_TEXT_BYTES);
    memcpy(maker->text + maker->text_size, text, size);
    maker->text_size += (uint32_t)size;
}

static void add_string(struct maker *maker, const char *text)
{
    char quoted[6 * PATH_BYTES + 2];
    struct mrl_writer writer = { quoted };
    size_t size = strlen(text);

    assert(size <= PATH_BYTES);
    mrl_put_json_string(&writer, (struct mrl_text){ text, size });
    add_text(maker, quoted, (size_t)(writer.at - quoted));
}

static void add_key(struct maker *maker, const char *name)
{
    add_string(maker, name);
    add_text(maker, ":", 1);
}

static void add_step(struct maker *maker, const struct mrl_step *step)
{
    struct mrl_step *added = &maker->steps[maker->step_count++];

    assert(maker->step_count <= STEPS_MAX);
    *added = *step;
    added->text = maker->pending;
    added->text_size = maker->text_size - maker->pending;
    maker->pending = maker->text_size;
}

static void open_object(struct maker *maker, const char *name)
{
    uint32_t before = maker->text_size;

    assert(maker->depth < DEPTH_MAX);
    add_key(maker, name);
    add_text(maker, "{", 1);
    snprintf(maker->open[maker->depth], PATH_BYTES, "%s", name);
    maker->opening[maker->depth++] = maker->text_size - before;
}

/* Where constant text stands last, it is known now how the object ends. */
static void close_object(struct maker *maker)
{
    uint32_t opening = maker->opening[--maker->depth];
    char *last = maker->text + maker->text_size - 1;

    if (maker->text_size == maker->pending)
        add_step(maker, &(struct mrl_step){ .act = mrl_step__close, .key_size = opening });
    else if (*last == '{')
        maker->text_size -= opening;
    else {
        *last = '}';
        add_text(maker, ",", 1);
    }
}

/* Closes and opens objects up to the one that holds `path`; returns its last name. */
static const char *go_to(struct maker *maker, const char *path)
{
    char name[PATH_BYTES];
    unsigned int same = 0;
    const char *dot;

    while ((dot = strchr(path, '.'))) {
        snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
        if (same == maker->depth || strcmp(maker->open[same], name) != 0) {
            while (maker->depth > same)
                close_object(maker);
            open_object(maker, name);
        }
        same++;
        path = dot + 1;
    }
    while (maker->depth > same)
        close_object(maker);
    return path;
}

/* -- of rows ---------------------------------------------------------------------------------- */

/* What is known once is constant text: told now, into the pool. */
static void add_once(struct maker *maker, const struct mrl_step *step)
{
    char text[PATH_BYTES * 6 + 8];
    struct mrl_writer writer = { text };
    struct mrl_run run = { .mapping = maker->options->mapping,
                           .telling = maker->options->telling,
                           .writer = &writer,
                           .limit = text + sizeof(text) };

    memcpy(text, maker->text + maker->text_size - step->key_size, step->key_size);
    writer.at += step->key_size;
    run.telling->def = maker->def;
    mrl_step__tell(&run, step);
    maker->text_size -= step->key_size;
    add_text(maker, text, (size_t)(writer.at - text));
}

static void add_told(struct maker *maker,
                     const char *path,
                     enum mrl_form form,
                     const struct mrl_told *told)
{
    const char *name = go_to(maker, path);
    uint32_t before = maker->text_size;
    struct mrl_step step = { .act = mrl_step__tell, .told = *told, .form = form };

    if (form == MRL_FORM_OWN)
        step.form = maker->options->mapping->form_of(told->field->kind);
    add_key(maker, name);
    step.key_size = maker->text_size - before;
    if (told->when == MRL_TOLD_ONCE)
        add_once(maker, &step);
    else
        add_step(maker, &step);
}

static void add_word(struct maker *maker, const struct mrl_mapping_row *row, const char *word)
{
    add_key(maker, go_to(maker, row->path));
    if (row->in_list)
        add_text(maker, "[", 1);
    add_string(maker, word);
    if (row->in_list)
        add_text(maker, "]", 1);
    add_text(maker, ",", 1);
}

static void add_row(struct maker *maker, const struct mrl_mapping_row *row)
{
    const char *about = (const char *)mrl_event_def__about(maker->def->index);
    struct mrl_told told;

    if (!row->from)
        add_word(maker, row, *(const char *const *)(about + row->column));
    else if (*row->from == '=')
        add_word(maker, row, row->from + 1);
    else if (mrl_told__find(maker->def, &maker->layout, row->from, &told))
        add_told(maker, row->path, row->form, &told);
}

static bool has_row(const struct mrl_mapping *style, const char *field)
{
    for (unsigned int i = 0; i < style->row_count; i++)
        if (style->rows[i].from && !strcmp(style->rows[i].from, field))
            return true;
    return false;
}

/* The fields that no row names: in a group of their own, if the subject has one. */
static void add_rest(struct maker *maker)
{
    const struct mrl_layout *layout = &maker->layout;
    const char *group = mrl_event_def__about(maker->def->index)->group;

    for (unsigned int i = 0; i < layout->count; i++) {
        const struct mrl_layout_field *place = &layout->fields[i];
        struct mrl_told told = mrl_told__of_field(place);
        bool grouped = *group && i < layout->own_count;
        char path[PATH_BYTES];

        if (has_row(maker->options->mapping, place->field->name))
            continue;
        snprintf(path, sizeof(path), "%s.%s%s%s", maker->options->mapping->rest,
                 grouped ? group : "", grouped ? "." : "", place->field->name);
        add_told(maker, path, MRL_FORM_OWN, &told);
    }
}

static bool is_within(const char *path, const char *object)
{
    size_t size = object ? strlen(object) : 0;

    return size && !strncmp(path, object, size) && path[size] == '.';
}

static void add_rows(struct maker *maker)
{
    const struct mrl_mapping *mapping = maker->options->mapping;
    bool of_task = maker->options->of_task;
    bool told_task = of_task || !(maker->def->is & MRL_OF_RECORD);

    for (unsigned int i = 0; i < mapping->row_count; i++) {
        if (is_within(mapping->rows[i].path, mapping->of_task) == of_task) {
            add_row(maker, &mapping->rows[i]);
        } else if (!told_task) {
            go_to(maker, ""); /* the text of the task is a whole object */
            add_step(maker, &(struct mrl_step){ .act = mrl_step__task });
            told_task = true;
        }
    }
}

static void make(struct maker *maker)
{
    bool of_task = maker->options->of_task;

    if (!of_task)
        add_text(maker, "{", 1);
    add_rows(maker);
    if (!of_task)
        add_rest(maker);
    go_to(maker, "");
    add_step(maker, &(struct mrl_step){ .act = of_task ? NULL : mrl_step__end });
}

static int take_parts(const struct maker *maker, struct mrl_plan *plan)
{
    size_t steps_size = maker->step_count * sizeof(*maker->steps);
    char *text = malloc(maker->text_size);

    *plan = (struct mrl_plan){ .steps = { .at = malloc(steps_size), .text = text } };
    if (!text || !plan->steps.at)
        return -ENOMEM;
    plan->steps.count = maker->step_count;
    memcpy(plan->steps.at, maker->steps, steps_size);
    memcpy(text, maker->text, maker->text_size);
    mrl_sentence__make(maker->def, &maker->layout, &plan->sentence);
    return 0;
}

int mrl_plan__make(const struct mrl_plan_options *options,
                   const struct mrl_event_def *def,
                   struct mrl_plan *ret_plan)
{
    struct maker *maker = calloc(1, sizeof(*maker));
    int err;

    if (!maker)
        return -ENOMEM;
    maker->options = options;
    maker->def = def;
    mrl_layout__make(def, options->extras, &maker->layout);
    make(maker);
    err = take_parts(maker, ret_plan);
    free(maker);
    return err;
}

void mrl_plan__done(struct mrl_plan *plan)
{
    free(plan->steps.at);
    free((char *)plan->steps.text);
    *plan = (struct mrl_plan){ .steps = { .count = 0 } };
}
