// SPDX-License-Identifier: Apache-2.0
#include "grpc/common/options.h"

#include <errno.h>
#include <mrelease/option.h>
#include <string.h>

static const char *const on_full[] = { "drop-oldest", "disconnect", NULL };

#define AT(member) offsetof(struct mrl_server_options, member)
#define TEXT(text, member)                                           \
    {                                                                \
        .name = text, .type = MRL_OPTION_COPY, .offset = AT(member), \
        .size = sizeof(((struct mrl_server_options *)0)->member),    \
    }

static const struct mrl_option rows[] = {
    { .name = "mode", .type = MRL_OPTION_MODE, .offset = AT(mode) },
    TEXT("group", group),
    { .name = "on-full",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(disconnect_slow),
      .words = on_full,
      .what = "value of on-full" },
    { .name = "read-only",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(read_only),
      .what = "value of read-only" },
    { .name = "insecure",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(insecure),
      .what = "value of insecure" },
    TEXT("cert", cert),
    TEXT("key", key),
    TEXT("client-ca", client_ca),
};

int mrl_server_options__read(struct mrl_server_options *options,
                             const char *settings,
                             struct mrl_error *error)
{
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), options };
    int err =
        mrl_options__read(&group, 1, "setting of a gRPC output", settings, strlen(settings), error);

    if (*options->group && !options->mode)
        options->mode = 0660;
    if (!err && !*options->cert != !*options->key)
        err = mrl_error__set(error, -EINVAL, "cert= and key= come together");
    if (!err && *options->client_ca && !*options->cert)
        err = mrl_error__set(error, -EINVAL, "client-ca= wants cert= and key=");
    return err;
}
