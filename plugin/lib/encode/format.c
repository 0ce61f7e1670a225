// SPDX-License-Identifier: Apache-2.0
/* The known formats, and encoders by name. */
#include <errno.h>
#include <mrelease/item.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encoder.h"
#include "event/layout.h"

static const struct mrl_encoder_ops *const encoders[] = {
    &mrl_json_v0_23_encoder, &mrl_json_v0_24_encoder, &mrl_json_v1beta1_encoder,
    &mrl_table_encoder,      &mrl_none_encoder,       &mrl_capture_encoder,
    &mrl_grpc_encoder,       &mrl_grpc_main_encoder,  &mrl_ecs_encoder,
    &mrl_ocsf_encoder,       &mrl_cef_encoder,        &mrl_leef_encoder,
    &mrl_otlp_encoder,
};

/* Numbers, what the call was aimed at and came to, and whether the container is known. What costs
 * more is asked for. */
#define SHOWN                                                                 \
    (1U << MRL_EXTRA_SEQ | 1U << MRL_EXTRA_TARGET | 1U << MRL_EXTRA_OUTCOME | \
     1U << MRL_EXTRA_CONTAINER)

/* The names that users see, aliases included. */
static const struct mrl_format formats[] = {
    { .name = "json", .alias_of = "json-v0.23", .doc = "The default JSON dialect." },
    { .name = "json-v0.23",
      .doc = "One object per line, byte for byte as Tracee v0.20 to v0.23 prints it." },
    { .name = "json-v0.24",
      .doc = "The same object with Go's type names, as Tracee v0.24 prints it." },
    { .name = "json-v1beta1",
      .doc = "The protobuf event as JSON, as Tracee's main branch prints it.",
      .shows_executable = true },
    { .name = "ecs",
      .doc = "The Elastic Common Schema 9.4, as Elasticsearch and Kibana know it.",
      .shows_executable = true,
      .extras = SHOWN },
    { .name = "ocsf",
      .doc = "The Open Cybersecurity Schema Framework 1.8, one object per line.",
      .shows_executable = true,
      .extras = SHOWN },
    { .name = "cef",
      .doc = "The Common Event Format of ArcSight, one event per line.",
      .shows_executable = true,
      .extras = SHOWN },
    { .name = "leef",
      .doc = "The Log Event Extended Format 2.0 of QRadar, one event per line.",
      .shows_executable = true,
      .extras = SHOWN },
    { .name = "otlp",
      .doc = "OpenTelemetry's log records, for a collector or what speaks as one.",
      .binary = true,
      .shows_executable = true,
      .extras = SHOWN },
    { .name = "table", .doc = "Aligned columns for people." },
    { .name = "none", .doc = "Nothing: events are only counted." },
    { .name = "grpc",
      .doc = "Tracee's gRPC API, served at unix:PATH or tcp:HOST:PORT.",
      .binary = true },
    { .name = "grpc-main",
      .doc = "The same as Tracee's main branch has it.",
      .binary = true,
      .shows_executable = true },
    { .name = "capture",
      .doc = "Records as the kernel wrote them, for replay; see --record.",
      .binary = true },
};

enum { FORMAT_COUNT = sizeof(formats) / sizeof(formats[0]) };

const struct mrl_format *mrl_format__all(unsigned int *ret_count)
{
    *ret_count = FORMAT_COUNT;
    return formats;
}

const struct mrl_encoder_ops *mrl_encoder_ops__find(const char *format,
                                                    struct mrl_error *error,
                                                    uint32_t *extras)
{
    const char *names[FORMAT_COUNT];

    for (unsigned int i = 0; i < FORMAT_COUNT; i++) {
        names[i] = formats[i].name;
        if (strcmp(formats[i].name, format) != 0)
            continue;
        *extras |= formats[i].extras;
        if (formats[i].alias_of)
            format = formats[i].alias_of;
    }
    for (size_t i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++)
        if (!strcmp(encoders[i]->name, format))
            return encoders[i];
    if (strchr(format, '/'))
        mrl_error__set(error, -EINVAL, "'%.64s' is no format: one stands first, as json:%.64s",
                       format, format);
    else
        mrl_error__unknown(error, "format", format, names, FORMAT_COUNT);
    return NULL;
}

int mrl_encoder__new(const char *format,
                     const struct mrl_encoder_options *options,
                     struct mrl_error *error,
                     struct mrl_encoder **ret_encoder)
{
    struct mrl_encoder_options all = options ? *options : (struct mrl_encoder_options){ 0 };
    const struct mrl_encoder_ops *ops = mrl_encoder_ops__find(format, error, &all.extras);
    struct mrl_encoder *encoder;
    int err = 0;

    if (!ops)
        return -EINVAL;
    encoder = calloc(1, ops->bytes);
    if (!encoder)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    encoder->ops = ops;
    encoder->items = all.items;
    encoder->ids = all.extras & 1U << MRL_EXTRA_ID;
    if (ops->init)
        err = ops->init(encoder, &all);
    if (err) {
        mrl_encoder__free(encoder);
        return mrl_error__set(error, err, "out of memory");
    }
    *ret_encoder = encoder;
    return 0;
}

struct mrl_text mrl_encoder__preamble(const struct mrl_encoder *encoder)
{
    return encoder->ops->preamble ? encoder->ops->preamble(encoder) : (struct mrl_text){ "", 0 };
}

/* A copy of the event that has its id. */
static const struct mrl_event *with_id(const struct mrl_event *event,
                                       struct mrl_event *copy,
                                       char text[MRL_EVENT_ID_BYTES])
{
    size_t size = mrl_event__id(event, text);

    *copy = *event;
    if (size)
        copy->id = (struct mrl_text){ text, size };
    return copy;
}

ssize_t mrl_encoder__put(struct mrl_encoder *encoder,
                         const struct mrl_event *event,
                         char *buffer,
                         size_t size)
{
    struct mrl_writer writer = { buffer };
    char id[MRL_EVENT_ID_BYTES];
    struct mrl_event copy;

    if (size < (encoder->items ? MRL_ITEM_BYTES_MAX : MRL_EVENT_TEXT_MAX))
        return -ENOBUFS;
    if (encoder->items) {
        struct mrl_item_head head;

        mrl_item__head(event, &head);
        mrl_put_bytes(&writer, (const char *)&head, sizeof(head));
    }
    encoder->ops->put(encoder, encoder->ids ? with_id(event, &copy, id) : event, &writer);
    return writer.at - buffer;
}

void mrl_encoder__free(struct mrl_encoder *encoder)
{
    if (encoder && encoder->ops->done)
        encoder->ops->done(encoder);
    free(encoder);
}

/* -- none ------------------------------------------------------------------------------------- */

static void none_put(struct mrl_encoder *encoder,
                     const struct mrl_event *event,
                     struct mrl_writer *writer)
{
    (void)encoder;
    (void)event;
    (void)writer;
}

const struct mrl_encoder_ops mrl_none_encoder = {
    .name = "none",
    .bytes = sizeof(struct mrl_encoder),
    .put = none_put,
};
