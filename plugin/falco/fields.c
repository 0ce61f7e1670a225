// SPDX-License-Identifier: Apache-2.0
/* The fields that rules can name. */
#include "falco/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <mrelease/encode.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/entity.h"
#include "falco/json.h"

/* As the v0.24 dialect rounds. */
enum { ENTITY_ROUNDING_NS = 100 * 1000 * 1000 };
enum { FIELDS_MAX = 128, ROOM_OF_A_NUMBER = 32 };

#define PREFIX "mrelease."

/* -- answers ---------------------------------------------------------------------------------- */

void mrl_answer__text(struct mrl_answer *answer, const char *bytes, size_t size)
{
    char *to = answer->room + answer->used;

    if (answer->text_count == MRL_ANSWER_LIST || size >= sizeof(answer->room) - answer->used)
        return;
    memcpy(to, bytes, size);
    to[size] = '\0';
    answer->used += size + 1;
    answer->texts[answer->text_count++] = to;
}

static void say(struct mrl_answer *answer, struct mrl_text text)
{
    if (text.size)
        mrl_answer__text(answer, text.bytes, text.size);
}

static void say_number(struct mrl_answer *answer, uint64_t number)
{
    if (answer->number_count < MRL_ANSWER_LIST)
        answer->numbers[answer->number_count++] = number;
}

static void say_truth(struct mrl_answer *answer, bool truth)
{
    if (answer->truth_count < MRL_ANSWER_LIST)
        answer->truths[answer->truth_count++] = truth;
}

static void say_signed(struct mrl_answer *answer, int64_t number)
{
    char text[ROOM_OF_A_NUMBER];
    int size = snprintf(text, sizeof(text), "%" PRId64, number);

    mrl_answer__text(answer, text, (size_t)size);
}

/* -- values of the event table ---------------------------------------------------------------- */

static uint64_t number_of(const struct mrl_kind *kind, const struct mrl_value *value)
{
    if (kind->storage == MRL_STORAGE_ENTITY)
        return mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ENTITY_ROUNDING_NS);
    return kind->storage == MRL_STORAGE_SIGNED && kind->bits == 32 ? (uint32_t)value->number
                                                                   : value->unsigned_number;
}

static void say_value_as_text(struct mrl_answer *answer,
                              const struct mrl_kind *kind,
                              const struct mrl_value *value)
{
    char text[ROOM_OF_A_NUMBER];
    int size;

    if (kind->storage == MRL_STORAGE_TEXT) {
        mrl_answer__text(answer, value->text.bytes, value->text.size);
    } else if (kind->storage == MRL_STORAGE_SIGNED) {
        say_signed(answer, value->number);
    } else {
        size = snprintf(text, sizeof(text), "%" PRIu64, number_of(kind, value));
        mrl_answer__text(answer, text, (size_t)size);
    }
}

/* A field of an event by its name. */
struct place {
    const struct mrl_field *field;
    const struct mrl_extra *extra; /* NULL: an argument of the event itself */
    unsigned int index;
};

static bool place_among(const struct mrl_field *fields,
                        unsigned int count,
                        const char *name,
                        struct place *ret_place)
{
    for (unsigned int i = 0; i < count; i++)
        if (!strcmp(fields[i].name, name)) {
            ret_place->field = &fields[i];
            ret_place->index = i;
            return true;
        }
    return false;
}

static bool find_place(const struct mrl_event_def *def, const char *name, struct place *ret_place)
{
    unsigned int count;
    const struct mrl_extra *extras = mrl_extra__all(&count);

    *ret_place = (struct place){ 0 };
    if (place_among(def->fields, def->field_count, name, ret_place))
        return true;
    for (unsigned int i = 0; i < count; i++) {
        ret_place->extra = &extras[i];
        if (mrl_extra__fits(&extras[i], def) &&
            place_among(extras[i].fields, extras[i].field_count, name, ret_place))
            return true;
    }
    return false;
}

/* Returns false for a value that is absent. */
static bool value_at(const struct mrl_event *event,
                     const struct place *place,
                     struct mrl_value *ret_value)
{
    struct mrl_value values[MRL_EXTRA_FIELDS_MAX];

    if (!place->extra) {
        *ret_value = event->values[place->index];
    } else {
        memset(values, 0, sizeof(values));
        place->extra->compute(event, values);
        *ret_value = values[place->index];
    }
    return !ret_value->absent;
}

/* -- rows about the call ---------------------------------------------------------------------- */

static void find_event(const struct mrl_question *question, struct mrl_answer *answer)
{
    mrl_answer__text(answer, question->event->def->name, strlen(question->event->def->name));
}

