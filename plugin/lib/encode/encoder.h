/* SPDX-License-Identifier: Apache-2.0 */
/* What a format must provide. One file per format, ending in one struct mrl_encoder_ops. */
#ifndef MRL_ENCODE_ENCODER_H
#define MRL_ENCODE_ENCODER_H

#include <mrelease/encode.h>

#include "encode/writer.h"

struct mrl_encoder_ops;
struct mrl_mapping;

/** The first member of each format's own struct. */
struct mrl_encoder {
    const struct mrl_encoder_ops *ops;
    bool items;
    bool ids; /* each event is given mrl_event.id */
};

struct mrl_encoder_ops {
    const char *name;
    /** Bytes of the format's own struct. */
    size_t bytes;
    /** Makes ready what is zeroed but for `encoder`. Error: -ENOMEM; done() follows. NULL: nothing
     * is to do. */
    int (*init)(struct mrl_encoder *encoder, const struct mrl_encoder_options *options);
    struct mrl_text (*preamble)(const struct mrl_encoder *encoder);
    /** Writes at most MRL_EVENT_TEXT_MAX bytes. */
    void (*put)(struct mrl_encoder *encoder,
                const struct mrl_event *event,
                struct mrl_writer *writer);
    /** Frees what init() took, and not the struct. NULL: nothing. */
    void (*done)(struct mrl_encoder *encoder);
    /** Of a shape (shape/mapping.h); NULL: the format is none. */
    const struct mrl_mapping *mapping;
};

/** The format of this name or alias; NULL with a line in `error`. Its extras are added to
 * `*extras`. */
const struct mrl_encoder_ops *mrl_encoder_ops__find(const char *format,
                                                    struct mrl_error *error,
                                                    uint32_t *extras);

extern const struct mrl_encoder_ops mrl_json_v0_23_encoder;
extern const struct mrl_encoder_ops mrl_json_v0_24_encoder;
extern const struct mrl_encoder_ops mrl_json_v1beta1_encoder;
extern const struct mrl_encoder_ops mrl_table_encoder;
extern const struct mrl_encoder_ops mrl_none_encoder;
extern const struct mrl_encoder_ops mrl_capture_encoder;
extern const struct mrl_encoder_ops mrl_grpc_encoder;
extern const struct mrl_encoder_ops mrl_grpc_main_encoder;
extern const struct mrl_encoder_ops mrl_ecs_encoder;
extern const struct mrl_encoder_ops mrl_ocsf_encoder;
extern const struct mrl_encoder_ops mrl_otlp_encoder;
extern const struct mrl_encoder_ops mrl_cef_encoder;
extern const struct mrl_encoder_ops mrl_leef_encoder;

#endif
