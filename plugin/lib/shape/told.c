// SPDX-License-Identifier: Apache-2.0
/* The rows of told.def, and how each is known. */
#include "shape/told.h"

#include <assert.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>

#include "event/about.h"
#include "event/kind.h"
#include "event/layout.h"

typedef enum mrl_known (*tell_fn)(struct mrl_telling *telling, struct mrl_value *value);

static enum mrl_known text(struct mrl_value *value, const char *word)
{
    value->text = (struct mrl_text){ word, strlen(word) };
    return MRL_KNOWN;
}

static enum mrl_known number(struct mrl_value *value, uint64_t known)
{
    value->unsigned_number = known;
    return MRL_KNOWN;
}

/* -- of the definition and of the host -------------------------------------------------------- */

static enum mrl_known mrl_told__name(struct mrl_telling *telling, struct mrl_value *value)
{
    return text(value, telling->def->name);
}

static enum mrl_known mrl_told__dataset(struct mrl_telling *telling, struct mrl_value *value)
{
    snprintf(telling->scratch, sizeof(telling->scratch), "mrelease.%s", telling->def->name);
    return text(value, telling->scratch);
}

static enum mrl_known mrl_told__code(struct mrl_telling *telling, struct mrl_value *value)
{
    value->number = telling->def->id;
    return MRL_KNOWN;
}

static enum mrl_known mrl_told__syscall(struct mrl_telling *telling, struct mrl_value *value)
{
    return text(value, telling->def->syscall);
}

static enum mrl_known mrl_told__version(struct mrl_telling *telling, struct mrl_value *value)
{
    (void)telling;
    return text(value, mrl_version());
}

#define OF_HOST(member)                                                        \
    static enum mrl_known mrl_told__host_##member(struct mrl_telling *telling, \
                                                  struct mrl_value *value)     \
    {                                                                          \
        if (!telling->host || !*telling->host->member)                         \
            return MRL_UNKNOWN;                                                \
        return text(value, telling->host->member);                             \
    }

OF_HOST(name)
OF_HOST(kernel)
OF_HOST(architecture)
OF_HOST(boot_id)
OF_HOST(machine_id)
OF_HOST(os_name)
OF_HOST(os_version)

/* -- of the call ------------------------------------------------------------------------------ */

static enum mrl_known mrl_told__duration(struct mrl_telling *telling, struct mrl_value *value)
{
    const struct mrl_event *event = telling->event;

    if (event->flags & MRL_EVENT_NO_ENTRY)
        return MRL_UNKNOWN;
    return number(value, event->exit_ns - event->entry_ns);
}

/* As mrl_event__id(), without a NUL; nothing where its run is not known. */
static void put_event_id(struct mrl_writer *writer, const struct mrl_event *event)
{
    bool has_record = event->def->is & MRL_OF_RECORD;

    if (!event->run || !*event->run)
        return;
    mrl_put_bytes(writer, event->run, strlen(event->run));
    mrl_put_char(writer, '-');
    if (has_record)
        mrl_put_unsigned(writer, event->lane);
    else
        mrl_put_char(
            writer, mrl_event_def__about(event->def->index)->series == MRL_SERIES_LOST ? 'L' : 'S');
    mrl_put_char(writer, '.');
    mrl_put_unsigned(writer, has_record ? event->cpu : event->output);
    mrl_put_char(writer, '.');
    mrl_put_unsigned(writer, event->seq);
}

static enum mrl_known mrl_told__id(struct mrl_telling *telling, struct mrl_value *value)
{
    struct mrl_writer writer = { telling->scratch };

    put_event_id(&writer, telling->event);
    value->text = (struct mrl_text){ telling->scratch, (size_t)(writer.at - telling->scratch) };
    return value->text.size ? MRL_KNOWN : MRL_UNKNOWN;
}

static enum mrl_known mrl_told__message(struct mrl_telling *telling, struct mrl_value *value)
{
    value->text = telling->say(telling);
    return MRL_KNOWN;
}

/* As OCSF numbers them. */
static const char *const results[] = { "unknown", "success", "failure" };
static const char *const captions[] = { "Unknown", "Success", "Failure" };

