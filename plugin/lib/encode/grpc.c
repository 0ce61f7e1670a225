// SPDX-License-Identifier: Apache-2.0
/* The format "grpc": for the side program that serves it. */
#include "encode/grpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encoder.h"
#include "encode/protobuf.h"
#include "event/lost.h"

struct grpc_encoder {
    struct mrl_encoder encoder;
    struct mrl_protobuf *protobuf;
    char text[MRL_EVENT_TEXT_MAX];
};

static int grpc_init(struct mrl_encoder *encoder, const struct mrl_encoder_options *options)
{
    return mrl_protobuf__new(encoder->ops == &mrl_grpc_main_encoder ? MRL_GRPC_MAIN
                                                                    : MRL_GRPC_V0_24,
                             options->extras, &((struct grpc_encoder *)encoder)->protobuf);
}

/* A message never fills its buffer so far that there is no room for the header. */
static void grpc_put(struct mrl_encoder *encoder,
                     const struct mrl_event *event,
                     struct mrl_writer *writer)
{
    struct grpc_encoder *grpc = (struct grpc_encoder *)encoder;
    struct mrl_text message = mrl_protobuf__put(grpc->protobuf, event, grpc->text);
    struct mrl_grpc_frame frame = { .size = (uint32_t)message.size,
                                    .event = event->def->index,
                                    .time_ns = event->entry_ns };

    if (event->lost) {
        frame.lost = event->lost->count;
        frame.from_ns = event->lost->from_ns;
        frame.lost_event = event->lost->event->index;
        frame.lost_cause = event->lost->cause;
    }
    if (message.size > MRL_EVENT_TEXT_MAX - sizeof(frame))
        return;
    memcpy(writer->at, &frame, sizeof(frame));
    memcpy(writer->at + sizeof(frame), message.bytes, message.size);
    writer->at += sizeof(frame) + message.size;
}

static void grpc_done(struct mrl_encoder *encoder)
{
    mrl_protobuf__free(((struct grpc_encoder *)encoder)->protobuf);
}

const struct mrl_encoder_ops mrl_grpc_encoder = {
    .name = "grpc",
    .bytes = sizeof(struct grpc_encoder),
    .init = grpc_init,
    .put = grpc_put,
    .done = grpc_done,
};

const struct mrl_encoder_ops mrl_grpc_main_encoder = {
    .name = "grpc-main",
    .bytes = sizeof(struct grpc_encoder),
    .init = grpc_init,
    .put = grpc_put,
    .done = grpc_done,
};
