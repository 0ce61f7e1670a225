// SPDX-License-Identifier: Apache-2.0
/* The rows of a mapping, held against the fields of an event. */
#include "shape/mapping.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encoder.h"
#include "event/layout.h"

bool mrl_path__is_within(const char *path, const char *object)
{
    size_t size = strlen(object);

    return !size || (!strncmp(path, object, size) && path[size] == '.');
}

/* Whether an extra is shown without being asked. */
static bool is_own(const struct mrl_extra *extra, uint32_t own)
{
    unsigned int count;

    return !extra || own & 1U << (extra - mrl_extra__all(&count));
}

static void place_told(const struct mrl_mapping *mapping,
                       const struct mrl_told *told,
                       uint32_t own,
                       struct mrl_spot *spot)
{
    struct mrl_shape_place *place = &spot->place;
    bool unknown = told->field->tags & MRL_TAG_OPT && !place->otherwise;
    bool says_null = mapping->nulls && mrl_path__is_within(place->path, mapping->nulls);

    spot->told = *told;
    place->field = told->field;
    place->extra = is_own(told->place.extra, own) ? NULL : told->place.extra;
    if (place->form == MRL_FORM_OWN)
        place->form = mapping->form_of(told->field->kind, place->path);
    place->may_be_null = unknown && says_null;
    place->may_be_left_out = told->may_lack || (spot->row && spot->row->drops_empty) ||
                             place->form == MRL_FORM_LONG || place->extra ||
                             (unknown && !says_null);
}

/* False: the row is not of this event. */
static bool place_row(const struct mrl_mapping *mapping,
                      const struct mrl_event_def *def,
                      const struct mrl_layout *layout,
                      uint32_t own,
                      struct mrl_spot *spot)
{
    const struct mrl_mapping_row *row = spot->row;
    struct mrl_told told;

    if (row->only && !(row->only & 1U << mrl_event_def__about_index(def->index)))
        return false;
    spot->place.form = row->form;
    spot->place.in_list = row->in_list;
    spot->place.otherwise = row->otherwise;
    snprintf(spot->place.path, sizeof(spot->place.path), "%s", row->path);
    if (!row->from) {
        spot->place.word =
            *(const char *const *)((const char *)mrl_event_def__about(def->index) + row->column);
    } else if (*row->from == '=') {
        spot->place.word = row->from + 1;
    } else {
        if (!mrl_told__find(def, layout, row->from, &told))
            return false;
        place_told(mapping, &told, own, spot);
    }
    return true;
}

/* -- what no row names ------------------------------------------------------------------------ */

static bool has_row(const struct mrl_mapping *mapping,
                    const struct mrl_event_def *def,
                    const char *field)
{
    uint32_t about = 1U << mrl_event_def__about_index(def->index);

    for (unsigned int i = 0; i < mapping->row_count; i++) {
        const struct mrl_mapping_row *row = &mapping->rows[i];

        if (row->from && (!row->only || row->only & about) && !strcmp(row->from, field))
            return true;
    }
    return mapping->hides && !strcmp(mapping->hides, field);
}

/* "target_pid" behind "mrelease" is mreleaseTargetPid; behind nothing it is targetPid. */
static void make_key(const char *before, const char *name, char key[MRL_PLACE_BYTES])
{
    size_t size = (size_t)snprintf(key, MRL_PLACE_BYTES, "%s", before);
    bool capital = size > 0;

    for (; *name && size < MRL_PLACE_BYTES - 1; name++) {
        if (*name != '_')
            key[size++] = (char)(capital ? toupper((unsigned char)*name) : *name);
        capital = *name == '_';
    }
    key[size] = '\0';
}

/* In a group of their own, if the subject has one. */
static void make_path(const struct mrl_mapping *mapping,
                      const char *group,
                      const char *name,
                      char path[MRL_PLACE_BYTES])
{
    if (mapping->separator)
        make_key(mapping->rest, name, path);
    else
        snprintf(path, MRL_PLACE_BYTES, "%s.%s%s%s", mapping->rest, group, *group ? "." : "", name);
}

unsigned int mrl_mapping__spots(const struct mrl_mapping *mapping,
                                const struct mrl_event_def *def,
                                const struct mrl_layout *layout,
                                uint32_t own,
                                struct mrl_spot spots[MRL_PLACES_MAX])
{
    const char *group = mrl_event_def__about(def->index)->group;
    unsigned int count = 0;

    for (unsigned int i = 0; i < mapping->row_count; i++) {
        assert(count < MRL_PLACES_MAX);
        spots[count] = (struct mrl_spot){ .row = &mapping->rows[i] };
        count += place_row(mapping, def, layout, own, &spots[count]);
    }
    for (unsigned int i = 0; i < layout->count; i++) {
        const struct mrl_layout_field *field = &layout->fields[i];
        struct mrl_told told = mrl_told__of_field(field);

        if (has_row(mapping, def, field->field->name))
            continue;
        assert(count < MRL_PLACES_MAX);
        spots[count] = (struct mrl_spot){ .row = NULL };
        make_path(mapping, i < layout->own_count ? group : "", field->field->name,
                  spots[count].place.path);
        place_told(mapping, &told, own, &spots[count++]);
    }
    return count;
}

unsigned int mrl_format__places(const char *format,
                                const struct mrl_event_def *def,
                                struct mrl_shape_place places[MRL_PLACES_MAX])
{
    uint32_t own = 0;
    const struct mrl_encoder_ops *ops = mrl_encoder_ops__find(format, NULL, &own);
    struct mrl_spot *spots;
    struct mrl_layout layout;
    unsigned int count;

    if (!ops || !ops->mapping)
        return 0;
    spots = calloc(MRL_PLACES_MAX, sizeof(*spots));
    if (!spots)
        return 0;
    mrl_layout__make(def, UINT32_MAX, &layout);
    count = mrl_mapping__spots(ops->mapping, def, &layout, own, spots);
    for (unsigned int i = 0; i < count; i++)
        places[i] = spots[i].place;
    free(spots);
    return count;
}

/* -- forms ------------------------------------------------------------------------------------ */

enum mrl_form mrl_form__by_storage(const struct mrl_kind *kind, const char *path)
{
    (void)path;
    return kind->storage == MRL_STORAGE_TEXT ? MRL_FORM_TEXT : MRL_FORM_NUMBER;
}

enum mrl_form mrl_form__by_meaning(const struct mrl_kind *kind, const char *path)
{
    if (kind->unit == MRL_UNIT_TIME)
        return MRL_FORM_DATE;
    return kind->storage == MRL_STORAGE_ENTITY || kind->unit == MRL_UNIT_ADDRESS
               ? MRL_FORM_TEXT
               : mrl_form__by_storage(kind, path);
}
