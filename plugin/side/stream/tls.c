// SPDX-License-Identifier: Apache-2.0
#include "side/stream/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* -- files ------------------------------------------------------------------------------------ */

/* A key that wants a password is none: there is nobody to ask. */
static int no_password(char *text, int size, int is_written, void *context)
{
    (void)text;
    (void)size;
    (void)is_written;
    (void)context;
    return -1;
}

static BIO *open_file(const struct mrl_files *files, enum mrl_file file)
{
    return BIO_new_mem_buf(files->texts[file], (int)files->sizes[file]);
}

static int trust(SSL_CTX *context, const struct mrl_files *files, struct mrl_error *error)
{
    BIO *bio = open_file(files, MRL_FILE_CA);
    X509 *certificate;
    int count = 0;

    while (bio && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL))) {
        count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    /* Where nothing was given, and the system trusts nobody, the first handshake says so. */
    return count || !files->sizes[MRL_FILE_CA]
               ? 0
               : mrl_error__set(error, -EINVAL, "ca= holds no certificate in PEM");
}

/* The first certificate is the client's; those behind it lead to who signed it. */
static bool show(SSL_CTX *context, BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    bool ok = certificate && SSL_CTX_use_certificate(context, certificate) == 1;

    X509_free(certificate);
    while (ok && (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
        if (!SSL_CTX_add0_chain_cert(context, certificate))
            X509_free(certificate);
    return ok;
}

static int introduce(SSL_CTX *context, const struct mrl_files *files, struct mrl_error *error)
{
    BIO *certificate = open_file(files, MRL_FILE_CERT), *bio = open_file(files, MRL_FILE_KEY);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    int err = 0;

    if (!certificate || !show(context, certificate))
        err = mrl_error__set(error, -EINVAL, "cert= holds no certificate in PEM");
    else if (!key)
        err = mrl_error__set(error, -EINVAL, "key= holds no key in PEM, or one with a password");
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        err = mrl_error__set(error, -EINVAL, "key= is not the key of cert=");
    EVP_PKEY_free(key);
    BIO_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return err;
}

int mrl_tls__context(const struct mrl_files *files, struct mrl_error *error, SSL_CTX **ret_context)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int err;

    if (!context)
        return mrl_error__set(error, -ENOMEM, "TLS: out of memory");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    err = trust(context, files, error);
    if (!err && files->sizes[MRL_FILE_CERT])
        err = introduce(context, files, error);
    if (err)
        SSL_CTX_free(context);
    else
        *ret_context = context;
    return err;
}

/* -- connections ------------------------------------------------------------------------------ */

static bool is_address(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

SSL *mrl_tls__new(SSL_CTX *context, const char *host, int fd)
{
    SSL *ssl = SSL_new(context);
    bool ok = ssl && SSL_set_fd(ssl, fd) == 1;

    if (ok && is_address(host))
        ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    else if (ok)
        ok = SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    if (!ok) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set_connect_state(ssl);
    return ssl;
}

enum mrl_item_verdict mrl_tls__explain(SSL *ssl, int code, int err, char why[MRL_WHY_BYTES])
{
    unsigned long error = ERR_peek_last_error();
    long verified = SSL_get_verify_result(ssl);
    const char *reason = ERR_reason_error_string(error);
    bool is_cut =
        code != SSL_ERROR_SSL || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

    if (verified != X509_V_OK) {
        snprintf(why, MRL_WHY_BYTES, "TLS: the server's certificate: %s",
                 X509_verify_cert_error_string(verified));
        return MRL_VERDICT_MISCONFIGURED;
    }
    if (is_cut)
        snprintf(why, MRL_WHY_BYTES, "TLS: %s",
                 code == SSL_ERROR_SYSCALL && err ? strerror(err)
                                                  : "the server closed the connection");
    else
        snprintf(why, MRL_WHY_BYTES, "TLS: %s", reason ? reason : "it failed");
    return is_cut ? MRL_VERDICT_AGAIN : MRL_VERDICT_MISCONFIGURED;
}
