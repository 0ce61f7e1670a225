// SPDX-License-Identifier: Apache-2.0
/* Every way gone with each setup, and what its probes saw. */
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>

#include "command/doctor/doctor.h"

static const char *const words[] = {
    [MRL_SEEN_UNTRIED] = "untried", [MRL_SEEN_CLOSED] = "not possible",
    [MRL_SEEN_NO] = "not seen",     [MRL_SEEN_PARTLY] = "seen without arguments",
    [MRL_SEEN_YES] = "seen",
};

/* -- looking ---------------------------------------------------------------------------------- */

static void take_event(const struct mrl_event *event,
                       const struct mrl_trip trips[],
                       struct mrl_cell cells[])
{
    unsigned int count;
    const struct mrl_way *ways = mrl_ways__all(&count);

    for (unsigned int i = 0; i < count; i++) {
        if (!mrl_trip__is(&trips[i], event))
            continue;
        cells[i].times++;
        cells[i].seen = mrl_trip__has_arguments(&ways[i], event) ? MRL_SEEN_YES : MRL_SEEN_PARTLY;
    }
}

/* The probes are gone: what is not there by now was not seen. */
static void take_events(struct mrl_plugin *plugin,
                        const struct mrl_trip trips[],
                        struct mrl_cell cells[])
{
    struct mrl_batch *batch;
    int count;

    while ((count = mrl_plugin__next_batch(plugin, 0, &batch)) > 0) {
        for (int i = 0; i < count; i++)
            take_event(mrl_batch__at(batch, (size_t)i), trips, cells);
        mrl_batch__unref(batch);
    }
}

void mrl_setup__go_all_ways(struct mrl_doctor *doctor,
                            struct mrl_setup *setup,
                            struct mrl_plugin *plugin)
{
    struct mrl_trip trips[MRL_WAYS_MAX];
    unsigned int count;

    (void)doctor;
    mrl_ways__all(&count);
    for (unsigned int i = 0; i < count; i++) {
        struct mrl_cell *cell = &setup->cells[i];

        mrl_way__go(i, &trips[i]);
        cell->seen = trips[i].made ? MRL_SEEN_NO : MRL_SEEN_CLOSED;
        memcpy(cell->reason, trips[i].reason, sizeof(cell->reason));
    }
    mrl_plugin__stop(plugin);
    take_events(plugin, trips, setup->cells);
    for (unsigned int i = 0; i < count; i++)
        mrl_cell__explain(&setup->cells[i], i, setup);
}

/* -- why -------------------------------------------------------------------------------------- */

static const char *why_not(const struct mrl_way *way, const struct mrl_setup *setup)
{
    bool alone = strcmp(setup->coverage, "all") != 0;

    if (way->kind == MRL_WAY_NOTHING)
        return "nothing was called: the kernel looks at it no further";
    if (way->kind == MRL_WAY_FOREIGN && !setup->rung->sees_compat)
        return "this rung sees native calls alone";
    if (way->kind == MRL_WAY_REFUSED && !setup->rung->sees_blocked && alone)
        return "it never ran, and was answered before these probes: --coverage all sees it";
    return "WRONG: these probes must see it";
}

void mrl_cell__explain(struct mrl_cell *cell, unsigned int index, const struct mrl_setup *setup)
{
    unsigned int count;
    const struct mrl_way *way = &mrl_ways__all(&count)[index];
    const char *why = NULL;

    if (cell->seen == MRL_SEEN_NO)
        why = why_not(way, setup);
    else if (cell->times > 1)
        why = "WRONG: it was seen more than once";
    else if (cell->seen == MRL_SEEN_PARTLY)
        why = "what stood in the registers was not what the kernel was given";
    else if (cell->seen == MRL_SEEN_YES && way->kind == MRL_WAY_REFUSED)
        why = "at its exit: it never ran";
    if (why)
        snprintf(cell->reason, sizeof(cell->reason), "%s", why);
}

/* -- for programs ----------------------------------------------------------------------------- */

static json_t *json_cell(const struct mrl_cell *cell, const char *way)
{
    return json_pack("{s:s, s:s, s:i, s:s?}", "way", way, "seen", words[cell->seen], "times",
                     (int)cell->times, "reason", *cell->reason ? cell->reason : NULL);
}

static json_t *json_setup(const struct mrl_setup *setup)
{
    unsigned int count;
    const struct mrl_way *ways = mrl_ways__all(&count);
    json_t *cells = json_array();

    for (unsigned int i = 0; setup->works && i < count; i++)
        json_array_append_new(cells, json_cell(&setup->cells[i], ways[i].name));
    return json_pack("{s:s, s:s?, s:b, s:s?, s:o}", "rung", setup->rung->name, "beside",
                     strcmp(setup->coverage, "all") ? NULL : setup->rung->beside, "works",
                     setup->works, "reason", mrl_setup__reason(setup), "ways", cells);
}

json_t *mrl_doctor__ways_json(const struct mrl_doctor *doctor)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < doctor->setup_count; i++)
        json_array_append_new(array, json_setup(&doctor->setups[i]));
    return json_pack("{s:s, s:o}", "version", mrl_version(), "waysIn", array);
}

/* -- for people ------------------------------------------------------------------------------- */

enum { NAME_COLUMNS = 26, CELL_COLUMNS = 18, NOTES_MAX = 64 };

/* Each reason is said once, below. */
struct notes {
    const char *texts[NOTES_MAX];
    unsigned int count;
};

/* Its number, from 1; 0: none. */
static unsigned int number_of(struct notes *notes, const char *text)
{
    unsigned int i = 0;

    if (!*text)
        return 0;
    while (i < notes->count && strcmp(notes->texts[i], text) != 0)
        i++;
    if (i == NOTES_MAX)
        return 0;
    if (i == notes->count)
        notes->texts[notes->count++] = text;
    return i + 1;
}

static void print_cell(const struct mrl_cell *cell, struct notes *notes)
{
    unsigned int note = number_of(notes, cell->reason);
    const char *word = cell->seen == MRL_SEEN_PARTLY ? "no arguments" : words[cell->seen];
    char text[32];

    if (note)
        snprintf(text, sizeof(text), "%s [%u]", word, note);
    printf(" %-*s", CELL_COLUMNS, note ? text : word);
}

static void print_head(const struct mrl_doctor *doctor)
{
    char name[48];

    printf("Ways in: a call of process_mrelease by each, and what the probes of a rung saw of it\n"
           "  %-*s",
           NAME_COLUMNS, "WAY");
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        if (doctor->setups[i].works) {
            mrl_setup__name(&doctor->setups[i], name);
            printf(" %-*s", CELL_COLUMNS, name);
        }
    putchar('\n');
}

void mrl_doctor__print_ways(const struct mrl_doctor *doctor)
{
    struct notes notes = { .count = 0 };
    unsigned int count;
    const struct mrl_way *ways = mrl_ways__all(&count);

    print_head(doctor);
    for (unsigned int way = 0; way < count; way++) {
        printf("  %-*s", NAME_COLUMNS, ways[way].name);
        for (unsigned int i = 0; i < doctor->setup_count; i++)
            if (doctor->setups[i].works)
                print_cell(&doctor->setups[i].cells[way], &notes);
        putchar('\n');
    }
    for (unsigned int i = 0; i < notes.count; i++)
        printf("%s  [%u] %s\n", i ? "" : "\n", i + 1, notes.texts[i]);
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        if (!doctor->setups[i].works)
            printf("  %s does not work here: %s\n", doctor->setups[i].rung->name,
                   mrl_setup__reason(&doctor->setups[i]));
}
