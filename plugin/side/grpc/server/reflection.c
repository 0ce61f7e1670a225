// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/reflection.h"

#include <grpc/reflection/v1/reflection.pb-c.h>
#include <mrelease/event.h>
#include <proto/descriptors.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "encode/protobuf_reader.h"

enum { FILES_MAX = 32, DEPTH_MAX = 4 };

/* -- a walk over the wire --------------------------------------------------------------------- */

/* The next field that has a length; others are stepped over. Returns false at the end. */
static bool next_field(struct mrl_text *rest, struct mrl_protobuf_field *ret_field)
{
    struct mrl_protobuf_reader reader = { rest->bytes, rest->bytes + rest->size };

    while (reader.at < reader.end && mrl_protobuf_reader__next(&reader, ret_field)) {
        *rest = (struct mrl_text){ reader.at, (size_t)(reader.end - reader.at) };
        if (ret_field->wire_type == MRL_PB_BYTES)
            return true;
    }
    return false;
}

static bool is_text(struct mrl_text one, const char *other, size_t size)
{
    return one.size == size && !memcmp(one.bytes, other, size);
}

/* -- files ------------------------------------------------------------------------------------ */

/* Numbers of descriptor.proto. */
enum {
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_DEPENDENCY = 3,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    NAME = 1,
    MESSAGE_FIELD = 2,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    SERVICE_METHOD = 2
};

static struct mrl_text part(struct mrl_text message, unsigned int number)
{
    struct mrl_protobuf_field field;

    while (next_field(&message, &field))
        if (field.number == number)
            return field.content;
    return (struct mrl_text){ "", 0 };
}

static unsigned int all_files(struct mrl_text files[FILES_MAX])
{
    struct mrl_text set = { (const char *)mrl_proto_descriptors,
                            (size_t)(mrl_proto_descriptors_end - mrl_proto_descriptors) };
    unsigned int count = 0;
    struct mrl_protobuf_field field;

    while (count < FILES_MAX && next_field(&set, &field))
        files[count++] = field.content;
    return count;
}

/* Whether a message, enum or service, or something in it, is called `name` (what is left of it). */
static bool holds(struct mrl_text item, const char *name, size_t size, unsigned int depth)
{
    struct mrl_text own = part(item, NAME);
    struct mrl_protobuf_field field;

    if (is_text(own, name, size))
        return true;
    if (depth == DEPTH_MAX || size <= own.size || memcmp(name, own.bytes, own.size) != 0 ||
        name[own.size] != '.')
        return false;
    name += own.size + 1;
    size -= own.size + 1;
    while (next_field(&item, &field))
        if ((field.number == MESSAGE_FIELD || field.number == MESSAGE_NESTED ||
             field.number == MESSAGE_ENUM) &&
            holds(field.content, name, size, depth + 1))
            return true;
    return false;
}

static bool defines(struct mrl_text file, const char *symbol, bool messages_only)
{
    struct mrl_text package = part(file, FILE_PACKAGE);
    size_t size = strlen(symbol);
    struct mrl_protobuf_field field;

    if (size <= package.size || memcmp(symbol, package.bytes, package.size) != 0 ||
        symbol[package.size] != '.')
        return false;
    symbol += package.size + 1;
    size -= package.size + 1;
    while (next_field(&file, &field))
        if ((field.number == FILE_MESSAGE ||
             (!messages_only && (field.number == FILE_ENUM || field.number == FILE_SERVICE))) &&
            holds(field.content, symbol, size, 0))
            return true;
    return false;
}

/* -- answers ---------------------------------------------------------------------------------- */

/* Marks a file and what it imports. */
static void mark(const struct mrl_text *files, unsigned int count, unsigned int index, bool *marked)
{
    struct mrl_text rest = files[index];
    struct mrl_protobuf_field field;

    if (marked[index])
        return;
    marked[index] = true;
    while (next_field(&rest, &field))
        for (unsigned int i = 0; field.number == FILE_DEPENDENCY && i < count; i++) {
            struct mrl_text name = part(files[i], FILE_NAME);

            if (is_text(name, field.content.bytes, field.content.size))
                mark(files, count, i, marked);
        }
}

typedef Grpc__Reflection__V1__ServerReflectionResponse response_t;
typedef Grpc__Reflection__V1__ServerReflectionRequest request_t;

