// SPDX-License-Identifier: Apache-2.0
/* Messages as JSON. Their descriptors say what they hold; no event is named. */
#include <google/protobuf/struct.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/event.pb-c.h>

#include "encode/rfc3339.h"
#include "side/grpc/client/received.h"

/* -- values ----------------------------------------------------------------------------------- */

/* Bytes that are not UTF-8 are left out, as Tracee does. */
static json_t *json_text(struct mrl_text text)
{
    char *room = malloc(text.size + 1);
    struct mrl_writer writer = { room };
    json_t *json;

    if (!room)
        return NULL;
    mrl_put_valid_text(&writer, text);
    json = json_stringn_nocheck(room, (size_t)(writer.at - room));
    free(room);
    return json;
}

static json_t *json_of_text(const char *text)
{
    return json_text((struct mrl_text){ text ? text : "", text ? strlen(text) : 0 });
}

/* 64 bits are more than every reader of JSON has. */
static json_t *json_long(bool is_signed, uint64_t number)
{
    char text[24];
    struct mrl_writer writer = { text };

    if (is_signed)
        mrl_put_signed(&writer, (int64_t)number);
    else
        mrl_put_unsigned(&writer, number);
    return json_stringn(text, (size_t)(writer.at - text));
}

static json_t *json_hex(const ProtobufCBinaryData *data)
{
    char *text = malloc(2 * data->len + 1);
    json_t *json;

    if (!text)
        return NULL;
    for (size_t i = 0; i < data->len; i++)
        snprintf(text + 2 * i, 3, "%02x", data->data[i]);
    json = json_stringn(text, 2 * data->len);
    free(text);
    return json;
}

static json_t *json_time(const Google__Protobuf__Timestamp *time)
{
    struct mrl_date date = { 0 };
    char text[64];
    struct mrl_writer writer = { text };

    if (time->seconds < 0 || time->seconds > UINT32_MAX || time->nanos < 0 ||
        time->nanos >= 1000000000)
        return json_null();
    mrl_put_rfc3339(&writer, &date, (uint64_t)time->seconds * 1000000000 + (uint64_t)time->nanos);
    return json_stringn(text, (size_t)(writer.at - text));
}

static json_t *json_enum(const ProtobufCFieldDescriptor *field, int value)
{
    const ProtobufCEnumValue *known =
        protobuf_c_enum_descriptor_get_value(field->descriptor, value);

    /* Tracee's JSON has ids as numbers, whatever their names. */
    return known && strcmp(field->name, "id") != 0 ? json_string(known->name) : json_integer(value);
}

/* -- values, by type -------------------------------------------------------------------------- */

static json_t *put_message(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return mrl_received__json(*(ProtobufCMessage *const *)at);
}

static json_t *put_string(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_of_text(*(char *const *)at);
}

static json_t *put_bytes(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_hex(at);
}

static json_t *put_bool(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_boolean(*(const protobuf_c_boolean *)at);
}

static json_t *put_enum(const ProtobufCFieldDescriptor *field, const void *at)
{
    return json_enum(field, *(const int *)at);
}

static json_t *put_int32(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_integer(*(const int32_t *)at);
}

static json_t *put_uint32(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_integer(*(const uint32_t *)at);
}

static json_t *put_int64(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_long(true, *(const uint64_t *)at);
}

static json_t *put_uint64(const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    return json_long(false, *(const uint64_t *)at);
}

/* JSON has no infinity: null. */
static json_t *put_float(const ProtobufCFieldDescriptor *field, const void *at)
{
    json_t *real = json_real((double)*(const float *)at);

    (void)field;
    return real ? real : json_null();
}

static json_t *put_double(const ProtobufCFieldDescriptor *field, const void *at)
{
    json_t *real = json_real(*(const double *)at);

    (void)field;
    return real ? real : json_null();
}

/* By ProtobufCType: how large a value is in its message, and how it is put. */
static const struct {
    size_t size;
    json_t *(*put)(const ProtobufCFieldDescriptor *field, const void *at);
} types[] = {
    [PROTOBUF_C_TYPE_INT32] = { 4, put_int32 },
    [PROTOBUF_C_TYPE_SINT32] = { 4, put_int32 },
    [PROTOBUF_C_TYPE_SFIXED32] = { 4, put_int32 },
    [PROTOBUF_C_TYPE_INT64] = { 8, put_int64 },
    [PROTOBUF_C_TYPE_SINT64] = { 8, put_int64 },
    [PROTOBUF_C_TYPE_SFIXED64] = { 8, put_int64 },
    [PROTOBUF_C_TYPE_UINT32] = { 4, put_uint32 },
    [PROTOBUF_C_TYPE_FIXED32] = { 4, put_uint32 },
    [PROTOBUF_C_TYPE_UINT64] = { 8, put_uint64 },
    [PROTOBUF_C_TYPE_FIXED64] = { 8, put_uint64 },
    [PROTOBUF_C_TYPE_FLOAT] = { sizeof(float), put_float },
    [PROTOBUF_C_TYPE_DOUBLE] = { sizeof(double), put_double },
    [PROTOBUF_C_TYPE_BOOL] = { sizeof(protobuf_c_boolean), put_bool },
    [PROTOBUF_C_TYPE_ENUM] = { sizeof(int), put_enum },
    [PROTOBUF_C_TYPE_STRING] = { sizeof(char *), put_string },
    [PROTOBUF_C_TYPE_BYTES] = { sizeof(ProtobufCBinaryData), put_bytes },
    [PROTOBUF_C_TYPE_MESSAGE] = { sizeof(ProtobufCMessage *), put_message },
};

