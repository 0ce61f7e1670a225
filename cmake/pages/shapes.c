// SPDX-License-Identifier: Apache-2.0
/* The tables of docs/shapes.md: which field of ours is which of each shape. */
#include <mrelease/mrelease.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

enum { SHAPES_MAX = 8, SOURCES_MAX = 256, CELL_BYTES = 512 };

/* One per format, and per event. */
struct shape {
    const char *name;
    struct mrl_shape_place (*places)[MRL_PLACES_MAX];
    unsigned int *counts;
};

static struct shape shapes[SHAPES_MAX];
static unsigned int shape_count;

static void read_shape(const char *name)
{
    unsigned int events = mrl_event_def__count();
    struct shape *shape = &shapes[shape_count];

    *shape = (struct shape){ name, calloc(events, sizeof(*shape->places)),
                             calloc(events, sizeof(*shape->counts)) };
    if (shape_count == SHAPES_MAX || !shape->places || !shape->counts)
        abort();
    for (unsigned int e = 0; e < events; e++)
        shape->counts[e] = mrl_format__places(name, mrl_event_def__at(e), shape->places[e]);
    shape_count += shape->counts[0] > 0;
}

static void read_shapes(void)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++)
        read_shape(formats[i].name);
}

/* Calls `take` for each place of a shape, event by event. */
static void each_place(const struct shape *shape,
                       void (*take)(const struct mrl_shape_place *place, void *context),
                       void *context)
{
    for (unsigned int e = 0; e < mrl_event_def__count(); e++)
        for (unsigned int i = 0; i < shape->counts[e]; i++)
            take(&shape->places[e][i], context);
}

/* -- fields ----------------------------------------------------------------------------------- */

struct sources {
    const struct mrl_field *fields[SOURCES_MAX];
    unsigned int count;
};

static void take_source(const struct mrl_shape_place *place, void *context)
{
    struct sources *sources = context;

    if (!place->field)
        return;
    for (unsigned int i = 0; i < sources->count; i++)
        if (!strcmp(sources->fields[i]->name, place->field->name))
            return;
    if (sources->count == SOURCES_MAX)
        abort();
    sources->fields[sources->count++] = place->field;
}

/* The places of one source in one shape, each once. */
struct cell {
    const char *source;
    char text[CELL_BYTES];
};

static void take_path(const struct mrl_shape_place *place, void *context)
{
    struct cell *cell = context;
    char path[MRL_PLACE_BYTES + 4];
    size_t used = strlen(cell->text);

    if (!place->field || strcmp(place->field->name, cell->source) != 0)
        return;
    snprintf(path, sizeof(path), "`%s`", *place->path ? place->path : "header");
    if (!strstr(cell->text, path))
        snprintf(cell->text + used, sizeof(cell->text) - used, "%s%s", used ? ", " : "", path);
}

static void print_row(const char *source)
{
    printf("| `%s` |", source);
    for (unsigned int s = 0; s < shape_count; s++) {
        struct cell cell = { .source = source };

        each_place(&shapes[s], take_path, &cell);
        printf(" %s |", cell.text);
    }
    putchar('\n');
}

static void print_titles(const char *first)
{
    printf("| %s |", first);
    for (unsigned int s = 0; s < shape_count; s++)
        printf(" %s |", shapes[s].name);
    fputs("\n|---|", stdout);
    for (unsigned int s = 0; s < shape_count; s++)
        fputs("---|", stdout);
    putchar('\n');
}

void mrl_pages__shape_fields(void)
{
    struct sources sources = { .count = 0 };

    shape_count = 0;
    read_shapes();
    for (unsigned int s = 0; s < shape_count; s++)
        each_place(&shapes[s], take_source, &sources);
    print_titles("ours");
    for (unsigned int i = 0; i < sources.count; i++)
        print_row(sources.fields[i]->name);
}

/* -- words ------------------------------------------------------------------------------------ */

static const char *word_at(const char *format, unsigned int event, const char *path)
{
    for (unsigned int s = 0; s < shape_count; s++)
        for (unsigned int i = 0; !strcmp(shapes[s].name, format) && i < shapes[s].counts[event];
             i++)
            if (!strcmp(shapes[s].places[event][i].path, path))
                return shapes[s].places[event][i].word;
    abort();
}

void mrl_pages__shape_words(void)
{
    shape_count = 0;
    read_shapes();
    puts("| event | ecs: `event.category`, `event.type` | ocsf: class | activity |");
    puts("|---|---|---|---|");
    for (unsigned int e = 0; e < mrl_event_def__count(); e++)
        printf("| `%s` | %s, %s | %s %s | %s %s |\n", mrl_event_def__at(e)->name,
               word_at("ecs", e, "event.category"), word_at("ecs", e, "event.type"),
               word_at("ocsf", e, "class_uid"), word_at("ocsf", e, "class_name"),
               word_at("ocsf", e, "activity_id"), word_at("ocsf", e, "activity_name"));
}