static bool is_call(const struct mrl_event *event)
{
    return event->raw != NULL;
}

static void find_retval(const struct mrl_question *question, struct mrl_answer *answer)
{
    if (is_call(question->event))
        say_signed(answer, question->event->return_value);
}

static void find_failed(const struct mrl_question *question, struct mrl_answer *answer)
{
    if (is_call(question->event))
        say_truth(answer, question->event->return_value < 0);
}

static void find_errno(const struct mrl_question *question, struct mrl_answer *answer)
{
    int64_t value = question->event->return_value;
    const char *name;

    if (!is_call(question->event) || value >= 0 || value < -4095)
        return;
    name = strerrorname_np((int)-value);
    if (name)
        mrl_answer__text(answer, name, strlen(name));
    else
        say_signed(answer, -value);
}

static void find_compat(const struct mrl_question *question, struct mrl_answer *answer)
{
    if (is_call(question->event))
        say_truth(answer, question->event->flags & MRL_EVENT_IS_COMPAT);
}

static void find_failures(const struct mrl_question *question, struct mrl_answer *answer)
{
    if (is_call(question->event))
        say_number(answer, question->failures);
}

#define TEXT_OF_CALLER(function, member)                                                 \
    static void function(const struct mrl_question *question, struct mrl_answer *answer) \
    {                                                                                    \
        say(answer, question->event->member);                                            \
    }

#define NUMBER_OF_CALLER(function, member)                                               \
    static void function(const struct mrl_question *question, struct mrl_answer *answer) \
    {                                                                                    \
        if (is_call(question->event))                                                    \
            say_number(answer, question->event->member);                                 \
    }

TEXT_OF_CALLER(find_name, process_name)
TEXT_OF_CALLER(find_exe, executable)
TEXT_OF_CALLER(find_container, container_id)
TEXT_OF_CALLER(find_host_name, host_name)
NUMBER_OF_CALLER(find_pid, host_process_id)
NUMBER_OF_CALLER(find_tid, host_thread_id)
NUMBER_OF_CALLER(find_ppid, host_parent_process_id)
NUMBER_OF_CALLER(find_vpid, process_id)
NUMBER_OF_CALLER(find_vtid, thread_id)
NUMBER_OF_CALLER(find_uid, user_id)
NUMBER_OF_CALLER(find_cgroup, cgroup_id)
NUMBER_OF_CALLER(find_start_time, process_start_ns)
NUMBER_OF_CALLER(find_pid_namespace, pid_namespace)
NUMBER_OF_CALLER(find_mount_namespace, mount_namespace)

static void find_argument(const struct mrl_question *question, struct mrl_answer *answer)
{
    struct mrl_value value;
    struct place place;

    if (question->key && find_place(question->event->def, question->key, &place) &&
        value_at(question->event, &place, &value))
        say_value_as_text(answer, place.field->kind, &value);
}

static void find_arguments(const struct mrl_question *question, struct mrl_answer *answer)
{
    const struct mrl_event_def *def = question->event->def;

    for (unsigned int i = 0; i < def->field_count; i++) {
        struct mrl_question one = *question;
        char *equals = answer->room + answer->used;
        size_t size = strlen(def->fields[i].name) + 1;
        unsigned int count = answer->text_count;

        if (size >= sizeof(answer->room) - answer->used)
            return;
        memcpy(equals, def->fields[i].name, size);
        equals[size - 1] = '=';
        answer->used += size;
        one.key = def->fields[i].name;
        find_argument(&one, answer);
        if (answer->text_count > count)
            answer->texts[count] = equals;
        else
            answer->used -= size;
    }
}

static void find_json(const struct mrl_question *question, struct mrl_answer *answer)
{
    char line[MRL_EVENT_TEXT_MAX];
    ssize_t size = mrl_encoder__put(question->json, question->event, line, sizeof(line));
    struct mrl_text text;
    ssize_t plain;

    if (size <= 0 || !question->key)
        return;
    text = mrl_json__find((struct mrl_text){ line, (size_t)size }, question->key);
    if (!text.size || !strncmp(text.bytes, "null", strlen("null")))
        return;
    if (*text.bytes != '"') {
        mrl_answer__text(answer, text.bytes, text.size);
        return;
    }
    if (text.size >= sizeof(answer->room) - answer->used || answer->text_count == MRL_ANSWER_LIST)
        return;
    plain = mrl_json__unquote(text, answer->room + answer->used);
    if (plain < 0)
        return;
    answer->texts[answer->text_count++] = answer->room + answer->used;
    answer->used += (size_t)plain + 1;
}