/* One value at `at`, of a field without its label. */
static json_t *json_value(const ProtobufCFieldDescriptor *field, const void *at)
{
    return types[field->type].put(field, at);
}

/* Entries of a map are messages of a key and a value. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t size;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE || entry->n_fields != 2)
        return false;
    size = strlen(entry->short_name);
    return size > 5 && !strcmp(entry->short_name + size - 5, "Entry") &&
           !strcmp(entry->fields[0].name, "key") && !strcmp(entry->fields[1].name, "value");
}

static const void *member(const ProtobufCMessage *message, size_t offset)
{
    return (const char *)message + offset;
}

/* -- fields ----------------------------------------------------------------------------------- */

static json_t *json_map(ProtobufCMessage *const *entries, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *fields = entries[i]->descriptor->fields;
        json_t *key = json_of_text(*(char *const *)member(entries[i], fields[0].offset));

        if (key)
            json_object_set_new_nocheck(
                object, json_string_value(key),
                json_value(&fields[1], member(entries[i], fields[1].offset)));
        json_decref(key);
    }
    return object;
}

static json_t *json_repeated(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const size_t count = *(const size_t *)member(message, field->quantifier_offset);
    const char *at = *(char *const *)member(message, field->offset);
    json_t *array;

    if (!count)
        return NULL;
    if (is_map(field))
        return json_map((ProtobufCMessage *const *)(const void *)at, count);
    array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_value(field, at + i * types[field->type].size));
    return array;
}

static bool is_there(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    static const char zeros[8] = "";
    const char *at = member(message, field->offset);

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)member(message, field->quantifier_offset) == field->id;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)(const void *)at;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return **(char *const *)(const void *)at;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)(const void *)at)->len;
    return memcmp(at, zeros, types[field->type].size) != 0;
}

static json_t *json_fields(const ProtobufCMessage *message)
{
    json_t *object = json_object();

    for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        json_t *value = NULL;

        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            value = json_repeated(message, field);
        else if (is_there(message, field))
            value = json_value(field, member(message, field->offset));
        if (value)
            json_object_set_new_nocheck(object, field->name, value);
    }
    return object;
}

/* -- messages with a form of their own -------------------------------------------------------- */

static json_t *json_of_wrapper(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *value = message->descriptor->fields;

    return json_value(value, member(message, value->offset));
}

static json_t *json_of_time(const ProtobufCMessage *message)
{
    return json_time((const Google__Protobuf__Timestamp *)message);
}

static json_t *json_of_struct(const ProtobufCMessage *message)
{
    const Google__Protobuf__Struct *all = (const Google__Protobuf__Struct *)message;

    return json_map((ProtobufCMessage *const *)(const void *)all->fields, all->n_fields);
}

static json_t *json_of_list(const ProtobufCMessage *message)
{
    json_t *array = json_repeated(message, message->descriptor->fields);

    return array ? array : json_array();
}

/* google.protobuf.Value: the member that is set, bare. */
static json_t *json_of_any(const ProtobufCMessage *message)
{
    for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

        if (is_there(message, field) && field->type != PROTOBUF_C_TYPE_ENUM)
            return json_value(field, member(message, field->offset));
    }
    return json_null();
}

static json_t *json_of_argument(const ProtobufCMessage *message)
{
    const Tracee__V1beta1__EventValue *argument = (const Tracee__V1beta1__EventValue *)message;
    json_t *object = json_fields(message);

    if (argument->value_case == TRACEE__V1BETA1__EVENT_VALUE__VALUE__NOT_SET)
        json_object_set_new(object, "value", json_null());
    return object;
}

/* v0.24 sends an empty detected_from with every event. */
static json_t *json_of_event(const ProtobufCMessage *message)
{
    json_t *object = json_fields(message);

    if (!json_object_size(json_object_get(object, "detected_from")))
        json_object_del(object, "detected_from");
    return object;
}

static const struct {
    const char *type;
    json_t *(*json)(const ProtobufCMessage *message);
} forms[] = {
    { "google.protobuf.UInt32Value", json_of_wrapper },
    { "google.protobuf.Timestamp", json_of_time },
    { "google.protobuf.Struct", json_of_struct },
    { "google.protobuf.ListValue", json_of_list },
    { "google.protobuf.Value", json_of_any },
    { "tracee.v1beta1.EventValue", json_of_argument },
    { "tracee.v1beta1.Event", json_of_event },
};

json_t *mrl_received__json(const ProtobufCMessage *message)
{
    if (!message)
        return json_null(); /* an entry of a map without a value */
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (!strcmp(forms[i].type, message->descriptor->name))
            return forms[i].json(message);
    return json_fields(message);
}
