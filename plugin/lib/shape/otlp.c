// SPDX-License-Identifier: Apache-2.0
/*
 * OpenTelemetry's LogRecord, as protobuf: which of its attributes says what. Names are those of the
 * semantic conventions where there is one, else below "mrelease". It is written from its end to its
 * start, as encode/protobuf.c does. What stands around it is the side program's.
 */
#include <abi/record.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "encode/encoder.h"
#include "encode/rfc3339.h"
#include "encode/varint.h"
#include "enrich/entity.h"
#include "event/about.h"
#include "event/layout.h"
#include "shape/mapping.h"
#include "shape/sentence.h"

#define ROUNDING_NS UINT64_C(100000000) /* of entity ids: as Tracee's main branch has them */

enum { CONSTANT_BYTES = 72, FIXED_BYTES = 16 * 1024 };

/* Field numbers of opentelemetry.proto.logs.v1 and .common.v1. */
enum { RECORD_TIME = 1, RECORD_SEVERITY, RECORD_SEVERITY_TEXT, RECORD_BODY = 5, RECORD_ATTRIBUTE };
enum { RECORD_OBSERVED = 11, RECORD_EVENT_NAME = 12, PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { ANY_TEXT = 1, ANY_TRUTH = 2, ANY_NUMBER = 3 };

static const struct mrl_mapping_row rows[] = {
    MRL_ROW("log.record.uid", "id"),
    MRL_ROW("error.type", "error"),
    MRL_ROW("process.pid", "hostProcessId"),
    MRL_ROW("process.vpid", "processId"),
    MRL_ROW("process.parent_pid", "hostParentProcessId"),
    MRL_ROW("process.creation.time", "processStartTime"),
    MRL_ROW("process.executable.path", "executable"),
    MRL_ROW("process.executable.name", "executable.name"),
    MRL_ROW("process.real_user.id", "userId"),
    MRL_ROW("thread.id", "hostThreadId"),
    MRL_ROW("thread.name", "processName"),
    MRL_ROW("container.id", "containerId"),
    MRL_ROW("container.name", "container.name"),
    MRL_ROW("container.image.name", "container.image"),
    MRL_ROW("container.runtime.name", "container.runtime"),
    MRL_ROW("k8s.pod.name", "kubernetes.podName"),
    MRL_ROW("k8s.pod.uid", "kubernetes.podUID"),
    MRL_ROW("k8s.namespace.name", "kubernetes.podNamespace"),
    MRL_ROW("mrelease.container_image_digest", "container.imageDigest"),
    MRL_ROW("mrelease.policies", "matchedPolicies"),
    MRL_ROW("mrelease.event_code", "eventId"),
    MRL_ROW("mrelease.result", "result"),
    MRL_ROW("mrelease.return_value", "returnValue"),
    MRL_ROW("mrelease.call_duration_ns", "duration"),
    MRL_ROW("mrelease.cpu", "processorId"),
    MRL_ROW_AS(TRUTH, "mrelease.compat", "isCompat"),
    MRL_ROW("mrelease.thread_vid", "threadId"),
    MRL_ROW("mrelease.parent_vpid", "parentProcessId"),
    MRL_ROW("mrelease.process_entity_id", "processEntityId"),
    MRL_ROW("mrelease.parent_entity_id", "parentEntityId"),
    MRL_ROW_AS(TEXT, "mrelease.cgroup_id", "cgroupId"),
    MRL_ROW("mrelease.mount_namespace", "mountNamespace"),
    MRL_ROW("mrelease.pid_namespace", "pidNamespace"),
    MRL_ROW("mrelease.uts_name", "hostName"),
    MRL_ROW("mrelease.target.pid", "target_host_pid"),
    MRL_ROW("mrelease.target.vpid", "target_pid"),
    MRL_ROW("mrelease.target.name", "target_name"),
    MRL_ROW("mrelease.target.executable", "target_exe"),
    MRL_ROW("mrelease.target.user_id", "target_uid"),
    MRL_ROW("mrelease.target.start", "target_start_time"),
    MRL_ROW("mrelease.target.entity_id", "target_entity_id"),
    MRL_ROW_AS(TEXT, "mrelease.target.cgroup_id", "target_cgroup_id"),
    { .path = "mrelease.target.container_id", .from = "target_container_id", .drops_empty = true },
    MRL_ROW_AS(TEXT, "mrelease.lost.by_cgroup", "by_cgroup"),
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* Beside its text, an attribute takes its key, tags and lengths, and a number or a date. */
_Static_assert(FIXED_BYTES > (ROW_COUNT + MRL_LAYOUT_FIELDS_MAX) * (CONSTANT_BYTES + 48),
               "all but texts has room");

static const struct mrl_mapping mapping = {
    .rows = rows,
    .row_count = ROW_COUNT,
    .rest = "mrelease",
    .hides = "id",
    .nulls = "",
    .form_of = mrl_form__by_meaning,
};

/* OpenTelemetry's numbers and words. */
static const struct {
    unsigned char number;
    const char *word;
} severities[] = {
    [MRL_SEVERITY_ERROR] = { 17, "ERROR" },
    [MRL_SEVERITY_WARNING] = { 13, "WARN" },
    [MRL_SEVERITY_NOTICE] = { 9, "INFO" },
    [MRL_SEVERITY_INFO] = { 5, "DEBUG" },
};

/* Bytes that are the same in all events of a definition. */
struct constant {
    unsigned char size;
    char bytes[CONSTANT_BYTES];
};

struct attribute {
    struct mrl_told told;
    enum mrl_form form;
    bool drops_empty;
    struct mrl_date date;
    struct constant key;
};

struct plan {
    struct mrl_sentence sentence;
    struct constant name;
    unsigned int count;
    struct attribute *attributes; /* new */
};

struct otlp_encoder {
    struct mrl_encoder base;
    struct mrl_telling telling;
    struct plan plans[MRL_EVENT_COUNT];
    char record[MRL_EVENT_TEXT_MAX];
};

/* -- values ----------------------------------------------------------------------------------- */

/* Texts of a record are short; those of a stranger may not be. */
static void front_text(struct mrl_front *front, const char *start, struct mrl_text text)
{
    size_t room = front->at - start > FIXED_BYTES ? (size_t)(front->at - start) - FIXED_BYTES : 0;
    const char *end = front->at;

    text.size = text.size < room ? text.size : room;
    mrl_front_valid_text(front, text);
    mrl_front_wrap(front, end, ANY_TEXT);
}

static void front_word(struct mrl_front *front, const char *start, const char *word, size_t size)
{
    front_text(front, start, (struct mrl_text){ word, size });
}

static void front_number(struct mrl_front *front, unsigned int member, uint64_t number)
{
    mrl_front_varint(front, number);
    *--front->at = (char)MRL_PB_KEY(member, MRL_PB_VARINT);
}

static uint64_t number_of(const struct mrl_told *told, const struct mrl_value *value)
{
    return told->field->kind->storage == MRL_STORAGE_ENTITY
               ? mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ROUNDING_NS)
               : value->unsigned_number;
}

static void front_digits(struct mrl_front *front, const char *start, uint64_t number)
{
    char digits[24];
    struct mrl_writer writer = { digits };

    mrl_put_unsigned(&writer, number);
    front_word(front, start, digits, (size_t)(writer.at - digits));
}

static void front_date(struct mrl_front *front,
                       const char *start,
                       struct mrl_date *date,
                       uint64_t ns)
{
    char text[32];
    struct mrl_writer writer = { text };

    mrl_put_rfc3339(&writer, date, ns);
    front_word(front, start, text, (size_t)(writer.at - text));
}

/* There is no unsigned number: what does not fit is text. */
static void front_value(struct mrl_front *front,
                        const char *start,
                        struct attribute *attribute,
                        const struct mrl_value *value)
{
    const enum mrl_storage storage = attribute->told.field->kind->storage;
    uint64_t number;

    if (storage == MRL_STORAGE_TEXT) {
        front_text(front, start, value->text);
        return;
    }
    number = number_of(&attribute->told, value);
    if (attribute->form == MRL_FORM_DATE)
        front_date(front, start, &attribute->date, number);
    else if (attribute->form == MRL_FORM_TRUTH)
        front_number(front, ANY_TRUTH, number != 0);
    else if (attribute->form == MRL_FORM_TEXT || (storage == MRL_STORAGE_UNSIGNED && number >> 63))
        front_digits(front, start, number);
    else
        front_number(front, ANY_NUMBER, number);
}

/* What is not known has a value without content; what there is none of is left out. */
static void front_attribute(struct mrl_front *front,
                            const char *start,
                            struct attribute *attribute,
                            struct mrl_telling *telling)
{
    const char *end = front->at;
    struct mrl_value value;
    enum mrl_known known = mrl_told__value(&attribute->told, telling, &value);

