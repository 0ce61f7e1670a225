// SPDX-License-Identifier: Apache-2.0
/* Layouts: all fields of an event, extras included, and where their values lie. */
#include "event/layout.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

static void add_field(struct mrl_layout *layout,
                      const struct mrl_field *field,
                      const struct mrl_extra *extra,
                      unsigned int at,
                      unsigned int size)
{
    assert(layout->count < MRL_LAYOUT_FIELDS_MAX);
    layout->fields[layout->count++] = (struct mrl_layout_field){ field, extra, at, size };
}

/* `at`: where the extra's values begin among extra_values, if they lie there. */
static void add_extra(struct mrl_layout *layout, const struct mrl_extra *extra, unsigned int at)
{
    const struct mrl_from *from = mrl_extra__from(extra);

    for (unsigned int i = 0; i < extra->field_count; i++)
        if (from[i].where == MRL_FROM_EVENT)
            add_field(layout, &extra->fields[i], extra, from[i].offset, from[i].size);
        else
            add_field(layout, &extra->fields[i], extra, at + i, 0);
}

void mrl_layout__make(const struct mrl_event_def *def,
                      uint32_t extras,
                      struct mrl_layout *ret_layout)
{
    unsigned int count, at = 0;
    const struct mrl_extra *all = mrl_extra__all(&count);

    ret_layout->count = 0;
    for (unsigned int i = 0; i < def->field_count; i++)
        add_field(ret_layout, &def->fields[i], NULL, i, 0);
    ret_layout->own_count = ret_layout->count;
    for (unsigned int i = 0; i < count; i++) {
        if (!mrl_extra__fits(&all[i], def))
            continue;
        if (extras & (1U << i))
            add_extra(ret_layout, &all[i], at);
        /* The values of an extra that was not asked for lie there as well, and are stepped over. */
        if (all[i].of & (MRL_OF_TARGET | MRL_OF_LOCKS))
            at += all[i].field_count;
    }
}

/* With all extras; made once, because Falco asks for fields by name while events pass. */
static struct mrl_layout full_layouts[MRL_EVENT_COUNT];
static pthread_once_t full_layouts_once = PTHREAD_ONCE_INIT;

static void make_full_layouts(void)
{
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        mrl_layout__make(mrl_event_def__at(i), UINT32_MAX, &full_layouts[i]);
}

bool mrl_layout__find(const struct mrl_event_def *def,
                      const char *name,
                      struct mrl_layout_field *ret_field)
{
    const struct mrl_layout *layout = &full_layouts[def->index];

    pthread_once(&full_layouts_once, make_full_layouts);
    for (unsigned int i = 0; i < layout->count; i++)
        if (!strcmp(layout->fields[i].field->name, name)) {
            *ret_field = layout->fields[i];
            return true;
        }
    return false;
}

struct mrl_value mrl_layout__member(const struct mrl_layout_field *field,
                                    const struct mrl_event *event)
{
    const char *at = (const char *)event + field->at;
    struct mrl_value value = { .text = { NULL, 0 }, .absent = false };

    /* Little-endian, as captures are: the rest of the number is 0 already. */
    assert(field->size <= sizeof(value.text));
    memcpy(&value.text, at, field->size);
    value.absent = field->size == sizeof(value.text) && !value.text.bytes;
    return value;
}

struct mrl_value mrl_layout__value(const struct mrl_layout_field *field,
                                   const struct mrl_event *event)
{
    return mrl_layout_value(field, event);
}
