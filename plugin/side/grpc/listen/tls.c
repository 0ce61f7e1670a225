// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/listen/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "side/grpc/common/pem.h"
#include "side/grpc/common/program.h"
#include "sinks/grpc_options.h"

struct mrl_tls {
    const struct mrl_server_options *options;
    pthread_mutex_t lock; /* of what follows */
    SSL_CTX *context;
};

/* -- a context -------------------------------------------------------------------------------- */

/* HTTP/2, of those protocols that a client offers. */
static int choose_protocol(SSL *session,
                           const unsigned char **ret_chosen,
                           unsigned char *ret_size,
                           const unsigned char *offered,
                           unsigned int offered_size,
                           void *context)
{
    static const unsigned char h2[] = "\x02h2";
    unsigned char *chosen;

    (void)session;
    (void)context;
    if (SSL_select_next_proto(&chosen, ret_size, h2, sizeof(h2) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_chosen = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Every certificate of a text, which was judged before. */
static bool each_certificate(SSL_CTX *context,
                             const char *text,
                             bool (*take)(SSL_CTX *context, X509 *certificate, bool is_first))
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate;
    bool is_first = true, done = bio;

    while (done && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        done = take(context, certificate, is_first);
        X509_free(certificate);
        is_first = false;
    }
    BIO_free(bio);
    ERR_clear_error();
    return done;
}

static bool take_own(SSL_CTX *context, X509 *certificate, bool is_first)
{
    return is_first ? SSL_CTX_use_certificate(context, certificate) == 1
                    : SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

static bool take_authority(SSL_CTX *context, X509 *certificate, bool is_first)
{
    (void)is_first;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 &&
           SSL_CTX_add_client_CA(context, certificate) == 1;
}

static bool take_key(SSL_CTX *context, const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    bool done = key && SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return done;
}

/* Nothing is kept of a session: who comes again is asked for its certificate again. */
static SSL_CTX *make_context(const struct mrl_pem *pem)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool done = context;

    if (done) {
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_num_tickets(context, 0);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
        done = each_certificate(context, pem->cert, take_own) && take_key(context, pem->key) &&
               (!pem->ca || each_certificate(context, pem->ca, take_authority));
        if (pem->ca)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (done)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static int load(const struct mrl_server_options *options,
                const int *fds,
                SSL_CTX **ret_context,
                struct mrl_error *error)
{
    const struct mrl_pem_files files = {
        .cert = { options->cert, fds[MRL_GRPC_FD_CERT] },
        .key = { options->key, fds[MRL_GRPC_FD_KEY] },
        .ca = { options->client_ca, fds[MRL_GRPC_FD_CA] },
    };
    struct mrl_pem pem;
    int err = mrl_pem__read(&files, &pem, error);

    if (err)
        return err;
    *ret_context = make_context(&pem);
    mrl_pem__free(&pem);
    return *ret_context
               ? 0
               : mrl_error__set(error, -EINVAL, "%.256s: OpenSSL refuses it", options->cert);
}

/* -- life ------------------------------------------------------------------------------------- */

int mrl_tls__open(const struct mrl_server_options *options,
                  const int *fds,
                  struct mrl_error *error,
                  struct mrl_tls **ret_tls)
{
    struct mrl_tls *tls = calloc(1, sizeof(*tls));
    int err = tls ? load(options, fds, &tls->context, error)
                  : mrl_error__set(error, -ENOMEM, "out of memory");

    if (err) {
        free(tls);
        return err;
    }
    tls->options = options;
    pthread_mutex_init(&tls->lock, NULL);
    *ret_tls = tls;
    return 0;
}

int mrl_tls__reload(struct mrl_tls *tls, const int *fds, struct mrl_error *error)
{
    SSL_CTX *context, *old;
    int err = load(tls->options, fds, &context, error);

    if (err)
        return err;
    pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = context;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old); /* sessions hold it */
    mrl_grpc__log(MRL_LOG_INFO, "%.256s: read again, for connections from now on",
                  tls->options->cert);
    return 0;
}

SSL *mrl_tls__session(struct mrl_tls *tls)
{
    SSL *session;

    pthread_mutex_lock(&tls->lock);
    session = SSL_new(tls->context);
    pthread_mutex_unlock(&tls->lock);
    return session;
}

void mrl_tls__close(struct mrl_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