    if (known == MRL_NONE || (known == MRL_KNOWN && attribute->drops_empty && !value.text.size))
        return;
    if (known == MRL_KNOWN)
        front_value(front, start, attribute, &value);
    mrl_front_wrap(front, end, PAIR_VALUE);
    mrl_front_bytes(front, attribute->key.bytes, attribute->key.size);
    mrl_front_wrap(front, end, RECORD_ATTRIBUTE);
}

/* -- a record --------------------------------------------------------------------------------- */

static void front_time(struct mrl_front *front, unsigned int number, uint64_t ns)
{
    if (!ns)
        return;
    mrl_front_bytes(front, (const char *)&ns, sizeof(ns));
    *--front->at = (char)MRL_PB_KEY(number, MRL_PB_FIXED64);
}

static void front_body(struct mrl_front *front, const char *start, struct mrl_telling *telling)
{
    const char *end = front->at;

    front_text(front, start, mrl_sentence__say(telling));
    mrl_front_wrap(front, end, RECORD_BODY);
}

static void front_severity(struct mrl_front *front, const struct mrl_event *event)
{
    const enum mrl_severity severity = mrl_event__severity(event);
    const char *end = front->at, *word = severities[severity].word;

    mrl_front_bytes(front, word, strlen(word));
    mrl_front_wrap(front, end, RECORD_SEVERITY_TEXT);
    front_number(front, RECORD_SEVERITY, severities[severity].number);
}

static void otlp_put(struct mrl_encoder *base,
                     const struct mrl_event *event,
                     struct mrl_writer *writer)
{
    struct otlp_encoder *encoder = (struct otlp_encoder *)base;
    struct plan *plan = &encoder->plans[event->def->index];
    const char *start = encoder->record, *end = start + sizeof(encoder->record);
    struct mrl_front front = { encoder->record + sizeof(encoder->record) };