/* -- the table -------------------------------------------------------------------------------- */

static const struct mrl_falco_field about_the_call[] = {
    { PREFIX "event", FALCO_STRING, false, false, "Name of the event: process_mrelease, mlock, …",
      find_event, NULL },
    { PREFIX "retval", FALCO_STRING, false, false,
      "Return value as text: 0, or minus the error number.", find_retval, NULL },
    { PREFIX "failed", FALCO_BOOL, false, false, "The call returned an error.", find_failed, NULL },
    { PREFIX "errno", FALCO_STRING, false, false,
      "Name of the error that the call returned, as EBADF; absent for success.", find_errno, NULL },
    { PREFIX "compat", FALCO_BOOL, false, false, "The call came through the 32-bit entry.",
      find_compat, NULL },
    { PREFIX "caller.name", FALCO_STRING, false, false, "Name (comm) of the calling thread.",
      find_name, NULL },
    { PREFIX "caller.exe", FALCO_STRING, false, false,
      "Path of the caller's executable, in its mount namespace.", find_exe, NULL },
    { PREFIX "caller.pid", FALCO_UINT64, false, false, "Process id of the caller, on the host.",
      find_pid, NULL },
    { PREFIX "caller.tid", FALCO_UINT64, false, false, "Thread id of the caller, on the host.",
      find_tid, NULL },
    { PREFIX "caller.ppid", FALCO_UINT64, false, false, "Its parent's process id, on the host.",
      find_ppid, NULL },
    { PREFIX "caller.vpid", FALCO_UINT64, false, false,
      "Process id of the caller, in its PID namespace.", find_vpid, NULL },
    { PREFIX "caller.vtid", FALCO_UINT64, false, false,
      "Thread id of the caller, in its PID namespace.", find_vtid, NULL },
    { PREFIX "caller.uid", FALCO_UINT64, false, false, "Real user id of the caller, on the host.",
      find_uid, NULL },
    { PREFIX "caller.container", FALCO_STRING, false, false,
      "Container of the caller; absent on the host.", find_container, NULL },
    { PREFIX "caller.cgroup", FALCO_UINT64, false, false, "Id of the caller's cgroup.", find_cgroup,
      NULL },
    { PREFIX "caller.start_time", FALCO_ABSTIME, false, false, "When the caller's process started.",
      find_start_time, NULL },
    { PREFIX "caller.pidns", FALCO_UINT64, false, false, "The caller's PID namespace.",
      find_pid_namespace, NULL },
    { PREFIX "caller.mntns", FALCO_UINT64, false, false, "The caller's mount namespace.",
      find_mount_namespace, NULL },
    { PREFIX "caller.hostname", FALCO_STRING, false, false, "The host name that the caller sees.",
      find_host_name, NULL },
    { PREFIX "caller.failures", FALCO_UINT64, false, false,
      "How many such calls of the caller's process failed within a second, this one included; 0: this one did not.",
      find_failures, NULL },
    { PREFIX "args", FALCO_STRING, true, false, "The arguments of the event, each as name=value.",
      find_arguments, NULL },
    { PREFIX "arg", FALCO_STRING, false, true,
      "Any argument or extra by its name, as text: mrelease.arg[len].", find_argument, NULL },
    { PREFIX "json", FALCO_STRING, false, true,
      "What a JSON pointer names in the event's json-v0.24 line: mrelease.json[/processorId].",
      find_json, NULL },
};

enum { ABOUT_THE_CALL = sizeof(about_the_call) / sizeof(about_the_call[0]) };

static struct mrl_falco_field fields[FIELDS_MAX];
static unsigned int field_count;

/* Where each field is in each event; found once, because it takes longer than all else. */
static struct place places[FIELDS_MAX][MRL_EVENT_COUNT];
static pthread_once_t fields_once = PTHREAD_ONCE_INIT;

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t end_size = strlen(end);

    return size > end_size && !memcmp(text + size - end_size, end, end_size);
}

/* "target_cgroup_id" of a call is "target.cgroup", "count" of a gap is "lost.count". */
static void name_field(const struct mrl_event_def *def, const char *name, char ret_name[64])
{
    static const char target[] = "target_";
    bool is_target = !strncmp(name, target, sizeof(target) - 1);
    const char *rest = is_target ? name + sizeof(target) - 1 : name;
    size_t size = strlen(rest);

    if (is_target && ends_with(rest, size, "_id"))
        size -= strlen("_id");
    snprintf(ret_name, 64, PREFIX "%s%.*s",
             is_target                    ? "target."
             : def->lane == MRL_LANE_NONE ? "lost."
                                          : "",
             (int)size, rest);
}

