// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a record, through decode and the encoder of the gRPC API: what it writes, protobuf-c
 * reads, whole and behind a field mask made of the same bytes.
 */
#include <tracee/v1beta1/tracee.pb-c.h>

#include "encode/protobuf.h"
#include "event/decode.h"
#include "fuzz.h"
#include "side/grpc/server/mask.h"

static void read_back(struct mrl_text message)
{
    Tracee__V1beta1__StreamEventsResponse *response =
        tracee__v1beta1__stream_events_response__unpack(NULL, message.size,
                                                        (const uint8_t *)message.bytes);

    must(response && response->event);
    tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
}

static void encode(const struct mrl_event *event, unsigned int dialect, struct mrl_text path)
{
    static char buffer[MRL_EVENT_TEXT_MAX], kept[MRL_EVENT_TEXT_MAX];
    struct mrl_protobuf *encoder;
    struct mrl_mask *mask;
    struct mrl_text message;
    ssize_t size;

    must(!mrl_protobuf__new(dialect ? MRL_GRPC_MAIN : MRL_GRPC_V0_24, UINT32_MAX, &encoder));
    message = mrl_protobuf__put(encoder, event, buffer);
    read_back(message);
    must(!mrl_mask__new(&path, 1, &mask));
    size = mrl_mask__apply(mask, message, kept);
    must(size >= 2 && (size_t)size <= message.size);
    read_back((struct mrl_text){ kept, (size_t)size });
    mrl_mask__free(mask);
    mrl_protobuf__free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mrl_host host = { .facts = { .page_bytes = 4096, .cpus = 2 } };
    struct mrl_pool *pool = mrl_pool__new(1);
    struct mrl_batch *batch = mrl_pool__get(pool);
    void *record = malloc(size ? size : 1); /* aligned, and of exactly that size */

    must(batch && record);
    memcpy(record, data, size);
    if (!mrl_decode__append(record, size, &host, batch))
        for (unsigned int dialect = 0; dialect < 2; dialect++)
            encode(mrl_batch__at(batch, 0), dialect,
                   (struct mrl_text){ mrl_batch__at(batch, 0)->process_name.bytes,
                                      mrl_batch__at(batch, 0)->process_name.size });
    free(record);
    mrl_batch__unref(batch);
    mrl_pool__unref(pool);
    return 0;
}
