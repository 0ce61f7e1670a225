// SPDX-License-Identifier: Apache-2.0
/* Events as Tracee's gRPC API sends them: bytes that protoc made, and whatever protobuf-c packs. */
#include <mrelease/extra.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "abi/record.h"
#include "event/named.h"
#include "event/policies.h"
#include "unit/lines.h"
#include "unit/messages.h"
#include "unit/records.h"
#include "unit/unit.h"

static char buffer[MRL_EVENT_TEXT_MAX];

static struct mrl_text put(const struct test_event *event, enum mrl_grpc_dialect dialect)
{
    struct mrl_protobuf *encoder = test_protobuf(dialect, 0);
    struct mrl_text message = mrl_protobuf__put(encoder, &event->event, buffer);

    mrl_protobuf__free(encoder);
    return message;
}

static char *hex_of(struct mrl_text bytes)
{
    char *hex = malloc(2 * bytes.size + 1);

    assert_non_null(hex);
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes.bytes[i]);
    return hex;
}

static void assert_hex(struct mrl_text bytes, const char *wanted)
{
    char *hex = hex_of(bytes);

    assert_string_equal(hex, wanted);
    free(hex);
}

/* -- bytes made by protoc --------------------------------------------------------------------- */

/* An Event, from its time to its data. The message around it has tag 0a and two bytes of length. */
#define EXAMPLE                                                                                    \
    "0a0c08b9c0f1c80610b1d1f9d60310e8021a1070726f636573735f6d72656c6561736522020a002a630a61120608" \
    "8cd1f59f081a0308922122030892212a020a0032370a0b08c0bff1c80610959aef3a12046f6f6d641a06088cd1f5" \
    "9f0822030892212a03089221321070726f636573735f6d72656c656173653a10120608ecb2d2a70f1a0208012202" \
    "080132090a057069646664100532090a05666c6167732000320f0a0b72657475726e56616c75651800"

static void protobuf_of_v0_24_is_what_protoc_encodes(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.values[0].number = 5;
    assert_int_equal(put(&event, MRL_GRPC_V0_24).size, 184);
    assert_hex(put(&event, MRL_GRPC_V0_24), "0ab501" EXAMPLE "4200");
}

static void protobuf_of_main_is_what_protoc_encodes(void **state)
{
    struct test_event event;

    (void)state;
    test_event__init(&event, "process_mrelease");
    event.values[0].number = 5;
    assert_int_equal(put(&event, MRL_GRPC_MAIN).size, 182);
    assert_hex(put(&event, MRL_GRPC_MAIN), "0ab301" EXAMPLE);
}

#define LEN_AND_RETURN "32080a036c656e28802032180a0b72657475726e56616c756518f4ffffffffffffffff01"

static void protobuf_of_a_pointer_differs_between_the_dialects(void **state)
{
    static const struct {
        enum mrl_grpc_dialect dialect;
        const char *end;
    } cases[] = {
        { MRL_GRPC_V0_24, "320e0a0461646472288080e2f0abf11f" LEN_AND_RETURN "4200" },
        { MRL_GRPC_MAIN, "320f0a0461646472f8018080e2f0abf11f" LEN_AND_RETURN },
    };
    struct test_event event;

    (void)state;
    test_event__init(&event, "mlock");
    event.values[0].unsigned_number = 140233871491072;
    event.values[1].unsigned_number = 4096;
    event.event.return_value = -12;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_text message = put(&event, cases[i].dialect);
        size_t size = strlen(cases[i].end) / 2;

        assert_in_range(message.size, size, MRL_EVENT_TEXT_MAX);
        assert_hex((struct mrl_text){ message.bytes + message.size - size, size }, cases[i].end);
    }
}

/* What the .proto files say of definitions, against bytes of Tracee's. */
static void definitions_pack_to_what_tracee_sends(void **state)
{
    Tracee__V1beta1__GetEventDefinitionsResponse response =
        TRACEE__V1BETA1__GET_EVENT_DEFINITIONS_RESPONSE__INIT;
    Tracee__V1beta1__EventDefinition definition = TRACEE__V1BETA1__EVENT_DEFINITION__INIT,
                                     *definitions = &definition;
    Tracee__V1beta1__Version version = TRACEE__V1BETA1__VERSION__INIT;
    Tracee__V1beta1__EventField field[2] = { TRACEE__V1BETA1__EVENT_FIELD__INIT,
                                             TRACEE__V1BETA1__EVENT_FIELD__INIT },
                                *fields[] = { &field[0], &field[1] };
    char name[] = "process_mrelease", tag[] = "syscalls", *tags[] = { tag };
    char pidfd[] = "pidfd", flags[] = "flags", int32[] = "int32", uint32[] = "uint32";

    (void)state;
    response.n_definitions = 1;
    response.definitions = &definitions;
    version.major = 1;
    field[0].name = pidfd;
    field[0].type = int32;
    field[1].name = flags;
    field[1].type = uint32;
    definition.id = 448;
    definition.name = name;
    definition.version = &version;
    definition.n_tags = 1;
    definition.tags = tags;
    definition.n_fields = 2;
    definition.fields = fields;
    assert_hex((struct mrl_text){ buffer, tracee__v1beta1__get_event_definitions_response__pack(
                                              &response, (uint8_t *)buffer) },
               "0a4408c003121070726f636573735f6d72656c656173651a0208012a0873797363616c6c73"
               "320e0a0570696466641205696e743332320f0a05666c616773120675696e743332");
}

