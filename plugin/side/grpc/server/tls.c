// SPDX-License-Identifier: Apache-2.0
/* TLS: core's listener, and the end of its connections. */
#include "side/grpc/server/tls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_security.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "side/grpc/common/core_log.h"
#include "side/grpc/common/pem.h"
#include "side/grpc/common/program.h"
#include "sinks/address.h"
#include "sinks/grpc_options.h"

struct mrl_tls {
    const struct mrl_server_options *options;
    pthread_mutex_t lock; /* of what follows */
    struct mrl_pem files;
    bool is_new; /* core does not know them yet */
    struct sockaddr_storage address;
    socklen_t address_size;
};

/* -- core's listener -------------------------------------------------------------------------- */

/* At every handshake. */
static grpc_ssl_certificate_config_reload_status fetch(
    void *context, grpc_ssl_server_certificate_config **ret_config)
{
    grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    struct mrl_tls *tls = context;

    mrl_core_log__expect_handshake(MRL_HANDSHAKE_MS);
    pthread_mutex_lock(&tls->lock);
    if (tls->is_new) {
        grpc_ssl_pem_key_cert_pair pair = { tls->files.key, tls->files.cert };

        /* Core wants authorities, also where no client is asked for a certificate. */
        *ret_config = grpc_ssl_server_certificate_config_create(
            tls->files.ca ? tls->files.ca : tls->files.cert, &pair, 1);
        tls->is_new = false;
        status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
    }
    pthread_mutex_unlock(&tls->lock);
    return status;
}

/* Numeric, so that core listens there and nowhere else. */
static int name_address(const struct mrl_tls *tls, char name[], size_t size)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int failed = getnameinfo((const struct sockaddr *)&tls->address, tls->address_size, host,
                             sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);

    if (failed)
        return -EINVAL;
    snprintf(name, size, tls->address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

int mrl_tls__listen(struct mrl_tls *tls, grpc_server *core, struct mrl_error *error)
{
    grpc_ssl_server_credentials_options *options =
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            tls->files.ca ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            fetch, tls);
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_with_options(options);
    char name[NI_MAXHOST + NI_MAXSERV + 4];
    int port = 0;

    if (!name_address(tls, name, sizeof(name)))
        port = grpc_server_add_http2_port(core, name, credentials);
    grpc_server_credentials_release(credentials);
    return port ? 0 : mrl_error__set(error, -EADDRINUSE, "tcp:%s: it cannot be listened at", name);
}

/* -- life ------------------------------------------------------------------------------------- */

/* Listens for a moment: what is wrong is said in our words. */
static int try_address(struct mrl_tls *tls, const char *destination, struct mrl_error *error)
{
    struct mrl_address address;
    int err = mrl_address__listen(destination, tls->options, error, &address);

    if (err)
        return err;
    tls->address_size = sizeof(tls->address);
    if (getsockname(address.socket, (struct sockaddr *)&tls->address, &tls->address_size))
        err = mrl_error__set(error, -errno, "%.256s: %s", destination, strerror(errno));
    mrl_address__release(&address);
    return err;
}

int mrl_tls__open(const char *destination,
                  const struct mrl_server_options *options,
                  struct mrl_error *error,
                  struct mrl_tls **ret_tls)
{
    const struct mrl_pem_paths paths = { options->cert, options->key, options->client_ca };
    struct mrl_tls *tls = calloc(1, sizeof(*tls));
    int err;

    if (!tls)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    tls->options = options;
    tls->is_new = true;
    pthread_mutex_init(&tls->lock, NULL);
    err = try_address(tls, destination, error);
    if (!err)
        err = mrl_pem__read(&paths, &tls->files, error);
    if (err) {
        mrl_tls__close(tls);
        return err;
    }
    *ret_tls = tls;
    return 0;
}

/* The reader of all events reloads, and may not wait: a pipe is read at the start only. */
static int check_file(const char *path, struct mrl_error *error)
{
    struct stat file;

    return *path && !stat(path, &file) && !S_ISREG(file.st_mode)
               ? mrl_error__set(error, -EINVAL, "%.256s: it is no file, and cannot be read again",
                                path)
               : 0;
}

int mrl_tls__reload(struct mrl_tls *tls, struct mrl_error *error)
{
    const struct mrl_server_options *options = tls->options;
    const struct mrl_pem_paths paths = { options->cert, options->key, options->client_ca };
    struct mrl_pem files;
    int err = check_file(options->cert, error);

    if (!err)
        err = check_file(options->key, error);
    if (!err)
        err = check_file(options->client_ca, error);
    if (!err)
        err = mrl_pem__read(&paths, &files, error);
    if (err)
        return err;
    pthread_mutex_lock(&tls->lock);
    mrl_pem__free(&tls->files);
    tls->files = files;
    tls->is_new = true;
    pthread_mutex_unlock(&tls->lock);
    mrl_grpc__log(MRL_LOG_INFO, "%.256s: read again, for connections from now on", options->cert);
    return 0;
}

/* A connection has the port that its listener has; core's are of IPv6 for both. */
static bool is_connection(const struct mrl_tls *tls, int fd)
{
    struct sockaddr_storage own = { 0 }, peer = { 0 };
    socklen_t own_size = sizeof(own), peer_size = sizeof(peer);
    enum { PORT_AT = 2 /* of both families */ };

    return !getsockname(fd, (struct sockaddr *)&own, &own_size) &&
           !getpeername(fd, (struct sockaddr *)&peer, &peer_size) &&
           (own.ss_family == AF_INET || own.ss_family == AF_INET6) &&
           !memcmp((const char *)&own + PORT_AT, (const char *)&tls->address + PORT_AT,
                   sizeof(in_port_t));
}

/* Core has no list of its sockets; the kernel has. A number may be another's by the time: its
 * duplicate is looked at. */
void mrl_tls__cut(const struct mrl_tls *tls)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        int fd = fcntl((int)strtol(entry->d_name, NULL, 10), F_DUPFD_CLOEXEC, 3);

        if (fd < 0)
            continue;
        if (is_connection(tls, fd))
            shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    if (directory)
        closedir(directory);
}

void mrl_tls__close(struct mrl_tls *tls)
{
    if (!tls)
        return;
    mrl_pem__free(&tls->files);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
