// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "grpc": Tracee's gRPC API. What is said of it is here; what it does is in a module
 * (plugin/grpc), because the library of gRPC is large and most runs do not want it.
 */
#include "sinks/grpc.h"

#include <errno.h>

static const char *const on_full[] = { "drop-oldest", "disconnect", NULL };

#define AT(member) offsetof(struct mrl_server_options, member)
#define TEXT(text, member, sentence)                                              \
    {                                                                             \
        .name = text, .type = MRL_OPTION_COPY, .offset = AT(member),              \
        .size = sizeof(((struct mrl_server_options *)0)->member), .doc = sentence \
    }

static const struct mrl_option rows[] = {
    { .name = "mode",
      .type = MRL_OPTION_MODE,
      .offset = AT(mode),
      .preset = "0600",
      .doc = "Permissions of a unix socket." },
    TEXT("group", group, "Whose members may connect to a unix socket; mode is then 0660."),
    { .name = "on-full",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(disconnect_slow),
      .words = on_full,
      .what = "value of on-full",
      .preset = "drop-oldest",
      .doc = "What becomes of a client that is too slow." },
    { .name = "read-only",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(read_only),
      .what = "value of read-only",
      .preset = "false",
      .doc = "Clients may change nothing." },
    { .name = "insecure",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(insecure),
      .what = "value of insecure",
      .preset = "false",
      .doc = "Serve addresses of other hosts without TLS." },
    TEXT("cert", cert, "Certificate of the server, in PEM: TLS, on tcp."),
    TEXT("key", key, "Its key."),
    TEXT("client-ca", client_ca, "Who signs the certificates of clients, which are then wanted."),
};

/* Reached by programs other than ours: they have no module. */
static int no_open(const struct mrl_sink_target *target,
                   struct mrl_error *error,
                   struct mrl_sink **ret_sink)
{
    (void)ret_sink;
    return mrl_error__set(error, -ENOSYS, "%.256s: gRPC is served by a module of 'mrelease'",
                          target->destination);
}

static int no_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    (void)chunk;
    *ret_events = 0;
    return -EPIPE;
}

static int no_close(struct mrl_sink *sink)
{
    (void)sink;
    return 0;
}

const struct mrl_sink_ops mrl_sink_grpc = {
    .name = "grpc",
    .doc = "Tracee's gRPC API, served. No client makes the sensor wait.",
    .usage = "unix:PATH, tcp:HOST:PORT or systemd[:NAME]",
    .schemes = (const char *const[]){ "unix:", "tcp:", "systemd", "systemd:", NULL },
    .formats = (const char *const[]){ "grpc", "grpc-main", NULL },
    .preset = MRL_GRPC_DESTINATION,
    .never_blocks = true,
    .controls = true,
    .module = "grpc",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .option_bytes = sizeof(struct mrl_server_options),
    .open = no_open,
    .write = no_write,
    .close = no_close,
};