/* -- what protobuf-c packs -------------------------------------------------------------------- */

enum { RANDOM_EVENTS = 12000 };

static uint64_t random_state;

/* splitmix64, from the same seed each time: what fails, fails again. */
static uint64_t random_number(void)
{
    uint64_t number = random_state += UINT64_C(0x9e3779b97f4a7c15);

    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

/* Of any length in bits: 0 too. */
static uint64_t random_bits(unsigned int bits)
{
    unsigned int length = (unsigned int)(random_number() % (bits + 1));

    return length ? random_number() >> (64 - length) : 0;
}

static struct mrl_text random_text(char *room, size_t most)
{
    static const char *const characters[] = {
        "a", "/", "\xc3\xa9", "\xe2\x82\xac", "\xef\xbf\xbd", "\xf0\x9f\x90\xa7", "\x7f"
    };
    static const char *const bad[] = { "\xff",         "\xe2\x82", "\xc0\xaf",
                                       "\xed\xa0\x80", "\x80",     "\xf4\x90\x80\x80" };
    size_t size = 0, wanted = random_number() % (most + 1);
    bool with_bad = random_number() % 3 == 0;

    while (size < wanted) {
        const char *piece = with_bad && random_number() % 4 == 0
                                ? bad[random_number() % COUNT_OF(bad)]
                                : characters[random_number() % COUNT_OF(characters)];
        size_t length = strlen(piece);

        if (size + length > most)
            break;
        memcpy(room + size, piece, length);
        size += length;
    }
    return (struct mrl_text){ room, size };
}

static void random_value(const struct mrl_kind *kind, struct mrl_value *value, char *room)
{
    if (kind->storage == MRL_STORAGE_TEXT)
        value->text = random_text(room, 64);
    else if (kind->storage == MRL_STORAGE_ENTITY)
        value->entity = (struct mrl_entity){ (uint32_t)random_bits(32), random_bits(61) };
    else if (kind->storage == MRL_STORAGE_SIGNED)
        value->number = kind->bits == 32 ? (int32_t)random_bits(32) : (int64_t)random_bits(64);
    else
        value->unsigned_number = random_bits(kind->bits);
    value->absent = random_number() % 8 == 0;
}

struct random_event {
    struct test_event event;
    char texts[TEST_FIELDS_MAX + 3 + MRL_NAMES][MRL_EXE_BYTES];
};

static void random_event(struct random_event *random, const char *name)
{
    struct mrl_event *event = &random->event.event;

    test_event__init(&random->event, name);
    event->entry_ns = random_bits(61);
    event->return_value = (int64_t)random_bits(64);
    event->thread_start_ns = random_bits(61);
    event->process_start_ns = random_bits(61);
    event->parent_start_ns = random_bits(61);
    event->thread_id = (uint32_t)random_bits(32);
    event->process_id = (uint32_t)random_bits(32);
    event->parent_process_id = (uint32_t)random_bits(32);
    event->host_thread_id = (uint32_t)random_bits(32);
    event->host_process_id = (uint32_t)random_bits(32);
    event->host_parent_process_id = (uint32_t)random_bits(32);
    event->user_id = (uint32_t)random_bits(32);
    event->flags = (uint32_t)(random_number() % 4);
    event->container_starting = (uint32_t)(random_number() % 2);
    event->seq = random_bits(64);
    event->process_name = random_text(random->texts[TEST_FIELDS_MAX], MRL_NAME_BYTES);
    event->executable = random_text(random->texts[TEST_FIELDS_MAX + 1], MRL_EXE_BYTES);
    event->container_id = random_text(random->texts[TEST_FIELDS_MAX + 2], 64);
    event->names_result = random_number() % 2 ? MRL_NAMES_KNOWN : MRL_NAMES_PENDING;
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        *(struct mrl_text *)mrl_event__name(event, i) =
            random_text(random->texts[TEST_FIELDS_MAX + 3 + i],
                        random_number() % 3 ? MRL_NAMES_BYTES_MAX / MRL_NAMES : 0);
    for (unsigned int i = 0; i < event->def->field_count; i++)
        random_value(event->def->fields[i].kind, &random->event.values[i], random->texts[i]);
}

static void check_events(enum mrl_grpc_dialect dialect, uint32_t extras)
{
    struct mrl_protobuf *encoder = test_protobuf(dialect, extras);
    static struct random_event random;

    random_state = extras + dialect;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;

        test_event__init(&event, mrl_event_def__at(i)->name);
        assert_same_message(encoder, &event.event, dialect, extras);
    }
    for (unsigned int i = 0; i < RANDOM_EVENTS; i++) {
        random_event(&random, mrl_event_def__at(i % mrl_event_def__count())->name);
        assert_same_message(encoder, &random.event.event, dialect, extras);
        random.event.event.flags ^= MRL_EVENT_IS_COMPAT; /* the same task once more */
        assert_same_message(encoder, &random.event.event, dialect, extras);
    }
    mrl_protobuf__free(encoder);
}

