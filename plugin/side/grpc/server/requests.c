// SPDX-License-Identifier: Apache-2.0
/* The methods that answer at once. */
#include "side/grpc/server/requests.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <grpc/health/v1/health.pb-c.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>
#include <tracee/v1beta1/tracee.pb-c.h>
#include <unistd.h>

#include "event/lost.h"
#include "side/grpc/common/program.h"
#include "side/grpc/server/backlog.h"
#include "side/grpc/server/call.h"

enum { FRAMES = 64, FRAME_BYTES = 128, FIELDS_MAX = 64, TAGS_MAX = 8 };

/* Decodes a request. No type of request nests, so that depth needs no bound. Returns NULL, with a
 * status in `reply`, for bytes that are no such message. */
static void *unpack(const ProtobufCMessageDescriptor *type,
                    const uint8_t *bytes,
                    size_t size,
                    struct mrl_reply *reply)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, size, bytes);

    if (!message)
        mrl_reply__fail(reply, GRPC_STATUS_INVALID_ARGUMENT, "the request is no %s", type->name);
    return message;
}

static void free_message(void *message)
{
    protobuf_c_message_free_unpacked(message, NULL);
}

/* -- definitions ------------------------------------------------------------------------------ */

/* A definition with room for all that it points to. */
struct definition {
    Tracee__V1beta1__EventDefinition message;
    Tracee__V1beta1__Version version;
    Tracee__V1beta1__EventField fields[FIELDS_MAX];
    Tracee__V1beta1__EventField *field_list[FIELDS_MAX];
    char *tags[TAGS_MAX];
};

static char *text(const char *of_table)
{
    return (char *)(uintptr_t)of_table; /* which protobuf-c only reads */
}

static void add_field(struct definition *definition, const char *name, const char *type)
{
    Tracee__V1beta1__EventField *field;

    if (definition->message.n_fields == FIELDS_MAX)
        return;
    field = &definition->fields[definition->message.n_fields];
    tracee__v1beta1__event_field__init(field);
    field->name = text(name);
    field->type = text(type);
    definition->field_list[definition->message.n_fields++] = field;
}

/* Tracee's own events are defined as Tracee defines them: without a description, and not in the set
 * `default`, which is ours. */
static void describe(struct definition *definition, const struct mrl_event_def *event)
{
    unsigned int sets =
        event->is_syscall ? event->sets & ~(unsigned int)MRL_SET_DEFAULT : event->sets;

    if (!event->is_syscall)
        definition->message.description = text(event->doc);
    definition->message.tags = definition->tags;
    for (unsigned int bit = 0; mrl_set_name(bit) && bit < TAGS_MAX; bit++)
        if (sets & (1U << bit))
            definition->tags[definition->message.n_tags++] = text(mrl_set_name(bit));
}

static void define(struct definition *definition, const struct mrl_event_def *event, bool is_main)
{
    char *at = text(event->version);

    tracee__v1beta1__event_definition__init(&definition->message);
    tracee__v1beta1__version__init(&definition->version);
    definition->version.major = strtoul(at, &at, 10);
    definition->version.minor = *at ? strtoul(at + 1, &at, 10) : 0;
    definition->version.patch = *at ? strtoul(at + 1, &at, 10) : 0;
    definition->message.id = event->id;
    definition->message.name = text(event->name);
    definition->message.version = &definition->version;
    describe(definition, event);
    definition->message.fields = definition->field_list;
    for (unsigned int i = 0; i < event->field_count; i++)
        add_field(definition, event->fields[i].name, event->fields[i].kind->type_v0_24);
    /* Events carry it in both dialects; only main's definitions name it. */
    if (is_main && *event->syscall)
        add_field(definition, "returnValue", "int64");
}

static void answer_with(const struct mrl_event_def *const *events,
                        size_t count,
                        struct mrl_reply *reply)
{
    Tracee__V1beta1__GetEventDefinitionsResponse response =
        TRACEE__V1BETA1__GET_EVENT_DEFINITIONS_RESPONSE__INIT;
    struct definition *definitions = calloc(count + 1, sizeof(*definitions));
    Tracee__V1beta1__EventDefinition **list =
        calloc(count + 1, sizeof(Tracee__V1beta1__EventDefinition *));
    bool is_main = reply->call && reply->call->server->options.is_main;

