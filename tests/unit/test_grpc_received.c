// SPDX-License-Identifier: Apache-2.0
/* What a client makes of bytes that a server sent, and of addresses. */
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "encode/protobuf.h"
#include "side/grpc/client/received.h"
#include "sinks/listen/address.h"
#include "unit/lines.h"
#include "unit/unit.h"

static Tracee__V1beta1__StreamEventsResponse *sent(const struct mrl_event *event)
{
    static char buffer[MRL_EVENT_TEXT_MAX];
    struct mrl_protobuf *encoder;
    struct mrl_text text;
    Tracee__V1beta1__StreamEventsResponse *response;

    assert_int_equal(mrl_protobuf__new(MRL_GRPC_MAIN, 0, &encoder), 0);
    text = mrl_protobuf__put(encoder, event, buffer);
    response = (void *)mrl_received__unpack(&tracee__v1beta1__stream_events_response__descriptor,
                                            (const uint8_t *)text.bytes, text.size);
    mrl_protobuf__free(encoder);
    assert_true(response && response->event);
    return response;
}

static void an_event_comes_back_as_it_was_sent(void **state)
{
    struct mrl_received received;

    (void)state;
    for (unsigned int compat = 0; compat < 2; compat++) {
        Tracee__V1beta1__StreamEventsResponse *response;
        struct test_event event;

        test_event__init(&event, "process_mrelease");
        event.event.flags = compat ? MRL_EVENT_IS_COMPAT : 0;
        event.event.return_value = -9;
        event.values[0].number = -1;
        event.values[1].unsigned_number = 7;
        response = sent(&event.event);
        assert_true(mrl_received__event(response->event, &received));
        assert_ptr_equal(received.event.def, event.event.def);
        assert_int_equal(received.event.flags, event.event.flags);
        assert_int_equal(received.event.entry_ns, event.event.entry_ns);
        assert_int_equal(received.event.return_value, -9);
        assert_int_equal((int32_t)received.values[0].number, -1);
        assert_int_equal(received.values[1].unsigned_number, 7);
        assert_int_equal(received.event.host_process_id, event.event.host_process_id);
        assert_int_equal(received.event.user_id, event.event.user_id);
        assert_int_equal(received.event.process_name.size, event.event.process_name.size);
        tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
    }
}

/* An encoder checks no bounds: nothing that a server sends may be larger than what it has room for.
 */
static void texts_of_a_server_are_bounded(void **state)
{
    static const char *const formats[] = { "json-v0.23", "json-v0.24", "json-v1beta1", "table" };
    static char name[1 << 16], line[MRL_EVENT_TEXT_MAX];

    (void)state;
    memset(name, 1, sizeof(name) - 1);
    for (unsigned int e = 0; e < mrl_event_def__count(); e++) {
        Tracee__V1beta1__EventValue values[MRL_RECEIVED_FIELDS], *data[MRL_RECEIVED_FIELDS];
        Tracee__V1beta1__Thread thread = TRACEE__V1BETA1__THREAD__INIT;
        Tracee__V1beta1__Executable executable = TRACEE__V1BETA1__EXECUTABLE__INIT;
        Tracee__V1beta1__Process process = TRACEE__V1BETA1__PROCESS__INIT;
        Tracee__V1beta1__Container container = TRACEE__V1BETA1__CONTAINER__INIT;
        Tracee__V1beta1__Workload workload = TRACEE__V1BETA1__WORKLOAD__INIT;
        Tracee__V1beta1__Event event = TRACEE__V1BETA1__EVENT__INIT;
        const struct mrl_event_def *def = mrl_event_def__at(e);
        struct mrl_received received;

        thread.name = executable.path = container.id = name;
        process.thread = &thread;
        process.executable = &executable;
        workload.process = &process;
        workload.container = &container;
        event.name = (char *)def->name;
        event.workload = &workload;
        event.data = data;
        for (event.n_data = 0; event.n_data < def->field_count; event.n_data++) {
            data[event.n_data] = &values[event.n_data];
            tracee__v1beta1__event_value__init(data[event.n_data]);
            data[event.n_data]->name = (char *)def->fields[event.n_data].name;
            data[event.n_data]->value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_STR;
            data[event.n_data]->str = name;
        }
        assert_true(mrl_received__event(&event, &received));
        for (size_t i = 0; i < COUNT_OF(formats); i++) {
            const struct mrl_encoder_options narrow = { .width = 10, .colour = true };
            struct mrl_encoder *encoder = test_encoder(formats[i], &narrow);

            assert_in_range(mrl_encoder__put(encoder, &received.event, line, sizeof(line)), 1,
                            sizeof(line));
            mrl_encoder__free(encoder);
        }
    }
}

/* DetectedFrom within itself (field 4), `depth` times: from the inside out, in front of the end. */
static size_t nest(uint8_t *buffer, size_t size, unsigned int depth)
{
    size_t at = size;

    while (depth--) {
        size_t content = size - at;

        assert_true(at >= 3);
        buffer[--at] = (uint8_t)(content >> 7);
        buffer[--at] = (uint8_t)(content | 0x80);
        buffer[--at] = 4 << 3 | 2;
    }
    return at;
}

static void messages_that_lie_too_deep_are_refused(void **state)
{
    static uint8_t buffer[4096];
    ProtobufCMessage *message;
    size_t at;

    (void)state;
    at = nest(buffer, sizeof(buffer), MRL_RECEIVED_DEPTH);
    message = mrl_received__unpack(&tracee__v1beta1__detected_from__descriptor, buffer + at,
                                   sizeof(buffer) - at);
    assert_non_null(message);
    protobuf_c_message_free_unpacked(message, NULL);
    at = nest(buffer, sizeof(buffer), MRL_RECEIVED_DEPTH + 1);
    assert_null(mrl_received__unpack(&tracee__v1beta1__detected_from__descriptor, buffer + at,
                                     sizeof(buffer) - at));
}

static void a_port_is_a_number_from_1_to_65535(void **state)
{
    static const char *const good[] = { "localhost:1", "127.0.0.1:65535", "[::1]:4466" };
    static const char *const bad[] = {
        "localhost:0",  "localhost:65536", "localhost:", "localhost:-1", "localhost:1x",
        "localhost:+1", "localhost: 80",   "4466",       ":4466"
    };
    static const char *const blanks[] = { " :4466", "localhost :80", "localhost: 80", " [::1]:80" };
    struct mrl_error error;
    const char *port;
    char host[256];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (mrl_address__split(good[i], host, &port, &error))
            fail_case("%s: %s", good[i], error.text);
    assert_string_equal(host, "::1");
    assert_string_equal(port, "4466");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (!mrl_address__split(bad[i], host, &port, &error))
            fail_case("%s is taken", bad[i]);
    for (size_t i = 0; i < COUNT_OF(blanks); i++)
        if (!mrl_address__split(blanks[i], host, &port, &error) ||
            !strstr(error.text, "there is a blank in it"))
            fail_case("%s: %s", blanks[i], error.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_comes_back_as_it_was_sent),
        cmocka_unit_test(texts_of_a_server_are_bounded),
        cmocka_unit_test(messages_that_lie_too_deep_are_refused),
        cmocka_unit_test(a_port_is_a_number_from_1_to_65535),
    };

    return cmocka_run_group_tests_name("grpc_received", tests, NULL, NULL);
}