    encoder->telling.def = event->def;
    encoder->telling.event = event;
    encoder->telling.sentence = &plan->sentence;
    mrl_front_bytes(&front, plan->name.bytes, plan->name.size);
    front_time(&front, RECORD_OBSERVED, event->exit_ns);
    for (unsigned int i = plan->count; i-- > 0;)
        front_attribute(&front, start, &plan->attributes[i], &encoder->telling);
    front_body(&front, start, &encoder->telling);
    front_severity(&front, event);
    front_time(&front, RECORD_TIME, event->entry_ns);
    mrl_put_bytes(writer, front.at, (size_t)(end - front.at));
}

/* -- making one ------------------------------------------------------------------------------- */

static void make_constant(struct constant *constant, unsigned int number, const char *text)
{
    struct mrl_writer writer = { constant->bytes };
    size_t size = strlen(text);

    assert(size < sizeof(constant->bytes) - 4);
    mrl_put_bytes(&writer, text, size);
    mrl_wrap(&writer, constant->bytes, number);
    constant->size = (unsigned char)(writer.at - constant->bytes);
}

static int make_plan(struct plan *plan,
                     const struct mrl_event_def *def,
                     uint32_t extras,
                     struct mrl_spot spots[MRL_PLACES_MAX])
{
    struct mrl_layout layout;
    char name[CONSTANT_BYTES];

    snprintf(name, sizeof(name), "mrelease.%s", def->name);
    make_constant(&plan->name, RECORD_EVENT_NAME, name);
    mrl_layout__make(def, extras, &layout);
    mrl_sentence__make(def, &layout, &plan->sentence);
    plan->count = mrl_mapping__spots(&mapping, def, &layout, 0, spots);
    plan->attributes = calloc(plan->count, sizeof(*plan->attributes));
    for (unsigned int i = 0; plan->attributes && i < plan->count; i++) {
        plan->attributes[i].told = spots[i].told;
        plan->attributes[i].form = spots[i].place.form;
        plan->attributes[i].drops_empty = spots[i].row && spots[i].row->drops_empty;
        make_constant(&plan->attributes[i].key, PAIR_KEY, spots[i].place.path);
    }
    return plan->attributes ? 0 : -ENOMEM;
}

static void otlp_done(struct mrl_encoder *base)
{
    struct otlp_encoder *encoder = (struct otlp_encoder *)base;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        free(encoder->plans[i].attributes);
}

static int otlp_init(struct mrl_encoder *base, const struct mrl_encoder_options *options)
{
    struct otlp_encoder *encoder = (struct otlp_encoder *)base;
    struct mrl_spot *spots = calloc(MRL_PLACES_MAX, sizeof(*spots));
    int err = spots ? 0 : -ENOMEM;

    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++)
        err = make_plan(&encoder->plans[i], mrl_event_def__at(i), options->extras, spots);
    free(spots);
    encoder->telling.say = mrl_sentence__say;
    return err;
}

const struct mrl_encoder_ops mrl_otlp_encoder = {
    .name = "otlp",
    .bytes = sizeof(struct otlp_encoder),
    .init = otlp_init,
    .put = otlp_put,
    .done = otlp_done,
    .mapping = &mapping,
};
