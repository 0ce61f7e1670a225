// SPDX-License-Identifier: Apache-2.0
/* Plans made of the places of a mapping. */
#include "shape/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_MAX = MRL_PLACES_MAX + 32,
    DEPTH_MAX = 6,
    VALUE_BYTES = 36, /* a date with its quotes, or a number; and what stands behind it */
    QUOTE_BYTES = 12, /* the same of a text, or a word that stands for one */
};

_Static_assert(MRL_PLAN_TEXT_BYTES + STEPS_MAX * VALUE_BYTES + MRL_TASK_TEXT_BYTES <
                   MRL_EVENT_TEXT_MAX,
               "there is room for names beside constant text and numbers");

/* A plan in the making; its parts are copied when their sizes are known. */
struct maker {
    const struct mrl_plan_options *options;
    const struct mrl_event_def *def;
    struct mrl_layout layout;
    struct mrl_step steps[STEPS_MAX];
    unsigned int step_count;
    char text[MRL_PLAN_TEXT_BYTES];
    uint32_t text_size;
    uint32_t pending;                      /* where the constant text begins that no step has yet */
    char open[DEPTH_MAX][MRL_PLACE_BYTES]; /* the objects that are open */
    unsigned int depth;
    uint32_t opening[DEPTH_MAX]; /* size of the text that opened it */
};

/* -- text and objects ------------------------------------------------------------------------- */

static void add_text(struct maker *maker, const char *text, size_t size)
{
    assert(maker->text_size + size <= MRL_PLAN_TEXT_BYTES);
    memcpy(maker->text + maker->text_size, text, size);
    maker->text_size += (uint32_t)size;
}

/* A word of ours: short, and none of its bytes takes more than six. */
static void add_string(struct maker *maker, const char *text, size_t size)
{
    char quoted[6 * MRL_PLACE_BYTES + 2];
    struct mrl_writer writer = { quoted };

    assert(size <= MRL_PLACE_BYTES);
    maker->options->mapping->put_text(&writer, (struct mrl_text){ text, size });
    add_text(maker, quoted, (size_t)(writer.at - quoted));
}

