// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/common/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "side/grpc/common/program.h"

enum { FILE_BYTES = 1024 * 1024, WARNING_DAYS = 14 };

/* Returns the size, or -errno. */
static ssize_t read_bytes(int fd, char *text)
{
    size_t used = 0;
    ssize_t size;

    do {
        /* A descriptor that several processes have has one position for all. */
        size = pread(fd, text + used, FILE_BYTES + 1 - used, (off_t)used);
        if (size < 0 && errno == ESPIPE)
            size = read(fd, text + used, FILE_BYTES + 1 - used);
        used += size > 0 ? (size_t)size : 0;
    } while (size > 0 && used <= FILE_BYTES);
    return size < 0 ? -errno : (ssize_t)used;
}

/* A file is read once, because it may be a pipe: what was judged is what is used. */
static int read_file(const struct mrl_pem_file *file, char **ret_text, struct mrl_error *error)
{
    int fd = file->fd >= 0 ? file->fd : open(file->path, O_RDONLY | O_CLOEXEC), err = 0;
    char *text = malloc(FILE_BYTES + 1);
    ssize_t size = fd < 0 ? -errno : text ? read_bytes(fd, text) : -ENOMEM;

    if (size < 0)
        err = mrl_error__set(error, (int)size, "%.256s: %s", file->path, strerror((int)-size));
    else if (size > FILE_BYTES || memchr(text, 0, (size_t)size))
        err = mrl_error__set(error, -EINVAL, "%.256s: no PEM file", file->path);
    else
        text[size] = '\0';
    if (file->fd < 0 && fd >= 0)
        close(fd);
    if (err)
        free(text);
    else
        *ret_text = text;
    return err;
}

void mrl_pem__free(struct mrl_pem *pem)
{
    if (pem->key)
        explicit_bzero(pem->key, strlen(pem->key));
    free(pem->cert);
    free(pem->key);
    free(pem->ca);
    *pem = (struct mrl_pem){ 0 };
}

/* -- judging ---------------------------------------------------------------------------------- */

/* OpenSSL would ask for a passphrase at the terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

/* gRPC would show a certificate that is not of now, and every peer would refuse it. */
static int judge_time(const X509 *certificate, const char *path, struct mrl_error *error)
{
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    int order = X509_cmp_timeframe(NULL, X509_get0_notBefore(certificate), end), days, seconds;
    struct tm when = { 0 };
    char text[32] = "?";

    if (ASN1_TIME_to_tm(end, &when))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &when);
    if (order < 0)
        return mrl_error__set(error, -EINVAL, "%.256s: the certificate is not valid yet", path);
    if (order > 0)
        return mrl_error__set(error, -EINVAL, "%.256s: the certificate has expired: %s", path,
                              text);
    if (ASN1_TIME_diff(&days, &seconds, NULL, end) && days < WARNING_DAYS)
        mrl_grpc__log(MRL_LOG_WARNING, "%.256s: the certificate expires soon: %s", path, text);
    return 0;
}

/* Judges every certificate of a file, because gRPC would leave out all that follow a broken one.
 * `*ret_first` is new, also after an error, or NULL. */
static int judge_chain(const char *text,
                       const char *path,
                       X509 **ret_first,
                       struct mrl_error *error)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    unsigned int count = 0;
    X509 *certificate;
    int err = 0;

    while (!err && (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        err = judge_time(certificate, path, error);
        if (count++)
            X509_free(certificate);
        else
            *ret_first = certificate;
    }
    BIO_free(bio);
    if (!err && !count)
        err = mrl_error__set(error, -EINVAL, "%.256s: no certificate in PEM", path);
    else if (!err && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        err = mrl_error__set(error, -EINVAL, "%.256s: certificate %u is broken", path, count + 1);
    ERR_clear_error();
    return err;
}

static int judge_key(const struct mrl_pem *pem,
                     const X509 *certificate,
                     const struct mrl_pem_files *files,
                     struct mrl_error *error)
{
    BIO *bio = BIO_new_mem_buf(pem->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    struct stat file;
    int err = 0;

    if (!key)
        err = mrl_error__set(error, -EINVAL, "%.256s: no private key in PEM without a passphrase",
                             files->key.path);
    else if (X509_check_private_key(certificate, key) != 1)
        err = mrl_error__set(error, -EINVAL, "%.256s: not the key of the certificate %.256s",
                             files->key.path, files->cert.path);
    else if (files->key.fd < 0 && !stat(files->key.path, &file) && file.st_mode & 0007)
        mrl_grpc__log(MRL_LOG_WARNING, "%.256s: every user may use this key (mode %04o)",
                      files->key.path, file.st_mode & 07777);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return err;
}

/* -- both ------------------------------------------------------------------------------------- */

static int read_pair(const struct mrl_pem_files *files,
                     struct mrl_pem *pem,
                     struct mrl_error *error)
{
    X509 *certificate = NULL;
    int err = read_file(&files->cert, &pem->cert, error);

    if (!err)
        err = read_file(&files->key, &pem->key, error);
    if (!err)
        err = judge_chain(pem->cert, files->cert.path, &certificate, error);
    if (!err)
        err = judge_key(pem, certificate, files, error);
    X509_free(certificate);
    return err;
}

static int read_authority(const struct mrl_pem_file *file,
                          struct mrl_pem *pem,
                          struct mrl_error *error)
{
    X509 *certificate = NULL;
    int err = read_file(file, &pem->ca, error);

    if (!err)
        err = judge_chain(pem->ca, file->path, &certificate, error);
    X509_free(certificate);
    return err;
}

int mrl_pem__read(const struct mrl_pem_files *files,
                  struct mrl_pem *ret_pem,
                  struct mrl_error *error)
{
    struct mrl_pem pem = { 0 };
    int err = 0;

    if (files->cert.path && *files->cert.path)
        err = read_pair(files, &pem, error);
    if (!err && files->ca.path && *files->ca.path)
        err = read_authority(&files->ca, &pem, error);
    if (err)
        mrl_pem__free(&pem);
    else
        *ret_pem = pem;
    return err;
}