/* Process ids are signed in Tracee's schema, and never negative. */
static enum falco_type type_of(const struct mrl_field *field)
{
    static const struct {
        const char *name;
        enum falco_type type;
    } types[] = {
        { "uint64", FALCO_UINT64 },
        { "string", FALCO_STRING },
        { "abstime", FALCO_ABSTIME },
        { "reltime", FALCO_RELTIME },
    };

    if (ends_with(field->name, strlen(field->name), "_pid"))
        return FALCO_UINT64;
    for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(types[i].name, field->kind->falco))
            return types[i].type;
    return FALCO_STRING;
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
    row->field = field->name;
    field_count++;
}

/* A gap has fields of its own, and none of a call's; and the other way round. */
static void find_row_place(const struct mrl_falco_field *row,
                           const struct mrl_event_def *def,
                           struct place *ret_place)
{
    static const char lost[] = PREFIX "lost.";

    if (!strncmp(row->name, lost, sizeof(lost) - 1) != (def->lane == MRL_LANE_NONE) ||
        !find_place(def, row->field, ret_place))
        *ret_place = (struct place){ 0 };
}

static void make_fields(void)
{
    unsigned int extra_count;
    const struct mrl_extra *extras = mrl_extra__all(&extra_count);

    memcpy(fields, about_the_call, sizeof(about_the_call));
    field_count = ABOUT_THE_CALL;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__at(i)->field_count; j++)
            add_field(mrl_event_def__at(i), &mrl_event_def__at(i)->fields[j]);
    for (unsigned int i = 0; i < extra_count; i++)
        for (unsigned int j = 0; j < extras[i].field_count; j++)
            add_field(mrl_event_def__at(0), &extras[i].fields[j]);
    for (unsigned int i = ABOUT_THE_CALL; i < field_count; i++)
        for (unsigned int j = 0; j < MRL_EVENT_COUNT; j++)
            find_row_place(&fields[i], mrl_event_def__at(j), &places[i][j]);
}

const struct mrl_falco_field *mrl_falco_fields__all(unsigned int *ret_count)
{
    pthread_once(&fields_once, make_fields);
    *ret_count = field_count;
    return fields;
}

void mrl_falco_field__answer(const struct mrl_falco_field *field,
                             const struct mrl_question *question,
                             struct mrl_answer *answer)
{
    const struct place *place;
    struct mrl_value value;

    if (field->find) {
        field->find(question, answer);
        return;
    }
    place = &places[field - fields][question->event->def->index];
    if (!place->field || !value_at(question->event, place, &value))
        return;
    if (field->type == FALCO_STRING)
        say_value_as_text(answer, place->field->kind, &value);
    else if (place->field->kind->storage != MRL_STORAGE_TEXT)
        say_number(answer, number_of(place->field->kind, &value));
}

/* -- what get_fields() says ------------------------------------------------------------------- */

static const char *type_name(enum falco_type type)
{
    switch (type) {
    case FALCO_UINT64:
        return "uint64";
    case FALCO_RELTIME:
        return "reltime";
    case FALCO_ABSTIME:
        return "abstime";
    case FALCO_BOOL:
        return "bool";
    case FALCO_STRING:
        break;
    }
    return "string";
}

/* No text of the tables needs an escape but for quotes. */
static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_field(FILE *out, const struct mrl_falco_field *field)
{
    fprintf(out, "{\"type\":\"%s\",\"name\":\"%s\",\"desc\":", type_name(field->type), field->name);
    print_text(out, field->doc);
    if (field->is_list)
        fputs(",\"isList\":true", out);
    if (field->takes_key)
        fputs(",\"arg\":{\"isRequired\":true,\"isKey\":true}", out);
    fputc('}', out);
}

static char fields_json[32 * 1024];
static pthread_once_t json_once = PTHREAD_ONCE_INIT;

static void make_json(void)
{
    unsigned int count;
    const struct mrl_falco_field *all = mrl_falco_fields__all(&count);
    FILE *out = fmemopen(fields_json, sizeof(fields_json), "w");

    for (unsigned int i = 0; out && i < count; i++) {
        fputs(i ? "," : "[", out);
        print_field(out, &all[i]);
    }
    if (!out)
        return;
    fputc(']', out);
    if (fclose(out))
        *fields_json = '\0';
}

const char *mrl_falco_fields__json(void)
{
    pthread_once(&json_once, make_json);
    return *fields_json ? fields_json : NULL;
}
