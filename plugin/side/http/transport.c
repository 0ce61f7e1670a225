// SPDX-License-Identifier: Apache-2.0
#include "side/http/transport.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "side/ship/files.h"

enum {
    CONNECT_S = 10,
    LOOK_S = 3,
    STEP_MS = 100,
    HEADERS_MAX = 32,
    COMPRESS_FROM = 1024,
    HEADER_BYTES = 8192
};

struct mrl_http {
    CURL *easy;
    CURLM *multi;
    struct mrl_files files;
    const char *authorization;
    const struct mrl_http_options *options;
    char scheme[8];
    struct mrl_body compressed, answer;
    size_t header_bytes;
    const int *stop;
    bool is_too_long, has_headers;
    char error[CURL_ERROR_SIZE];
};

/* -- what libcurl calls ----------------------------------------------------------------------- */

/* Less than it was given ends the request. */
static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct mrl_http *http = context;

    (void)one;
    if (http->answer.size + size > MRL_HTTP_ANSWER_MAX) {
        http->is_too_long = true;
        return 0;
    }
    mrl_body__put(&http->answer, bytes, size);
    return http->answer.failed ? 0 : size;
}

static size_t take_header(char *bytes, size_t one, size_t size, void *context)
{
    struct mrl_http *http = context;

    (void)one;
    /* An answer that ends amid its headers is none to us; libcurl takes it for one. */
    if (size >= 5 && !memcmp(bytes, "HTTP/", 5))
        http->has_headers = false;
    http->has_headers = http->has_headers || (size <= 2 && bytes[size - 1] == '\n');
    http->header_bytes += size;
    http->is_too_long = http->is_too_long || http->header_bytes > MRL_HTTP_HEADERS_MAX;
    return http->is_too_long ? 0 : size;
}

/* -- settings --------------------------------------------------------------------------------- */

static void set_blob(struct mrl_http *http, CURLoption option, enum mrl_file file)
{
    struct curl_blob blob = { http->files.texts[file], http->files.sizes[file], CURL_BLOB_COPY };

    curl_easy_setopt(http->easy, option, blob.len ? &blob : NULL);
}

