// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what a server sends: an event that every format can print, or none. */
#include <errno.h>
#include <mrelease/encode.h>
#include <tracee/v1beta1/diagnostic.pb-c.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "fuzz.h"
#include "side/grpc/client/received.h"

static void print_json(const ProtobufCMessage *message)
{
    json_t *json = mrl_received__json(message);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

    must(json && text);
    free(text);
    json_decref(json);
}

static void print_as_ours(const Tracee__V1beta1__Event *event)
{
    static const char *const formats[] = { "json-v0.23", "json-v0.24", "json-v1beta1", "table" };
    static struct mrl_encoder *encoders[4];
    static char line[MRL_EVENT_TEXT_MAX];
    struct mrl_received received;

    if (!mrl_received__event(event, &received))
        return;
    for (unsigned int i = 0; i < 4; i++) {
        if (!encoders[i])
            must(!mrl_encoder__new(formats[i], NULL, NULL, &encoders[i]));
        must(mrl_encoder__put(encoders[i], &received.event, line, sizeof(line)) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ProtobufCMessage *message =
        mrl_received__unpack(&tracee__v1beta1__stream_events_response__descriptor, data, size);
    const Tracee__V1beta1__StreamEventsResponse *response =
        (const Tracee__V1beta1__StreamEventsResponse *)message;

    if (message && response->event) {
        print_json(&response->event->base);
        print_as_ours(response->event);
    }
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
    message = mrl_received__unpack(&tracee__v1beta1__get_metrics_response__descriptor, data, size);
    if (message) {
        print_json(message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return 0;
}