static unsigned int result_of(const struct mrl_event *event)
{
    const char *fixed = mrl_event_def__about(event->def->index)->result;
    unsigned int i = 0;

    if (!fixed)
        return mrl_event_failed(event) ? 2 : 1;
    while (strcmp(results[i], fixed) != 0) {
        i++;
        assert(i < sizeof(results) / sizeof(results[0]));
    }
    return i;
}

static enum mrl_known mrl_told__result(struct mrl_telling *telling, struct mrl_value *value)
{
    return text(value, results[result_of(telling->event)]);
}

static enum mrl_known mrl_told__result_caption(struct mrl_telling *telling, struct mrl_value *value)
{
    return text(value, captions[result_of(telling->event)]);
}

static enum mrl_known mrl_told__result_id(struct mrl_telling *telling, struct mrl_value *value)
{
    return number(value, result_of(telling->event));
}

static enum mrl_known mrl_told__severity(struct mrl_telling *telling, struct mrl_value *value)
{
    return number(value, mrl_event__severity(telling->event));
}

/* A number that has no name is told as it is. */
static enum mrl_known mrl_told__error(struct mrl_telling *telling, struct mrl_value *value)
{
    int64_t answer = telling->event->return_value;
    const char *name = answer >= -4095 ? strerrorname_np((int)-answer) : NULL;
    struct mrl_writer writer = { telling->scratch };

    if (answer >= 0)
        return MRL_NONE;
    if (name)
        return text(value, name);
    mrl_put_signed(&writer, answer);
    value->text = (struct mrl_text){ telling->scratch, (size_t)(writer.at - telling->scratch) };
    return MRL_KNOWN;
}

static enum mrl_known mrl_told__answer(struct mrl_telling *telling, struct mrl_value *value)
{
    return mrl_event_failed(telling->event) ? mrl_told__error(telling, value)
                                            : text(value, "success");
}

static enum mrl_known mrl_told__error_code(struct mrl_telling *telling, struct mrl_value *value)
{
    return mrl_event_failed(telling->event) ? mrl_told__error(telling, value) : text(value, "0");
}

static enum mrl_known mrl_told__compat(struct mrl_telling *telling, struct mrl_value *value)
{
    return number(value, (telling->event->flags & MRL_EVENT_IS_COMPAT) != 0);
}

static enum mrl_known mrl_told__container(struct mrl_telling *telling, struct mrl_value *value)
{
    const struct mrl_event *event = telling->event;

    if (!event->container_id.size)
        return event->lookup == MRL_LOOKUP_HOST ? MRL_NONE : MRL_UNKNOWN;
    value->text = event->container_id;
    return MRL_KNOWN;
}

/* Names are an addition: where they are not known, nothing says so in each line. */
#define OF_NAMES(member)                                                                           \
    static enum mrl_known mrl_told__##member(struct mrl_telling *telling, struct mrl_value *value) \
    {                                                                                              \
        value->text = telling->event->member;                                                      \
        return value->text.size ? MRL_KNOWN : MRL_NONE;                                            \
    }

OF_NAMES(container_name)
OF_NAMES(container_image)
OF_NAMES(container_image_digest)
OF_NAMES(container_runtime)
OF_NAMES(pod_name)
OF_NAMES(pod_namespace)
OF_NAMES(pod_uid)

static enum mrl_known mrl_told__orchestrator(struct mrl_telling *telling, struct mrl_value *value)
{
    return telling->event->pod_name.size ? text(value, "kubernetes") : MRL_NONE;
}

static enum mrl_known mrl_told__resource(struct mrl_telling *telling, struct mrl_value *value)
{
    return telling->event->pod_name.size ? text(value, "pod") : MRL_NONE;
}

/* With commas between them, which stand in no name. */
static enum mrl_known mrl_told__policies(struct mrl_telling *telling, struct mrl_value *value)
{
    struct mrl_text names[MRL_POLICIES_MAX];
    struct mrl_writer writer = { telling->scratch };
    unsigned int count;

    if (!telling->event->all_policies)
        return MRL_NONE;
    count = mrl_event__policies(telling->event, names);
    for (unsigned int i = 0; i < count; i++) {
        if (i)
            mrl_put_char(&writer, ',');
        mrl_put_bytes(&writer, names[i].bytes, names[i].size);
    }
    value->text = (struct mrl_text){ telling->scratch, (size_t)(writer.at - telling->scratch) };
    return value->text.size ? MRL_KNOWN : MRL_NONE;
}

