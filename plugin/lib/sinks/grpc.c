// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "grpc": Tracee's gRPC API. What is said of it, and where it listens, is here; what it
 * does is in a side program (plugin/side/grpc), which speaks to strangers in place of us.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include "sinks/address.h"
#include "sinks/grpc_options.h"

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
    { .name = "control",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(control),
      .what = "value of control",
      .preset = "false",
      .doc = "Whoever is served may switch events and the log level; else root and the sensor's "
             "user, on a unix socket." },
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

int mrl_server_options__complete(struct mrl_server_options *options, struct mrl_error *error)
{
    if (*options->group && !options->mode)
        options->mode = 0660;
    if (!*options->cert != !*options->key)
        return mrl_error__set(error, -EINVAL, "cert= and key= come together");
    if (*options->client_ca && !*options->cert)
        return mrl_error__set(error, -EINVAL, "client-ca= wants cert= and key=");
    if (options->control && options->read_only)
        return mrl_error__set(error, -EINVAL, "control=true and read-only=true do not go together");
    return 0;
}

static enum mrl_control control(const void *options_of_output)
{
    const struct mrl_server_options *options = options_of_output;

    if (options->read_only)
        return MRL_CONTROL_NOBODY;
    return options->control ? MRL_CONTROL_ALL : MRL_CONTROL_OWNER;
}

/* Who comes from another host, or from this one over TCP, is known by a certificate alone. */
static int check_control(const struct mrl_server_options *options,
                         bool is_tcp,
                         const char *destination,
                         struct mrl_error *error)
{
    return options->control && is_tcp && !*options->client_ca
               ? mrl_error__set(error, -EINVAL, "%.100s: control=true wants client-ca=, on TCP",
                                destination)
               : 0;
}

static bool is_tcp(int socket)
{
    int domain = AF_UNIX;
    socklen_t size = sizeof(domain);

    return !getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain != AF_UNIX;
}

static int check(const struct mrl_sink_target *target, struct mrl_error *error)
{
    struct mrl_server_options options = { .mode = 0 };
    int err;

    if (target->options)
        options = *(const struct mrl_server_options *)target->options;
    err = mrl_server_options__complete(&options, error);
    if (!err)
        err = mrl_address__check(target->destination, &options, error);
    return err ? err
               : check_control(&options, !strncmp(target->destination, "tcp:", 4),
                               target->destination, error);
}

/* -- what needs rights ------------------------------------------------------------------------ */

/* The socket listens for as long as the run takes, over deaths of the side program. */
static int prepare(const struct mrl_sink_target *target,
                   void *copy,
                   int *fds,
                   struct mrl_error *error,
                   void **ret_prepared)
{
    struct mrl_server_options *options = copy;
    struct mrl_address *address = malloc(sizeof(*address));
    int err = address ? mrl_server_options__complete(options, error)
                      : mrl_error__set(error, -ENOMEM, "out of memory");

    options->is_main = !strcmp(target->format, "grpc-main");
    if (!err)
        err = mrl_address__listen(target->destination, options, error, address);
    if (err) {
        free(address);
        return err;
    }
    err = check_control(options, is_tcp(address->socket), target->destination, error);
    if (err) {
        mrl_address__release(address);
        free(address);
        return err;
    }
    options->socket_mode = address->mode;
    options->socket_group = address->group;
    /* With TLS, core listens: only it can shake hands. */
    if (*options->cert)
        mrl_address__leave(address);
    fds[MRL_GRPC_FD_SOCKET] = address->socket;
    *ret_prepared = address;
    return 0;
}

static void unprepare(void *prepared)
{
    mrl_address__release(prepared);
    free(prepared);
}

/* -- elsewhere -------------------------------------------------------------------------------- */

static int no_open(const struct mrl_sink_target *target,
                   struct mrl_error *error,
                   struct mrl_sink **ret_sink)
{
    (void)ret_sink;
    return mrl_error__set(error, -ENOSYS,
                          "%.256s: gRPC is served by a side program, and nobody "
                          "starts any",
                          target->destination);
}

static int no_write(struct mrl_sink *sink, const struct mrl_chunk *chunk, size_t *ret_events)
{
    (void)sink;
    (void)chunk;
    *ret_events = 0;
    return -EPIPE;
}

static int no_reopen(struct mrl_sink *sink, struct mrl_error *error)
{
    (void)sink;
    return mrl_error__set(error, -ENOSYS, "gRPC is not served here");
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
    .control = control,
    .publishes = true,
    .side = "grpc",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .option_bytes = sizeof(struct mrl_server_options),
    .check = check,
    .prepare = prepare,
    .unprepare = unprepare,
    .open = no_open,
    .write = no_write,
    .reopen = no_reopen,
    .close = no_close,
};
