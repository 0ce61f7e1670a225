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

static int make(enum mrl_grpc_dialect dialect,
                const struct mrl_encoder_options *options,
                struct mrl_encoder **ret_encoder)
{
    struct grpc_encoder *grpc = calloc(1, sizeof(*grpc));

    if (grpc && !mrl_protobuf__new(dialect, options->extras, &grpc->protobuf)) {
        *ret_encoder = &grpc->encoder;
        return 0;
    }
    free(grpc);
    return -ENOMEM;
}

static int grpc_make(const struct mrl_encoder_options *options, struct mrl_encoder **ret_encoder)
{
    return make(MRL_GRPC_V0_24, options, ret_encoder);
}

static int grpc_main_make(const struct mrl_encoder_options *options,
                          struct mrl_encoder **ret_encoder)
{
    return make(MRL_GRPC_MAIN, options, ret_encoder);
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

static void grpc_destroy(struct mrl_encoder *encoder)
{
    mrl_protobuf__free(((struct grpc_encoder *)encoder)->protobuf);
    free(encoder);
}

const struct mrl_encoder_ops mrl_grpc_encoder = {
    .name = "grpc",
    .make = grpc_make,
    .put = grpc_put,
    .destroy = grpc_destroy,
};

const struct mrl_encoder_ops mrl_grpc_main_encoder = {
    .name = "grpc-main",
    .make = grpc_main_make,
    .put = grpc_put,
    .destroy = grpc_destroy,
};
