/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request, and its answer: one connection, TLS, who we are, bounds. What an answer means where
 * the protocol has a table of its own is the destination's.
 */
#ifndef MRL_SIDE_HTTP_TRANSPORT_H
#define MRL_SIDE_HTTP_TRANSPORT_H

#include <curl/curl.h>
#include <mrelease/sink.h>

#include "side/ship/body.h"
#include "sinks/http/options.h"

enum {
    MRL_HTTP_ANSWER_MAX = 4 * 1024 * 1024, /**< bytes of an answer's body */
    MRL_HTTP_HEADERS_MAX = 64 * 1024,      /**< of its headers, with trailers */
    MRL_HTTP_WAIT_MAX_S = 600,             /**< the longest pause that is granted */
};

/** One connection. One thread. */
struct mrl_http;

struct mrl_http_request {
    const char *url;
    const char *content_type;
    /** Further lines "NAME: VALUE", ended by NULL; NULL: none. Borrowed. */
    const char *const *headers;
    const struct mrl_body *body;
    bool is_compressed; /**< to be, if it is large enough to be worth it */
    const int *stop;    /**< as mrl_items.stop */
};

/** Borrowed from the connection until the next request. */
struct mrl_http_answer {
    CURLcode result; /**< CURLE_OK: the answer is whole */
    long status;     /**< of HTTP; 0: there was none */
    const char *body;
    size_t size;
    uint32_t wait_ms;
    bool is_stopped;
    const char *why; /**< what went wrong, where `result` says that something did */
};

/**
 * A connection for URLs that begin with `destination`'s scheme, which is opened by the first
 * request. `authorization`: what stands before the token, "Bearer ". `fd` is what prepare() opened;
 * it is read here, and stays the caller's. `*ret_http` is new. Errors, with a line: -EINVAL,
 * -ENOMEM.
 */
int mrl_http__new(const char *destination,
                  const struct mrl_http_options *options,
                  const char *authorization,
                  int fd,
                  struct mrl_error *error,
                  struct mrl_http **ret_http);

/** NULL is allowed. */
void mrl_http__free(struct mrl_http *http);

/** Secrets as they are by now, in place of those that are used. Errors as mrl_http__new(); then the
 * old ones stay in use. */
int mrl_http__take_files(struct mrl_http *http, int fd, struct mrl_error *error);

/** Of a file that was given: its text; NULL: it was not. Borrowed until mrl_http__take_files(). */
const char *mrl_http__file(const struct mrl_http *http, enum mrl_file file);

/** Sends, and waits for the answer. Redirects are never followed. */
void mrl_http__post(struct mrl_http *http,
                    const struct mrl_http_request *request,
                    struct mrl_http_answer *ret_answer);

/** Connects to the host of `url`, by TLS where that is its, and no more. `stop` as
 * mrl_items.stop. -EHOSTUNREACH, with a line. */
int mrl_http__look(struct mrl_http *http,
                   const char *url,
                   const int *stop,
                   struct mrl_error *error);

/** The handle itself, for what only one protocol needs: set between two requests. Borrowed. */
CURL *mrl_http__curl(struct mrl_http *http);

/** Copies `size` bytes that a server sent as a line of text, without secrets and without what is no
 * text. Returns `line`. */
const char *mrl_http__quote(const struct mrl_http *http,
                            const char *bytes,
                            size_t size,
                            char line[200]);

#endif