static void protobuf_is_what_protobuf_c_packs(void **state)
{
    (void)state;
    check_events(MRL_GRPC_V0_24, 0);
    check_events(MRL_GRPC_MAIN, 0);
}

static void protobuf_with_extras_is_what_protobuf_c_packs(void **state)
{
    (void)state;
    check_events(MRL_GRPC_V0_24, UINT32_MAX);
    check_events(MRL_GRPC_MAIN, UINT32_MAX);
}

static void protobuf_of_the_worst_event_fits_its_room(void **state)
{
    static const enum mrl_grpc_dialect dialects[] = { MRL_GRPC_V0_24, MRL_GRPC_MAIN };

    (void)state;
    for (size_t d = 0; d < COUNT_OF(dialects); d++) {
        struct mrl_protobuf *encoder = test_protobuf(dialects[d], UINT32_MAX);

        for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
            struct test_event event;

            test_event__init_worst(&event, mrl_event_def__at(i)->name);
            assert_in_range(mrl_protobuf__put(encoder, &event.event, buffer).size, 1,
                            MRL_EVENT_TEXT_MAX);
        }
        mrl_protobuf__free(encoder);
    }
}

/* -- what clients count on -------------------------------------------------------------------- */

/* Tracee's client looks into these unchecked. */
static void protobuf_always_has_policies_and_a_pid(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct test_event event;
        struct mrl_text message;
        Tracee__V1beta1__StreamEventsResponse *response;

        test_event__init(&event, mrl_event_def__at(i)->name);
        event.event.process_id = 0;
        event.event.process_name = test_text("");
        message = put(&event, i % 2 ? MRL_GRPC_MAIN : MRL_GRPC_V0_24);
        response = tracee__v1beta1__stream_events_response__unpack(NULL, message.size,
                                                                   (const uint8_t *)message.bytes);
        assert_non_null(response);
        assert_non_null(response->event->policies);
        assert_non_null(response->event->workload->process->pid);
        tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
    }
}

static void protobuf_names_the_policies_in_their_order(void **state)
{
    static const enum mrl_grpc_dialect dialects[] = { MRL_GRPC_V0_24, MRL_GRPC_MAIN };
    struct mrl_policies *policies = mrl_policies__new();
    struct test_event event;

    (void)state;
    assert_int_equal(mrl_policies__add(policies, "first", NULL), 0);
    assert_int_equal(mrl_policies__add(policies, "second", NULL), 0);
    assert_int_equal(mrl_policies__add(policies, "third", NULL), 0);
    test_event__init(&event, "mlock");
    event.event.all_policies = policies;
    for (event.event.policies = 1; event.event.policies < 8; event.event.policies++)
        for (size_t d = 0; d < COUNT_OF(dialects); d++) {
            struct mrl_protobuf *encoder = test_protobuf(dialects[d], 0);

            assert_same_message(encoder, &event.event, dialects[d], 0);
            mrl_protobuf__free(encoder);
        }
    mrl_policies__unref(policies);
}

static void event_ids_are_those_of_the_event_table(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_event_def *event = mrl_event_def__at(i);
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
            &tracee__v1beta1__event_id__descriptor, event->name);

        if (!value || value->value != event->protobuf_id)
            fail_case("EventId has no %s = %d", event->name, event->protobuf_id);
    }
}

/* The member that a kind names is one of EventValue, or no encoder could write it. */
static void event_values_have_the_members_that_kinds_name(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; j < mrl_event_def__at(i)->field_count; j++) {
            const struct mrl_kind *kind = mrl_event_def__at(i)->fields[j].kind;

            if (!protobuf_c_message_descriptor_get_field_by_name(
                    &tracee__v1beta1__event_value__descriptor, kind->protobuf))
                fail_case("EventValue has no %s", kind->protobuf);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protobuf_of_v0_24_is_what_protoc_encodes),
        cmocka_unit_test(protobuf_of_main_is_what_protoc_encodes),
        cmocka_unit_test(protobuf_of_a_pointer_differs_between_the_dialects),
        cmocka_unit_test(definitions_pack_to_what_tracee_sends),
        cmocka_unit_test(protobuf_is_what_protobuf_c_packs),
        cmocka_unit_test(protobuf_with_extras_is_what_protobuf_c_packs),
        cmocka_unit_test(protobuf_of_the_worst_event_fits_its_room),
        cmocka_unit_test(protobuf_always_has_policies_and_a_pid),
        cmocka_unit_test(protobuf_names_the_policies_in_their_order),
        cmocka_unit_test(event_ids_are_those_of_the_event_table),
        cmocka_unit_test(event_values_have_the_members_that_kinds_name),
    };

    return cmocka_run_group_tests_name("protobuf", tests, NULL, NULL);
}