/* The values of a header stand without a key. */
static void add_key(struct maker *maker, const char *name)
{
    bool is_flat = maker->options->mapping->separator;

    if (is_flat)
        add_text(maker, name, strlen(name));
    else
        add_string(maker, name, strlen(name));
    if (*name)
        add_text(maker, is_flat ? "=" : ":", 1);
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
    snprintf(maker->open[maker->depth], MRL_PLACE_BYTES, "%s", name);
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
    char name[MRL_PLACE_BYTES];
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

/* -- places ----------------------------------------------------------------------------------- */

/* The parts of a header, which have no names, are told apart by bars. */
static char separator_behind(const struct maker *maker, const char *name)
{
    char separator = maker->options->mapping->separator;

    return !separator ? ',' : *name ? separator : '|';
}

/* What is known once is constant text: told now, into the pool. */
static void add_once(struct maker *maker, const struct mrl_step *step)
{
    char text[MRL_PLACE_BYTES * 7 + 8];
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

/* Behind the text of the step that was added last: said where its value is. */
static void add_label(struct maker *maker, const struct mrl_mapping_row *row, char separator)
{
    char text[2 * MRL_PLACE_BYTES];
    int size = snprintf(text, sizeof(text), "%c%sLabel=%s", separator, row->path, row->label);

    add_text(maker, text, (size_t)size);
    maker->steps[maker->step_count - 1].label_size = (uint16_t)size;
    maker->pending = maker->text_size;
}

static void add_told(struct maker *maker, const struct mrl_spot *spot)
{
    const char *name = go_to(maker, spot->place.path);
    uint32_t before = maker->text_size;
    struct mrl_step step = { .act = mrl_step__tell,
                             .told = spot->told,
                             .put = mrl_form__put(spot->place.form, spot->told.field->kind),
                             .separator = separator_behind(maker, name),
                             .says_null = spot->place.may_be_null,
                             .otherwise = spot->place.otherwise };

    step.is_picky = spot->place.form == MRL_FORM_LONG || (spot->row && spot->row->drops_empty);
    if (spot->row) {
        step.drops_empty = spot->row->drops_empty;
        step.most = spot->row->most;
    }
    add_key(maker, name);
    step.key_size = maker->text_size - before;
    if (spot->told.when == MRL_TOLD_ONCE)
        add_once(maker, &step);
    else
        add_step(maker, &step);
    if (spot->row && spot->row->label)
        add_label(maker, spot->row, step.separator);
}

static void add_list(struct maker *maker, const char *words)
{
    add_text(maker, "[", 1);
    while (*words) {
        size_t size = strcspn(words, ",");

        add_string(maker, words, size);
        words += size;
        if (*words)
            add_text(maker, words++, 1);
    }
    add_text(maker, "]", 1);
}

static void add_word(struct maker *maker, const struct mrl_shape_place *place)
{
    const char *name = go_to(maker, place->path);
    char separator = separator_behind(maker, name);

    add_key(maker, name);
    if (place->in_list)
        add_list(maker, place->word);
    else if (place->form == MRL_FORM_NUMBER)
        add_text(maker, place->word, strlen(place->word));
    else
        add_string(maker, place->word, strlen(place->word));
    add_text(maker, &separator, 1);
}

static void add_spot(struct maker *maker, const struct mrl_spot *spot)
{
    if (spot->place.field)
        add_told(maker, spot);
    else
        add_word(maker, &spot->place);
}

/* Of the task alone: its object, or in a flat shape whatever is told of it. */
static bool is_of_task(const struct maker *maker, const struct mrl_spot *spot)
{
    const struct mrl_mapping *mapping = maker->options->mapping;

    if (!(maker->def->is & MRL_OF_RECORD))
        return false;
    if (mapping->separator)
        return spot->place.field && spot->told.when == MRL_TOLD_TASK;
    return mapping->of_task && mrl_path__is_within(spot->place.path, mapping->of_task);
}

/* The text of the task is made apart, and taken whole where it comes first. */
static void add_spots(struct maker *maker, const struct mrl_spot *spots, unsigned int count)
{
    bool of_task = maker->options->of_task, told_task = of_task;

    for (unsigned int i = 0; i < count; i++) {
        if (is_of_task(maker, &spots[i]) == of_task) {
            add_spot(maker, &spots[i]);
        } else if (!told_task) {
            go_to(maker, "");
            add_step(maker, &(struct mrl_step){ .act = mrl_step__task });
            told_task = true;
        }
    }
}

static int make(struct maker *maker)
{
    const struct mrl_plan_options *options = maker->options;
    bool of_task = options->of_task, is_flat = options->mapping->separator;
    struct mrl_spot *spots = calloc(MRL_PLACES_MAX, sizeof(*spots));
    unsigned int count;

    if (!spots)
        return -ENOMEM;
    count =
        mrl_mapping__spots(options->mapping, maker->def, &maker->layout, options->extras, spots);
    if (!of_task && !is_flat)
        add_text(maker, "{", 1);
    add_spots(maker, spots, count);
    go_to(maker, "");
    add_step(maker, &(struct mrl_step){ .act = of_task ? NULL : mrl_step__end });
    free(spots);
    return 0;
}

/* All but the bytes of texts. */
static size_t values_size(const struct maker *maker)
{
    size_t size = 0;

    for (unsigned int i = 0; i < maker->step_count; i++) {
        const struct mrl_step *step = &maker->steps[i];

        assert(!step->otherwise || strlen(step->otherwise) + 3 <= QUOTE_BYTES);
        size += step->act != mrl_step__tell                           ? 2
                : step->told.field->kind->storage == MRL_STORAGE_TEXT ? QUOTE_BYTES
                                                                      : VALUE_BYTES;
    }
    return size;
}

static int take_parts(const struct maker *maker, struct mrl_plan *plan)
{
    size_t steps_size = maker->step_count * sizeof(*maker->steps);
    char *text = malloc(maker->text_size);

    *plan = (struct mrl_plan){ .steps = { .at = malloc(steps_size), .text = text } };
    if (!text || !plan->steps.at)
        return -ENOMEM;
    plan->steps.count = maker->step_count;
    plan->fixed_bytes = maker->text_size + values_size(maker);
    assert(!maker->options->of_task || plan->fixed_bytes <= MRL_TASK_FIXED_BYTES);
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
    err = make(maker);
    if (!err)
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
