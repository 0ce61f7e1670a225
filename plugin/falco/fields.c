// SPDX-License-Identifier: Apache-2.0
#include "falco/fields.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/record.h"
#include "event/layout.h"
#include "falco/call_fields.h"

enum { FIELDS_MAX = 128 };

static struct mrl_falco_field fields[FIELDS_MAX];
static unsigned int field_count;

/* Where each field is in each event; found once, because it takes longer than all else. */
static struct mrl_layout_field places[FIELDS_MAX][MRL_EVENT_COUNT];
static pthread_once_t fields_once = PTHREAD_ONCE_INIT;

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t end_size = strlen(end);

    return size > end_size && !memcmp(text + size - end_size, end, end_size);
}

/* The last word of an event's name. */
static const char *last_word(const char *name)
{
    const char *underscore = strrchr(name, '_');

    return underscore ? underscore + 1 : name;
}

/* "target_cgroup_id" of a call is "target.cgroup", "count" of events_lost is "lost.count". */
static void name_field(const struct mrl_event_def *def, const char *name, char ret_name[64])
{
    static const char target[] = "target_";
    bool is_target = !strncmp(name, target, sizeof(target) - 1);
    const char *rest = is_target ? name + sizeof(target) - 1 : name;
    size_t size = strlen(rest);

    if (is_target && ends_with(rest, size, "_id"))
        size -= strlen("_id");
    snprintf(ret_name, 64, MRL_FIELD_PREFIX "%s%s%.*s",
             is_target       ? "target"
             : *def->syscall ? ""
                             : last_word(def->name),
             is_target || !*def->syscall ? "." : "", (int)size, rest);
}

static const struct {
    const char *name;
    enum falco_type type;
} types[] = {
    { "string", FALCO_STRING },   { "uint64", FALCO_UINT64 }, { "abstime", FALCO_ABSTIME },
    { "reltime", FALCO_RELTIME }, { "bool", FALCO_BOOL },
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

/* Process ids are signed in Tracee's schema, and never negative. */
static enum falco_type type_of(const struct mrl_field *field)
{
    if (ends_with(field->name, strlen(field->name), "_pid"))
        return FALCO_UINT64;
    for (unsigned int i = 0; i < TYPE_COUNT; i++)
        if (!strcmp(types[i].name, field->kind->falco))
            return types[i].type;
    return FALCO_STRING;
}

static const char *type_name(enum falco_type type)
{
    unsigned int i = 0;

    while (types[i].type != type)
        i++;
    return types[i].name;
}

/* The first event that has a field of this name says what it is. */
static void add_field(const struct mrl_event_def *def, const struct mrl_field *field)
{
    struct mrl_falco_field *row = &fields[field_count];

    name_field(def, field->name, row->name);
    for (unsigned int i = 0; i < field_count; i++)
        if (!strcmp(fields[i].name, row->name))
            return;
    if (field_count + 1 == FIELDS_MAX)
        abort();
    row->type = type_of(field);
    row->doc = field->doc;
    row->argument = field->name;
    field_count++;
}

/* Fields "mrelease.lost.…" are looked for in events_lost alone, "mrelease.state.…" in sensor_state,
 * all others in calls alone. */
static void find_row_place(const struct mrl_falco_field *row,
                           const struct mrl_event_def *def,
                           struct mrl_layout_field *ret_place)
{
    char name[sizeof(row->name)];

    name_field(def, row->argument, name);
    if (strcmp(name, row->name) != 0 || !mrl_layout__find(def, row->argument, ret_place))
        ret_place->field = NULL;
}

static void make_fields(void)
{
    unsigned int extra_count;
    const struct mrl_extra *extras = mrl_extra__all(&extra_count);

    memcpy(fields, mrl_call_fields, mrl_call_field_count * sizeof(*fields));
    field_count = mrl_call_field_count;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__at(i)->field_count; j++)
            add_field(mrl_event_def__at(i), &mrl_event_def__at(i)->fields[j]);
    for (unsigned int i = 0; i < extra_count; i++)
        for (unsigned int j = 0; j < extras[i].field_count; j++)
            add_field(mrl_event_def__at(0), &extras[i].fields[j]);
    for (unsigned int i = mrl_call_field_count; i < field_count; i++)
        for (unsigned int j = 0; j < MRL_EVENT_COUNT; j++)
            find_row_place(&fields[i], mrl_event_def__at(j), &places[i][j]);
}

const struct mrl_falco_field *mrl_falco_fields__all(unsigned int *ret_count)
{
    pthread_once(&fields_once, make_fields);
    *ret_count = field_count;
    return fields;
}

void mrl_falco_field__answer(const struct mrl_question *question, struct mrl_answer *answer)
{
    const struct mrl_falco_field *field = question->field;
    const struct mrl_layout_field *place;
    struct mrl_value value;

    if (field->find) {
        if (question->event->raw || field->of_gaps) /* a gap has no record */
            field->find(question, answer);
        return;
    }
    place = &places[field - fields][question->event->def->index];
    if (!place->field)
        return;
    value = mrl_layout_value(place, question->event);
    if (value.absent)
        return;
    if (field->type == FALCO_STRING)
        mrl_answer__value_as_text(answer, place->field->kind, &value);
    else
        mrl_answer__value(answer, place->field->kind, &value);
}

/* -- what get_fields() says ------------------------------------------------------------------- */

static json_t *describe(const struct mrl_falco_field *field)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "type", type_name(field->type), "name", field->name,
                             "desc", field->doc);

    if (field->is_list)
        json_object_set_new(json, "isList", json_true());
    if (field->takes_key)
        json_object_set_new(json, "arg", json_pack("{s:b, s:b}", "isRequired", 1, "isKey", 1));
    return json;
}

static char fields_json[32 * 1024];
static pthread_once_t json_once = PTHREAD_ONCE_INIT;

static void make_json(void)
{
    unsigned int count;
    const struct mrl_falco_field *all = mrl_falco_fields__all(&count);
    json_t *list = json_array();

    for (unsigned int i = 0; i < count; i++)
        json_array_append_new(list, describe(&all[i]));
    if (json_dumpb(list, fields_json, sizeof(fields_json) - 1, JSON_COMPACT) >= sizeof(fields_json))
        *fields_json = '\0';
    json_decref(list);
}

const char *mrl_falco_fields__json(void)
{
    pthread_once(&json_once, make_json);
    return *fields_json ? fields_json : NULL;
}
