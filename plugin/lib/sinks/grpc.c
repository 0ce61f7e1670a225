// SPDX-License-Identifier: Apache-2.0
/*
 * The sink "grpc": Tracee's gRPC API. What is said of it, and where it listens, is here; what it
 * does is in a side program (plugin/side/grpc), which speaks to strangers in place of us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sinks/elsewhere.h"
#include "sinks/grpc_options.h"
#include "sinks/listen/address.h"

static const char *const on_full[] = { "drop-oldest", "disconnect", NULL };

#define AT(member) offsetof(struct mrl_server_options, member)
#define TEXT(text, member, sentence)                                              \
    {                                                                             \
        .name = text, .type = MRL_OPTION_COPY, .offset = AT(member),              \
        .size = sizeof(((struct mrl_server_options *)0)->member), .doc = sentence \
    }

/* A file that is read at the start and on SIGHUP. */
#define FILE_OF(text, member, sentence)                                            \
    {                                                                              \
        .name = text, .type = MRL_OPTION_COPY, .offset = AT(member),               \
        .size = sizeof(((struct mrl_server_options *)0)->member), .doc = sentence, \
        .separator = '/'                                                           \
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
    FILE_OF("cert", cert, "Certificate of the server, in PEM: TLS, on tcp."),
    FILE_OF("key", key, "Its key."),
    FILE_OF(
        "client-ca", client_ca, "Who signs the certificates of clients, which are then wanted."),
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

/* What stays open over deaths of the side program. */
struct prepared {
    struct mrl_address address;
    int fds[MRL_SINK_FDS_MAX]; /* those of files are ours to close */
};

enum { FILES = 3, FILE_BYTES = 1024 * 1024 };

/* A copy, which may be read again and cannot be changed: `path` may be a pipe. Returns the
 * descriptor, or -errno. */
static int copy_file(const char *path)
{
    char bytes[16 * 1024];
    int from = open(path, O_RDONLY | O_CLOEXEC), err = from < 0 ? -errno : 0;
    int to = memfd_create("file", MFD_CLOEXEC);
    size_t all = 0;
    ssize_t size;

    if (!err && to < 0)
        err = -errno;
    while (!err && all <= FILE_BYTES && (size = read(from, bytes, sizeof(bytes))) != 0) {
        if (size < 0 || write(to, bytes, (size_t)size) != size)
            err = -errno;
        all += (size_t)size;
    }
    explicit_bzero(bytes, sizeof(bytes));
    if (from >= 0)
        close(from);
    if (err && to >= 0)
        close(to);
    return err ? err : to;
}

static void close_files(int *fds)
{
    for (int i = MRL_GRPC_FD_CERT; i <= MRL_GRPC_FD_CA; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

/* Copies the files of TLS. After an error, none is there. */
static int copy_files(const struct mrl_server_options *options, int *fds, struct mrl_error *error)
{
    const char *const paths[FILES] = { options->cert, options->key, options->client_ca };

    for (int i = 0; i < FILES; i++) {
        int fd = *paths[i] ? copy_file(paths[i]) : -1;

        if (*paths[i] && fd < 0) {
            close_files(fds);
            return mrl_error__set(error, fd, "%.256s: %s", paths[i], strerror(-fd));
        }
        fds[MRL_GRPC_FD_CERT + i] = fd;
    }
    return 0;
}

static void note_key(const char *path, struct mrl_error *note)
{
    struct stat file;

    if (*path && !stat(path, &file) && file.st_mode & 0007)
        mrl_error__set(note, 0, "%.256s: every user may use this key (mode %04o)", path,
                       file.st_mode & 07777);
}

static int listen_at(const struct mrl_sink_target *target,
                     struct mrl_server_options *options,
                     struct mrl_error *error,
                     struct mrl_address *ret_address)
{
    int err = mrl_server_options__complete(options, error);

    if (!err)
        err = mrl_address__listen(target->destination, options, error, ret_address);
    if (err)
        return err;
    err = check_control(options, is_tcp(ret_address->socket), target->destination, error);
    if (err)
        mrl_address__release(ret_address);
    return err;
}

static int prepare(const struct mrl_sink_target *target,
                   void *copy,
                   int *fds,
                   struct mrl_error *error,
                   void **ret_prepared)
{
    struct mrl_server_options *options = copy;
    struct prepared *prepared = malloc(sizeof(*prepared));
    int err = prepared ? listen_at(target, options, error, &prepared->address)
                       : mrl_error__set(error, -ENOMEM, "out of memory");

    if (!err) {
        memcpy(prepared->fds, fds, sizeof(prepared->fds));
        err = copy_files(options, prepared->fds, error);
        if (err)
            mrl_address__release(&prepared->address);
    }
    if (err) {
        free(prepared);
        return err;
    }
    note_key(options->key, error);
    options->is_main = !strcmp(target->format, "grpc-main");
    options->owner = geteuid();
    options->socket_mode = prepared->address.mode;
    options->socket_group = prepared->address.group;
    memcpy(fds, prepared->fds, sizeof(prepared->fds));
    fds[MRL_GRPC_FD_SOCKET] = prepared->address.socket;
    *ret_prepared = prepared;
    return 0;
}

/* Nobody may have to wait for a pipe: it is read at the start only. */
static int check_file(const char *path, struct mrl_error *error)
{
    struct stat file;

    return *path && !stat(path, &file) && !S_ISREG(file.st_mode)
               ? mrl_error__set(error, -EINVAL, "%.256s: it is no file, and cannot be read again",
                                path)
               : 0;
}

static int renew(void *what,
                 const struct mrl_sink_target *target,
                 int *fds,
                 struct mrl_error *error)
{
    const struct mrl_server_options *options = target->options;
    struct prepared *prepared = what;
    int files[MRL_SINK_FDS_MAX] = { -1, -1, -1, -1 };
    int err = check_file(options->cert, error);

    if (!err)
        err = check_file(options->key, error);
    if (!err)
        err = check_file(options->client_ca, error);
    if (!err)
        err = copy_files(options, files, error);
    if (err)
        return err;
    close_files(prepared->fds);
    memcpy(prepared->fds + MRL_GRPC_FD_CERT, files + MRL_GRPC_FD_CERT, FILES * sizeof(int));
    memcpy(fds + MRL_GRPC_FD_CERT, files + MRL_GRPC_FD_CERT, FILES * sizeof(int));
    return 0;
}

static void unprepare(void *what)
{
    struct prepared *prepared = what;

    close_files(prepared->fds);
    mrl_address__release(&prepared->address);
    free(prepared);
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
    .renew = renew,
    .unprepare = unprepare,
    .reopen = mrl_elsewhere__reopen,
    MRL_ELSEWHERE_OPS,
};
