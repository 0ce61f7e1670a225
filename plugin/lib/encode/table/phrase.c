// SPDX-License-Identifier: Apache-2.0
#include "encode/table/phrase.h"

#include <assert.h>

#include "encode/table/people.h"
#include "event/about.h"
#include "event/layout.h"

enum { NAME_BYTES = 32 };

/* The field of the hole at `at`, behind its brace. Returns what is behind the hole; NULL: it is not
 * closed. `ret_field->field` NULL: there is no such field. */
static const char *read_hole(const char *at,
                             const struct mrl_event_def *def,
                             struct mrl_layout_field *ret_field)
{
    const char *end = strchr(at, '}');
    char name[NAME_BYTES];

    ret_field->field = NULL;
    if (!end || end - at >= NAME_BYTES)
        return NULL;
    memcpy(name, at, (size_t)(end - at));
    name[end - at] = '\0';
    if (!mrl_layout__find(def, name, ret_field))
        ret_field->field = NULL;
    return end + 1;
}

/* Whether all fields of a part that ends with `]` are there. */
static bool is_there(const char *at, const struct mrl_event *event)
{
    struct mrl_layout_field field;

    while (*at != ']') {
        if (*at++ != '{')
            continue;
        at = read_hole(at, event->def, &field);
        if (!field.field || mrl_layout_value(&field, event).absent)
            return false;
    }
    return true;
}

void mrl_phrase__put(struct mrl_writer *writer, const struct mrl_event *event)
{
    struct mrl_layout_field field;
    struct mrl_value value;

    for (const char *at = mrl_event_def__about(event->def->index)->phrase; *at;) {
        if (*at == '[' && !is_there(at, event)) {
            at = strchr(at, ']') + 1;
        } else if (*at == '{') {
            at = read_hole(at + 1, event->def, &field);
            assert(at && field.field);
            value = mrl_layout_value(&field, event);
            if (value.absent)
                mrl_put_literal(writer, "not known");
            else
                mrl_people__put_value(writer, field.field->kind, &value);
        } else if (*at == '[' || *at == ']') {
            at++;
        } else {
            mrl_put_char(writer, *at++);
        }
    }
}

bool mrl_phrase__is_right(const struct mrl_event_def *def)
{
    struct mrl_layout_field field;
    bool inside = false;

    for (const char *at = mrl_event_def__about(def->index)->phrase; *at;) {
        const char byte = *at++;

        if (byte == '[' || byte == ']') {
            if (inside == (byte == '['))
                return false;
            inside = !inside;
        } else if (byte == '{') {
            at = read_hole(at, def, &field);
            if (!at || (!field.field && !inside))
                return false;
        }
    }
    return !inside;
}
