// SPDX-License-Identifier: Apache-2.0
/* Certificates and keys. */
#include "grpc/common/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/stat.h>

#include "grpc/common/program.h"

enum { FILE_BYTES = 1024 * 1024, WARNING_DAYS = 14 };

/* -- files ------------------------------------------------------------------------------------ */

/* Into `text` of FILE_BYTES + 1. Pipes come in pieces. */
static int read_into(char *text, const char *path, struct mrl_error *error)
{
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, FILE_BYTES + 1, file) : 0;
    int err = 0;

    if (!file || ferror(file))
        err = mrl_error__set(error, -errno, "%.256s: %s", path, strerror(errno));
    else if (size > FILE_BYTES || memchr(text, 0, size))
        err = mrl_error__set(error, -EINVAL, "%.256s: no PEM file", path);
    else
        text[size] = '\0';
    if (file)
        fclose(file);
    return err;
}

static int read_file(const char *path, char **ret_text, struct mrl_error *error)
{
    char *text = malloc(FILE_BYTES + 1);
    int err;

    if (!text)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    err = read_into(text, path, error);
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
    BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const char *text)
{
    BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* gRPC would show an expired one, and every peer refuse it. */
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

/* Whether the last read ended because there was no more, not because something was wrong. */
static bool was_the_end(void)
{
    bool was = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

    ERR_clear_error();
    return was;
}

/* All certificates of a file: core would leave out what follows a broken one. */
static int judge_chain(const char *text, const char *path, struct mrl_error *error)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    unsigned int count = 0;
    X509 *certificate;
    int err = 0;

    while (!err && (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        err = judge_time(certificate, path, error);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    if (!err && (!was_the_end() || !count))
        err = count ? mrl_error__set(error, -EINVAL, "%.256s: certificate %u is broken", path,
                                     count + 1)
                    : mrl_error__set(error, -EINVAL, "%.256s: no certificate in PEM", path);
    return err;
}

static int judge_pair(const struct mrl_pem *pem,
                      const struct mrl_pem_paths *paths,
                      struct mrl_error *error)
{
    X509 *certificate = read_certificate(pem->cert);
    EVP_PKEY *key = read_key(pem->key);
    int err = judge_chain(pem->cert, paths->cert, error);

    if (!err && !key)
        err = mrl_error__set(error, -EINVAL, "%.256s: no private key in PEM without a passphrase",
                             paths->key);
    else if (!err && X509_check_private_key(certificate, key) != 1)
        err = mrl_error__set(error, -EINVAL, "%.256s: not the key of the certificate %.256s",
                             paths->key, paths->cert);
    X509_free(certificate);
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

/* -- both ------------------------------------------------------------------------------------- */

static int read_pair(const struct mrl_pem_paths *paths,
                     struct mrl_pem *pem,
                     struct mrl_error *error)
{
    int err = read_file(paths->cert, &pem->cert, error);

    if (!err)
        err = read_file(paths->key, &pem->key, error);
    if (!err)
        err = judge_pair(pem, paths, error);
    if (!err)
        warn_of_readers(paths->key);
    return err;
}

static int read_authority(const char *path, struct mrl_pem *pem, struct mrl_error *error)
{
    int err = read_file(path, &pem->ca, error);

    return err ? err : judge_chain(pem->ca, path, error);
}

int mrl_pem__read(const struct mrl_pem_paths *paths,
                  struct mrl_pem *ret_pem,
                  struct mrl_error *error)
{
    struct mrl_pem pem = { 0 };
    int err = 0;

    if (paths->cert && *paths->cert)
        err = read_pair(paths, &pem, error);
    if (!err && paths->ca && *paths->ca)
        err = read_authority(paths->ca, &pem, error);
    if (err)
        mrl_pem__free(&pem);
    else
        *ret_pem = pem;
    return err;
}
