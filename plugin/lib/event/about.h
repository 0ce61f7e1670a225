/* SPDX-License-Identifier: Apache-2.0 */
/* What events are about: the rows of about.def, which explains the columns. */
#ifndef MRL_EVENT_ABOUT_H
#define MRL_EVENT_ABOUT_H

#include <mrelease/item.h>

enum mrl_about_index {
#define MRL_ABOUT(symbol, ...) MRL_ABOUT_##symbol,
#include "event/about.def"
};

/** A subject. Static. */
struct mrl_about {
    const char *name, *group;
    enum mrl_series series;
    enum mrl_severity severity[2]; /* [1]: of a failure */
    const char *result;
    const char *title, *sentence, *phrase;
    const char *ecs_category, *ecs_type;
    const char *ocsf_class, *ocsf_class_name, *ocsf_activity, *ocsf_activity_name, *ocsf_type;
};

/** The subject of the event at `index` of the table. */
const struct mrl_about *mrl_event_def__about(unsigned int index);
enum mrl_about_index mrl_event_def__about_index(unsigned int index);

/** Whether an event is a call, and the call failed. */
static inline bool mrl_event_failed(const struct mrl_event *event)
{
    return *event->def->syscall && event->return_value < 0;
}

#endif
