// SPDX-License-Identifier: Apache-2.0
/* Which event it is, and how grave. */
#include <inttypes.h>
#include <mrelease/item.h>
#include <stdio.h>

#include "event/about.h"
#include "event/raw.h"

_Static_assert(sizeof(struct mrl_item_head) == 40, "heads are a part of a file format");

enum { HEX_DIGITS = 16 };

static uint64_t read_hex(const char *text)
{
    uint64_t number = 0;

    for (int i = 0; i < HEX_DIGITS; i++)
        number = number << 4 | (uint64_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
    return number;
}

static enum mrl_series series_of(const struct mrl_event *event)
{
    if (event->def->is & MRL_OF_RECORD)
        return (enum mrl_series)event->lane;
    return mrl_event_def__about(event->def->index)->series;
}

void mrl_item__head(const struct mrl_event *event, struct mrl_item_head *ret_head)
{
    const enum mrl_series series = series_of(event);

    *ret_head = (struct mrl_item_head){
        .time_ns = event->entry_ns,
        .number = event->seq,
        .source = (uint16_t)(series < MRL_SERIES_LOST ? event->cpu : event->output),
        .event = (uint16_t)event->def->index,
        .series = (uint8_t)series,
        .severity = (uint8_t)mrl_event__severity(event),
    };
    if (event->run && *event->run) {
        ret_head->boot = read_hex(event->run);
        ret_head->run = read_hex(event->run + HEX_DIGITS + 1);
    }
}

size_t mrl_item__id(const struct mrl_item_head *head, char text[MRL_EVENT_ID_BYTES])
{
    static const char *const words[] = { "0", "1", "L", "S" };

    *text = '\0';
    if ((!head->boot && !head->run) || head->series > MRL_SERIES_STATE)
        return 0;
    return (size_t)snprintf(text, MRL_EVENT_ID_BYTES,
                            "%016" PRIx64 "-%016" PRIx64 "-%s.%u.%" PRIu64, head->boot, head->run,
                            words[head->series], head->source, head->number);
}

size_t mrl_event__id(const struct mrl_event *event, char text[MRL_EVENT_ID_BYTES])
{
    struct mrl_item_head head;

    mrl_item__head(event, &head);
    return mrl_item__id(&head, text);
}

enum mrl_severity mrl_event__severity(const struct mrl_event *event)
{
    return mrl_event_def__about(event->def->index)->severity[mrl_event_failed(event)];
}
