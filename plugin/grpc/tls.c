// SPDX-License-Identifier: Apache-2.0
/* TLS: files, core's listener, and the end of its connections. */
#include "grpc/tls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_security.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "grpc/address.h"
#include "grpc/server.h"

enum { FILE_BYTES = 1024 * 1024, WARNING_DAYS = 14, DAY_SECONDS = 24 * 60 * 60 };

/* PEM, which ends in a NUL. */
struct files {
    char *cert, *key, *client_ca; /* the last: NULL without */
};

struct mrl_tls {
    const struct mrl_server_options *options;
    pthread_mutex_t lock; /* of what follows */
    struct files files;
    bool is_new; /* core does not know them yet */
    struct sockaddr_storage address;
    socklen_t address_size;
};

/* -- files ------------------------------------------------------------------------------------ */

int mrl_tls__read_file(const char *path, char **ret_text, struct mrl_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = 0;
    char *text = malloc(FILE_BYTES + 1);
    ssize_t size = fd >= 0 && text ? read(fd, text, FILE_BYTES + 1) : -1;

    if (!text)
        err = mrl_error__set(error, -ENOMEM, "out of memory");
    else if (size < 0)
        err = mrl_error__set(error, -errno, "%.256s: %s", path, strerror(errno));
    else if (size > FILE_BYTES || memchr(text, 0, (size_t)size))
        err = mrl_error__set(error, -EINVAL, "%.256s: no PEM file", path);
    if (fd >= 0)
        close(fd);
    if (err) {
        free(text);
        return err;
    }
    text[size] = '\0';
    *ret_text = text;
    return 0;
}

static void free_files(struct files *files)
{
    if (files->key)
        explicit_bzero(files->key, strlen(files->key));
    free(files->cert);
    free(files->key);
    free(files->client_ca);
    *files = (struct files){ 0 };
}

/* -- judging ---------------------------------------------------------------------------------- */

/* A key with a passphrase would be asked for at the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static X509 *read_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* Core would serve an expired one, and every client refuse it. */
static int judge_time(const X509 *certificate, const char *path, struct mrl_error *error)
{
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    int days = 0, seconds = 0;
    struct tm when = { 0 };
    char text[32] = "?";

    if (ASN1_TIME_to_tm(end, &when))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &when);
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        return mrl_error__set(error, -EINVAL, "%.256s: the certificate is not valid yet", path);
    if (X509_cmp_current_time(end) < 0)
        return mrl_error__set(error, -EINVAL, "%.256s: the certificate has expired: %s", path,
                              text);
    if (ASN1_TIME_diff(&days, &seconds, NULL, end) && days < WARNING_DAYS)
        mrl_grpc__log(MRL_LOG_WARNING, "%.256s: the certificate expires soon: %s", path, text);
    return 0;
}

static int judge(const struct files *files,
                 const struct mrl_server_options *options,
                 struct mrl_error *error)
{
    X509 *certificate = read_certificate(files->cert);
    X509 *authority = files->client_ca ? read_certificate(files->client_ca) : NULL;
    EVP_PKEY *key = read_key(files->key);
    int err;

    if (!certificate)
        err = mrl_error__set(error, -EINVAL, "%.256s: no certificate in PEM", options->cert);
    else if (!key)
        err = mrl_error__set(error, -EINVAL, "%.256s: no private key in PEM without a passphrase",
                             options->key);
    else if (X509_check_private_key(certificate, key) != 1)
        err = mrl_error__set(error, -EINVAL, "%.256s: not the key of the certificate %.256s",
                             options->key, options->cert);
    else if (files->client_ca && !authority)
        err = mrl_error__set(error, -EINVAL, "%.256s: no certificate in PEM", options->client_ca);
    else
        err = judge_time(certificate, options->cert, error);
    X509_free(certificate);
    X509_free(authority);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

static void warn_of_readers(const char *path)
{
    struct stat file;

    if (!stat(path, &file) && file.st_mode & 0007)
        mrl_grpc__log(MRL_LOG_WARNING, "%.256s: every user may use this key (mode %04o)", path,
                      file.st_mode & 07777);
}

static int load(const struct mrl_server_options *options,
                struct files *ret_files,
                struct mrl_error *error)
{
    struct files files = { 0 };
    int err = mrl_tls__read_file(options->cert, &files.cert, error);

    if (!err)
        err = mrl_tls__read_file(options->key, &files.key, error);
    if (!err && *options->client_ca)
        err = mrl_tls__read_file(options->client_ca, &files.client_ca, error);
    if (!err)
        err = judge(&files, options, error);
    if (err) {
        free_files(&files);
        return err;
    }
    warn_of_readers(options->key);
    *ret_files = files;
    return 0;
}

/* -- core's listener -------------------------------------------------------------------------- */

/* At every handshake. */
static grpc_ssl_certificate_config_reload_status fetch(
    void *context, grpc_ssl_server_certificate_config **ret_config)
{
    grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    struct mrl_tls *tls = context;

    pthread_mutex_lock(&tls->lock);
    if (tls->is_new) {
        grpc_ssl_pem_key_cert_pair pair = { tls->files.key, tls->files.cert };

        /* Core wants authorities, also where no client is asked for a certificate. */
        *ret_config = grpc_ssl_server_certificate_config_create(
            tls->files.client_ca ? tls->files.client_ca : tls->files.cert, &pair, 1);
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
            tls->files.client_ca ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
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
    struct mrl_tls *tls = calloc(1, sizeof(*tls));
    int err;

    if (!tls)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    tls->options = options;
    tls->is_new = true;
    pthread_mutex_init(&tls->lock, NULL);
    err = try_address(tls, destination, error);
    if (!err)
        err = load(options, &tls->files, error);
    if (err) {
        mrl_tls__close(tls);
        return err;
    }
    if (!*options->client_ca)
        mrl_grpc__log(MRL_LOG_WARNING,
                      "%.256s: every client that can connect is served: client-ca= would ask for "
                      "its certificate",
                      destination);
    *ret_tls = tls;
    return 0;
}

int mrl_tls__reload(struct mrl_tls *tls, struct mrl_error *error)
{
    struct files files = { 0 };
    int err = load(tls->options, &files, error);

    if (err)
        return err;
    pthread_mutex_lock(&tls->lock);
    free_files(&tls->files);
    tls->files = files;
    tls->is_new = true;
    pthread_mutex_unlock(&tls->lock);
    return 0;
}

/* A connection has the port that its listener has; core's are of IPv6 for both. */
static bool is_connection(const struct mrl_tls *tls, int fd)
{
    struct sockaddr_storage own, peer;
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
    free_files(&tls->files);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