static void set_tls(struct mrl_http *http)
{
    curl_easy_setopt(http->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(http->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(http->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    set_blob(http, CURLOPT_CAINFO_BLOB, MRL_FILE_CA);
    set_blob(http, CURLOPT_SSLCERT_BLOB, MRL_FILE_CERT);
    set_blob(http, CURLOPT_SSLKEY_BLOB, MRL_FILE_KEY);
    if (*http->options->pin)
        curl_easy_setopt(http->easy, CURLOPT_PINNEDPUBLICKEY, http->options->pin);
}

static void set_proxy(struct mrl_http *http)
{
    const struct mrl_http_options *options = http->options;

    /* "" keeps libcurl from what the environment names. */
    curl_easy_setopt(http->easy, CURLOPT_PROXY, options->proxy);
    curl_easy_setopt(http->easy, CURLOPT_PROXYPORT,
                     options->proxy_port ? (long)options->proxy_port : 3128L);
    curl_easy_setopt(http->easy, CURLOPT_NOPROXY, "");
}

static void set_bounds(struct mrl_http *http)
{
    uint64_t ns = http->options->timeout_ns;

    curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, http->scheme);
    curl_easy_setopt(http->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(http->easy, CURLOPT_TIMEOUT_MS,
                     ns ? (long)(ns / 1000000) : MRL_HTTP_TIMEOUT_S * 1000L);
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static int set_up(struct mrl_http *http)
{
    http->easy = curl_easy_init();
    http->multi = curl_multi_init();
    if (!http->easy || !http->multi)
        return -ENOMEM;
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L);
    set_bounds(http);
    set_proxy(http);
    set_tls(http);
    return 0;
}

int mrl_http__new(const char *destination,
                  const struct mrl_http_options *options,
                  const char *authorization,
                  int fd,
                  struct mrl_error *error,
                  struct mrl_http **ret_http)
{
    struct mrl_http *http = calloc(1, sizeof(*http));
    bool is_tls = !strncmp(destination, "https:", 6) || !strncmp(destination, "grpcs:", 6);
    int err = http ? 0 : -ENOMEM;

    if (!err) {
        http->options = options;
        http->authorization = authorization;
        snprintf(http->scheme, sizeof(http->scheme), "%s", is_tls ? "https" : "http");
        err = mrl_files__read(fd, &http->files);
    }
    if (!err)
        err = set_up(http);
    if (err) {
        mrl_http__free(http);
        return mrl_error__set(error, err, "HTTP: %s", strerror(-err));
    }
    *ret_http = http;
    return 0;
}

void mrl_http__free(struct mrl_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    mrl_files__done(&http->files);
    mrl_body__done(&http->compressed);
    mrl_body__done(&http->answer);
    free(http);
}

int mrl_http__take_files(struct mrl_http *http, int fd, struct mrl_error *error)
{
    struct mrl_files files;
    int err = mrl_files__read(fd, &files);

    if (err)
        return mrl_error__set(error, err, "secrets: %s", strerror(-err));
    mrl_files__done(&http->files);
    http->files = files;
    set_tls(http);
    /* What is open was opened by the old ones. */
    curl_easy_setopt(http->easy, CURLOPT_FRESH_CONNECT, 1L);
    return 0;
}

const char *mrl_http__file(const struct mrl_http *http, enum mrl_file file)
{
    return http->files.sizes[file] ? http->files.texts[file] : NULL;
}

/* User and password, as they are sent, up to what may be padding. */
static void put_pair(const struct mrl_http *http, char digits[1400])
{
    unsigned char pair[1024];
    int size = snprintf((char *)pair, sizeof(pair), "%s:%s", http->options->user,
                        http->files.texts[MRL_FILE_PASSWORD]);

    if (size > 0 && (size_t)size < sizeof(pair)) {
        EVP_EncodeBlock((unsigned char *)digits, pair, size);
        digits[(size_t)size / 3 * 4] = '\0';
    }
    explicit_bzero(pair, sizeof(pair));
}

const char *mrl_http__quote(const struct mrl_http *http,
                            const char *bytes,
                            size_t size,
                            char line[200])
{
    char pair[1400] = "";

    if (http->files.sizes[MRL_FILE_PASSWORD])
        put_pair(http, pair);
    mrl_files__quote(&http->files, pair, bytes, size, line);
    explicit_bzero(pair, sizeof(pair));
    return line;
}

CURL *mrl_http__curl(struct mrl_http *http)
{
    return http->easy;
}

/* -- a request -------------------------------------------------------------------------------- */

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    *list = longer ? longer : *list;
    return longer;
}

/* Those of a file: a header a line; what is none is left out. */
static bool add_lines(struct curl_slist **list, const char *lines)
{
    char line[HEADER_BYTES];
    bool ok = true;

    for (unsigned int i = 0; ok && *lines && i < HEADERS_MAX; i++) {
        size_t size = strcspn(lines, "\r\n");

        snprintf(line, sizeof(line), "%.*s", (int)size, lines);
        if (strchr(line, ':'))
            ok = add_header(list, line);
        lines += size + strspn(lines + size, "\r\n");
    }
    explicit_bzero(line, sizeof(line));
    return ok;
}

static bool add_token(struct mrl_http *http, struct curl_slist **list)
{
    char line[HEADER_BYTES];
    bool ok;

    if (!http->files.sizes[MRL_FILE_TOKEN])
        return true;
    snprintf(line, sizeof(line), "Authorization: %s%s", http->authorization,
             http->files.texts[MRL_FILE_TOKEN]);
    ok = add_header(list, line);
    explicit_bzero(line, sizeof(line));
    return ok;
}

/* NULL: no memory. */
static struct curl_slist *headers_of(struct mrl_http *http,
                                     const struct mrl_http_request *request,
                                     bool is_compressed)
{
    struct curl_slist *list = NULL;
    char line[256];
    bool ok;

    snprintf(line, sizeof(line), "Content-Type: %s", request->content_type);
    /* Without the first, a body of more than 1 MB waits for a word from the server. */
    ok = add_header(&list, "Expect:") && add_header(&list, line) &&
         (!is_compressed || add_header(&list, "Content-Encoding: gzip")) &&
         add_header(&list, "User-Agent: mrelease") && add_token(http, &list);
    for (const char *const *header = request->headers; ok && header && *header; header++)
        ok = add_header(&list, *header);
    if (ok && http->files.sizes[MRL_FILE_HEADERS])
        ok = add_lines(&list, http->files.texts[MRL_FILE_HEADERS]);
    if (!ok)
        curl_slist_free_all(list);
    return ok ? list : NULL;
}

static void set_password(struct mrl_http *http)
{
    if (!http->files.sizes[MRL_FILE_PASSWORD])
        return;
    curl_easy_setopt(http->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(http->easy, CURLOPT_USERNAME, http->options->user);
    curl_easy_setopt(http->easy, CURLOPT_PASSWORD, http->files.texts[MRL_FILE_PASSWORD]);
}

static bool is_stopped(const struct mrl_http *http)
{
    return http->stop && __atomic_load_n(http->stop, __ATOMIC_RELAXED);
}

/* In steps, so that a stop is seen. */
static CURLcode perform(struct mrl_http *http)
{
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    CURLMsg *message;

    if (curl_multi_add_handle(http->multi, http->easy))
        return CURLE_OUT_OF_MEMORY;
    while (running && !is_stopped(http)) {
        if (curl_multi_perform(http->multi, &running))
            break;
        if (running)
            curl_multi_poll(http->multi, NULL, 0, STEP_MS, NULL);
    }
    while ((message = curl_multi_info_read(http->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            result = message->data.result;
    curl_multi_remove_handle(http->multi, http->easy);
    return result;
}

/* By a handle of its own, with whose end the connection is closed. */
int mrl_http__look(struct mrl_http *http, const char *url, const int *stop, struct mrl_error *error)
{
    CURL *const easy = http->easy;
    CURLcode result = CURLE_OUT_OF_MEMORY;

    http->error[0] = '\0';
    http->stop = stop;
    http->easy = curl_easy_duphandle(easy);
    if (http->easy) {
        curl_easy_setopt(http->easy, CURLOPT_URL, url);
        curl_easy_setopt(http->easy, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT, (long)LOOK_S);
        result = perform(http);
        curl_easy_cleanup(http->easy);
    }
    http->easy = easy;
    if (result == CURLE_OK || is_stopped(http))
        return 0;
    return mrl_error__set(error, -EHOSTUNREACH, "%.200s",
                          *http->error ? http->error : curl_easy_strerror(result));
}

static void fill_answer(struct mrl_http *http, CURLcode result, struct mrl_http_answer *answer)
{
    curl_off_t wait_s = 0;

    mrl_body__put(&http->answer, "", 1); /* a NUL behind it */
    *answer = (struct mrl_http_answer){ .result = result,
                                        .is_stopped = is_stopped(http),
                                        .body = http->answer.bytes,
                                        .size = http->answer.size - (http->answer.size > 0) };
    if (http->answer.failed)
        *answer = (struct mrl_http_answer){ .result = CURLE_OUT_OF_MEMORY, .body = "" };
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &wait_s);
    wait_s = wait_s < MRL_HTTP_WAIT_MAX_S ? wait_s : MRL_HTTP_WAIT_MAX_S;
    answer->wait_ms = wait_s > 0 ? (uint32_t)wait_s * 1000 : 0;
    answer->why = http->is_too_long ? "the answer is too long"
                  : *http->error    ? http->error
                                    : curl_easy_strerror(result);
}

void mrl_http__post(struct mrl_http *http,
                    const struct mrl_http_request *request,
                    struct mrl_http_answer *ret_answer)
{
    const struct mrl_body *body = request->body;
    bool is_compressed = request->is_compressed && body->size >= COMPRESS_FROM &&
                         !mrl_body__compress(body, &http->compressed);
    struct curl_slist *headers = headers_of(http, request, is_compressed);
    CURLcode result = CURLE_OUT_OF_MEMORY;

    body = is_compressed ? &http->compressed : body;
    mrl_body__empty(&http->answer);
    http->header_bytes = 0;
    http->is_too_long = http->has_headers = false;
    http->error[0] = '\0';
    http->stop = request->stop;
    if (headers && !request->body->failed) {
        set_password(http);
        curl_easy_setopt(http->easy, CURLOPT_URL, request->url);
        curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(http->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body->size ? body->bytes : "");
        result = perform(http);
        if (result == CURLE_OK && !http->has_headers)
            result = CURLE_PARTIAL_FILE;
        curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
        curl_easy_setopt(http->easy, CURLOPT_FRESH_CONNECT, 0L);
    }
    fill_answer(http, result, ret_answer);
    curl_slist_free_all(headers);
}