static void answer_error(response_t response, const char *what, struct mrl_reply *reply)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    char message[300];

    snprintf(message, sizeof(message), "not found: %.250s", what);
    error.error_code = GRPC_STATUS_NOT_FOUND;
    error.error_message = message;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response.error_response = &error;
    mrl_reply__pack(reply, &response.base);
}

static void answer_files(response_t response,
                         const char *name,
                         bool by_symbol,
                         struct mrl_reply *reply)
{
    Grpc__Reflection__V1__FileDescriptorResponse found =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    struct mrl_text files[FILES_MAX];
    unsigned int count = all_files(files);
    ProtobufCBinaryData list[FILES_MAX];
    bool marked[FILES_MAX] = { false };

    for (unsigned int i = 0; i < count; i++)
        if (by_symbol ? defines(files[i], name, false)
                      : is_text(part(files[i], FILE_NAME), name, strlen(name))) {
            mark(files, count, i, marked);
            /* The one that was asked for comes first. */
            list[found.n_file_descriptor_proto++] =
                (ProtobufCBinaryData){ files[i].size, (uint8_t *)(uintptr_t)files[i].bytes };
            marked[i] = false;
            break;
        }
    if (!found.n_file_descriptor_proto) {
        answer_error(response, name, reply);
        return;
    }
    for (unsigned int i = 0; i < count; i++)
        if (marked[i])
            list[found.n_file_descriptor_proto++] =
                (ProtobufCBinaryData){ files[i].size, (uint8_t *)(uintptr_t)files[i].bytes };
    found.file_descriptor_proto = list;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response.file_descriptor_response = &found;
    mrl_reply__pack(reply, &response.base);
}

static void answer_services(response_t response, struct mrl_reply *reply)
{
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse services[FILES_MAX], *pointers[FILES_MAX];
    char names[FILES_MAX][128];
    struct mrl_text files[FILES_MAX];
    unsigned int count = all_files(files), found = 0;

    for (unsigned int i = 0; i < count; i++) {
        struct mrl_text package = part(files[i], FILE_PACKAGE), rest = files[i];
        struct mrl_protobuf_field field;

        while (found < FILES_MAX && next_field(&rest, &field)) {
            struct mrl_text name = part(field.content, NAME);

            if (field.number != FILE_SERVICE)
                continue;
            snprintf(names[found], sizeof(names[found]), "%.*s.%.*s", (int)package.size,
                     package.bytes, (int)name.size, name.bytes);
            grpc__reflection__v1__service_response__init(&services[found]);
            services[found].name = names[found];
            pointers[found] = &services[found];
            found++;
        }
    }
    list.service = pointers;
    list.n_service = found;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response.list_services_response = &list;
    mrl_reply__pack(reply, &response.base);
}

/* A message of ours has no extensions, which is a list without numbers. */
static void answer_extensions(response_t response, const char *type, struct mrl_reply *reply)
{
    Grpc__Reflection__V1__ExtensionNumberResponse none =
        GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
    struct mrl_text files[FILES_MAX];
    unsigned int count = all_files(files);
    bool is_known = false;

    for (unsigned int i = 0; i < count; i++)
        is_known |= defines(files[i], type, true);
    if (!is_known) {
        answer_error(response, type, reply);
        return;
    }
    none.base_type_name = (char *)(uintptr_t)type;
    response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    response.all_extension_numbers_response = &none;
    mrl_reply__pack(reply, &response.base);
}

static void answer_request(request_t *request, struct mrl_reply *reply)
{
    response_t response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    response.valid_host = request->host;
    response.original_request = request;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_files(response, request->file_by_filename, false, reply);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_files(response, request->file_containing_symbol, true, reply);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(response, reply);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(response, request->all_extension_numbers_of_type, reply);
        return;
    default:
        answer_error(response, "extensions", reply); /* none of ours has any */
    }
}

void mrl_reflection__answer(const uint8_t *bytes, size_t size, struct mrl_reply *reply)
{
    request_t *request = grpc__reflection__v1__server_reflection_request__unpack(NULL, size, bytes);

    if (!request) {
        mrl_reply__fail(reply, GRPC_STATUS_INVALID_ARGUMENT, "no ServerReflectionRequest");
        return;
    }
    answer_request(request, reply);
    grpc__reflection__v1__server_reflection_request__free_unpacked(request, NULL);
}