/* -- of the task ------------------------------------------------------------------------------ */

static enum mrl_known entity(struct mrl_value *value, uint32_t pid, uint64_t start_ns)
{
    value->entity = (struct mrl_entity){ pid, start_ns };
    return start_ns ? MRL_KNOWN : MRL_NONE;
}

static enum mrl_known mrl_told__process_entity(struct mrl_telling *telling, struct mrl_value *value)
{
    return entity(value, telling->event->host_process_id, telling->event->process_start_ns);
}

static enum mrl_known mrl_told__parent_entity(struct mrl_telling *telling, struct mrl_value *value)
{
    return entity(value, telling->event->host_parent_process_id, telling->event->parent_start_ns);
}

static enum mrl_known mrl_told__executable(struct mrl_telling *telling, struct mrl_value *value)
{
    value->text = telling->event->executable;
    return value->text.size ? MRL_KNOWN : MRL_UNKNOWN;
}

static enum mrl_known mrl_told__executable_name(struct mrl_telling *telling,
                                                struct mrl_value *value)
{
    enum mrl_known known = mrl_told__executable(telling, value);
    const char *slash = memrchr(value->text.bytes, '/', value->text.size);
    size_t before = slash ? (size_t)(slash + 1 - value->text.bytes) : 0;

    value->text = (struct mrl_text){ value->text.bytes + before, value->text.size - before };
    return known;
}

/* -- the rows --------------------------------------------------------------------------------- */

enum { ALL, CALLS, TASKS };
enum { SURE, UNSURE, LACKING, EITHER };

#define MEMBER(member) \
    offsetof(struct mrl_event, member), sizeof(((struct mrl_event *)0)->member), NULL
#define VIA(symbol) 0, 0, mrl_told__##symbol

static const struct row {
    struct mrl_field field;
    enum mrl_told_when when;
    int of;
    bool may_lack;
    unsigned int at, size;
    tell_fn tell;
} rows[] = {
#define MRL_TOLD(symbol, name, kind, when, of, sure, from, doc)                    \
    { { name, &mrl_kinds[MRL_KIND_##kind], (sure)&UNSURE ? MRL_TAG_OPT : 0, doc }, \
      MRL_TOLD_##when,                                                             \
      of,                                                                          \
      ((sure)&LACKING) != 0,                                                       \
      from },
#include "shape/told.def"
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static bool has(const struct mrl_event_def *def, const struct row *row)
{
    return row->of == ALL || (row->of == CALLS ? *def->syscall != '\0' : def->is & MRL_OF_RECORD);
}

struct mrl_told mrl_told__of_field(const struct mrl_layout_field *place)
{
    return (struct mrl_told){ .field = place->field, .when = MRL_TOLD_EVENT, .place = *place };
}

bool mrl_told__find(const struct mrl_event_def *def,
                    const struct mrl_layout *layout,
                    const char *name,
                    struct mrl_told *ret_told)
{
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++)
        if (!strcmp(row->field.name, name) && has(def, row)) {
            *ret_told = (struct mrl_told){
                .field = &row->field,
                .when = row->when,
                .may_lack = row->may_lack,
                .place = { .field = &row->field, .at = row->at, .size = row->size },
                .tell = row->tell,
            };
            return true;
        }
    for (unsigned int i = 0; i < layout->count; i++)
        if (!strcmp(layout->fields[i].field->name, name)) {
            *ret_told = mrl_told__of_field(&layout->fields[i]);
            return true;
        }
    return false;
}

enum mrl_known mrl_told__value(const struct mrl_told *told,
                               struct mrl_telling *telling,
                               struct mrl_value *value)
{
    const struct mrl_value *found;
    enum mrl_known known = mrl_told_look(told, telling, value, &found);

    if (known == MRL_KNOWN && found != value)
        *value = *found;
    return known;
}

const struct mrl_field *mrl_told__field(unsigned int index)
{
    return index < ROW_COUNT ? &rows[index].field : NULL;
}
