// SPDX-License-Identifier: Apache-2.0
/* The row of "fluent": Fluent Bit, Fluentd, a collector, by Fluent Forward. */
#include <errno.h>
#include <string.h>

#include "sinks/stream/options.h"

#define TEXT(text, member, sentence)                                              \
    {                                                                             \
        .name = text, .type = MRL_OPTION_COPY, .offset = MRL_STREAM_AT(member),   \
        .size = sizeof(((struct mrl_stream_options *)0)->member), .doc = sentence \
    }

static const struct mrl_option rows[] = {
    MRL_FILE_TLS_ROWS,
    MRL_STREAM_TIMEOUT,
    MRL_FILE_ROW("shared-key-file", MRL_FILE_TOKEN, "Holds the key that both ends know."),
    TEXT("user", user, "Who it says it is, with password-file and shared-key-file."),
    MRL_FILE_ROW("password-file", MRL_FILE_PASSWORD, "Holds the password."),
    TEXT("tag", tag, "The tag of the events; else mrelease."),
    { .name = "compress",
      .type = MRL_OPTION_CHOICE,
      .offset = MRL_STREAM_AT(is_plain),
      .words = (const char *const[]){ "gzip", "none", NULL },
      .what = "value of compress",
      .preset = "gzip",
      .doc = "How chunks are compressed." },
};

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    const struct mrl_stream_options *options = target->options;
    int err = mrl_stream__check(target, "fluent fluents", error);

    if (!err)
        err = mrl_files__check_json(target, error);
    if (err)
        return err;
    if (options && !*options->user != !*options->files[MRL_FILE_PASSWORD])
        return mrl_error__set(error, -EINVAL, "user= and password-file= come together");
    if (options && *options->user && !*options->files[MRL_FILE_TOKEN])
        return mrl_error__set(error, -EINVAL, "user= wants shared-key-file=");
    return 0;
}

const struct mrl_sink_ops mrl_sink_fluent = {
    .name = "fluent",
    .doc = "Fluent Bit, Fluentd or a collector, by Fluent Forward with acknowledgements.",
    .usage = "fluent[s]://HOST[:PORT]",
    .schemes = (const char *const[]){ "fluent://", "fluents://", NULL },
    .check = check,
    MRL_FILE_OPS,
    MRL_STREAM_OPS,
};