    if (definitions && list) {
        for (size_t i = 0; i < count; i++) {
            define(&definitions[i], events[i], is_main);
            list[i] = &definitions[i].message;
        }
        response.definitions = list;
        response.n_definitions = count;
        mrl_reply__pack(reply, &response.base);
    } else {
        mrl_reply__fail(reply, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
    }
    free(definitions);
    free(list);
}

void mrl_answer__definitions(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Tracee__V1beta1__GetEventDefinitionsRequest *request =
        unpack(&tracee__v1beta1__get_event_definitions_request__descriptor, bytes, size, reply);
    const struct mrl_event_def *events[MRL_EVENT_COUNT];
    uint32_t asked = 0;
    struct mrl_error error = { "" };
    size_t count = 0;

    if (!request)
        return;
    if (!request->n_event_names)
        for (; count < mrl_event_def__count(); count++)
            events[count] = mrl_event_def__at((unsigned int)count);
    for (size_t i = 0; i < request->n_event_names && reply->status == GRPC_STATUS_OK; i++) {
        const struct mrl_event_def *event = mrl_event_def__find(request->event_names[i], &error);

        if (!event)
            mrl_reply__fail(reply, GRPC_STATUS_NOT_FOUND, "%s", error.text);
        else if (!(asked & 1U << event->index)) /* each once, however often it is named */
            events[count++] = event;
        asked |= event ? 1U << event->index : 0;
    }
    free_message(request);
    if (reply->status == GRPC_STATUS_OK)
        answer_with(events, count, reply);
}

/* -- EnableEvent, DisableEvent ----------------------------------------------------------------- */

static grpc_status_code status_of(int err)
{
    switch (err) {
    case -EACCES:
        return GRPC_STATUS_PERMISSION_DENIED;
    case -ENODEV:
    case -ESHUTDOWN:
    case -ETIMEDOUT:
        return GRPC_STATUS_UNAVAILABLE;
    case -EOPNOTSUPP:
        return GRPC_STATUS_FAILED_PRECONDITION;
    case -EBUSY:
    case -ENOMEM:
        return GRPC_STATUS_RESOURCE_EXHAUSTED;
    default:
        return GRPC_STATUS_INTERNAL;
    }
}

/* Each of those who may not costs the main process a look: whoever tries again and again is cut. */
static void fail(int err, const struct mrl_error *error, struct mrl_reply *reply)
{
    if (!err)
        return;
    mrl_reply__fail(reply, status_of(err), "%s", error->text);
    if (err == -EACCES)
        mrl_call__blame(reply->call, MRL_REFUSED_POINTS);
}

static void watch(const char *name, bool on, struct mrl_reply *reply)
{
    struct mrl_error error = { "" };
    const struct mrl_event_def *event = mrl_event_def__find(name, &error);
    int connection, err;

    if (!event) {
        mrl_reply__fail(reply, GRPC_STATUS_NOT_FOUND, "%s", error.text);
        return;
    }
    connection = mrl_call__connection(reply->call);
    err = mrl_grpc_program->watch(event->index, on, connection, &error);
    if (connection >= 0)
        close(connection);
    fail(err, &error, reply);
}

/* The request and the answer are the same bytes for both. */
static void switch_event(const uint8_t *bytes, size_t size, bool on, struct mrl_reply *reply)
{
    Tracee__V1beta1__EnableEventRequest *request =
        unpack(&tracee__v1beta1__enable_event_request__descriptor, bytes, size, reply);
    Tracee__V1beta1__EnableEventResponse response = TRACEE__V1BETA1__ENABLE_EVENT_RESPONSE__INIT;

    if (!request)
        return;
    watch(request->name, on, reply);
    free_message(request);
    if (reply->status == GRPC_STATUS_OK)
        mrl_reply__pack(reply, &response.base);
}

void mrl_answer__enable(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    switch_event(bytes, size, true, reply);
}

void mrl_answer__disable(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    switch_event(bytes, size, false, reply);
}

/* The catalogue is empty. A detector asked for by name is the error that Tracee's main gives. */
void mrl_answer__detectors(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Tracee__V1beta1__GetDetectorsCatalogRequest *request =
        unpack(&tracee__v1beta1__get_detectors_catalog_request__descriptor, bytes, size, reply);
    Tracee__V1beta1__GetDetectorsCatalogResponse response =
        TRACEE__V1BETA1__GET_DETECTORS_CATALOG_RESPONSE__INIT;
    struct mrl_error error;

    if (!request)
        return;
    if (request->n_detector_ids)
        mrl_reply__fail(reply, GRPC_STATUS_INVALID_ARGUMENT, "detector_id %.100s not found",
                        request->detector_ids[0]);
    for (size_t i = 0; i < request->n_event_names && reply->status == GRPC_STATUS_OK; i++)
        if (!mrl_event_def__find(request->event_names[i], &error))
            mrl_reply__fail(reply, GRPC_STATUS_INVALID_ARGUMENT, "%s", error.text);
    free_message(request);
    if (reply->status == GRPC_STATUS_OK)
        mrl_reply__pack(reply, &response.base);
}

void mrl_answer__version(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Tracee__V1beta1__GetVersionResponse response = TRACEE__V1BETA1__GET_VERSION_RESPONSE__INIT;

    (void)bytes;
    (void)size;
    response.version = text(mrl_version());
    mrl_reply__pack(reply, &response.base);
}

/* -- diagnostics ------------------------------------------------------------------------------ */

void mrl_answer__log_level(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    static const enum mrl_log_level levels[] = { MRL_LOG_DEBUG, MRL_LOG_INFO,  MRL_LOG_WARNING,
                                                 MRL_LOG_ERROR, MRL_LOG_ERROR, MRL_LOG_ERROR,
                                                 MRL_LOG_ERROR };
    Tracee__V1beta1__ChangeLogLevelRequest *request =
        unpack(&tracee__v1beta1__change_log_level_request__descriptor, bytes, size, reply);
    enum mrl_log_level level = MRL_LOG_INFO;
    struct mrl_error error = { "" };
    int connection, err;

    if (!request)
        return;
    if (request->level >= 0 && (size_t)request->level < sizeof(levels) / sizeof(levels[0]))
        level = levels[request->level];
    connection = mrl_call__connection(reply->call);
    err = mrl_grpc_program->set_log_level(level, connection, &error);
    if (connection >= 0)
        close(connection);
    fail(err, &error, reply);
    free_message(request);
}

/* "FUNCTION+0x1d", or "OBJECT+0x1d4" where no function has a name. Never an address, which would
 * tell a client where this process has its code. Returns what snprintf() does. */
static int name_frame(const void *frame, char line[FRAME_BYTES])
{
    const char *slash, *name = "?";
    ptrdiff_t offset = 0;
    Dl_info info = { 0 };

    if (dladdr(frame, &info) && info.dli_sname) {
        name = info.dli_sname;
        offset = (const char *)frame - (const char *)info.dli_saddr;
    } else if (info.dli_fname) {
        slash = strrchr(info.dli_fname, '/');
        name = slash ? slash + 1 : info.dli_fname;
        offset = (const char *)frame - (const char *)info.dli_fbase;
    }
    return snprintf(line, FRAME_BYTES, "%.96s+%#tx\n", name, offset);
}

/* Of the thread that answers: there are no goroutines here. */
void mrl_answer__stacktrace(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    Tracee__V1beta1__GetStacktraceResponse response =
        TRACEE__V1BETA1__GET_STACKTRACE_RESPONSE__INIT;
    void *frames[FRAMES];
    char trace[FRAMES * FRAME_BYTES];
    size_t used = 0;
    int count = backtrace(frames, FRAMES);

    (void)bytes;
    (void)size;
    for (int i = 0; i < count; i++)
        used += (size_t)name_frame(frames[i], trace + used);
    response.stacktrace.data = (uint8_t *)trace;
    response.stacktrace.len = used;
    mrl_reply__pack(reply, &response.base);
}

/* -- health ----------------------------------------------------------------------------------- */

/* Of the server as a whole, or of a service that it has. */
void mrl_answer__health(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    static const char *const services[] = { "", "tracee.v1beta1.TraceeService",
                                            "tracee.v1beta1.DiagnosticService",
                                            "mrelease.v1.MetricsService" };
    Grpc__Health__V1__HealthCheckRequest *request =
        unpack(&grpc__health__v1__health_check_request__descriptor, bytes, size, reply);
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    bool known = false;

    if (!request)
        return;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        known |= !strcmp(request->service, services[i]);
    response.status = atomic_load(&mrl_grpc_ready)
                          ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    if (known)
        mrl_reply__pack(reply, &response.base);
    else
        mrl_reply__fail(reply, GRPC_STATUS_NOT_FOUND, "unknown service '%.100s'", request->service);
    free_message(request);
}
