// SPDX-License-Identifier: Apache-2.0
/*
 * libmicrohttpd reads and writes, on one thread; who is let in and for how long is the listener's.
 * What a connection may make it keep is bounded, and nothing of a request's body is read.
 */
#include "side/metrics/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/metrics/listener.h"
#include "side/metrics/pages.h"

enum {
    REQUEST_BYTES = 16 * 1024, /* its head, with what the library keeps of it */
    /* Never come to, as the listener takes fewer: one that the library (0.9.75) refuses by its own
     * limit may leave a lock of it held, and its thread hanging. */
    LIMIT = 2 * MRL_HTTP_FILES,
};

struct mrl_http_server {
    int socket;
    struct MHD_Daemon *daemon;
    struct mrl_http_listener *listener;
};

/* -- a request -------------------------------------------------------------------------------- */

static enum MHD_Result send_page(struct MHD_Connection *connection, const struct mrl_page *page)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        page->size, (void *)(uintptr_t)page->bytes, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result done = MHD_NO;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    done = MHD_queue_response(connection, page->status, response);
    MHD_destroy_response(response);
    return done;
}

static enum MHD_Result on_request(void *context,
                                  struct MHD_Connection *connection,
                                  const char *path,
                                  const char *method,
                                  const char *version,
                                  const char *body,
                                  size_t *body_size,
                                  void **of_request)
{
    struct mrl_page page;

    (void)context;
    (void)version;
    (void)body;
    (void)body_size;
    (void)of_request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        mrl_page__say(MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n", &page);
    else
        mrl_page__get(
            path, MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT),
            &page);
    return send_page(connection, &page);
}

/* -- connections ------------------------------------------------------------------------------ */

static void on_connection(void *context,
                          struct MHD_Connection *connection,
                          void **of_connection,
                          enum MHD_ConnectionNotificationCode what)
{
    const struct mrl_http_server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    (void)of_connection;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED && info && server->listener)
        mrl_http_listener__forget(server->listener, info->connect_fd);
}

/* What cannot be taken is closed there. */
static void take(void *context, int fd, const struct sockaddr *peer, socklen_t peer_size)
{
    struct mrl_http_server *server = context;

    if (MHD_add_connection(server->daemon, fd, peer, peer_size) == MHD_NO)
        mrl_http_listener__forget(server->listener, fd);
}

/* What strangers send is no news. */
static void say_nothing(void *context, const char *format, va_list arguments)
{
    (void)context;
    (void)format;
    (void)arguments;
}

/* -- life ------------------------------------------------------------------------------------- */

int mrl_http_server__open(int socket,
                          const struct mrl_metrics_options *options,
                          struct mrl_error *error,
                          struct mrl_http_server **ret_server)
{
    struct mrl_http_server *server = calloc(1, sizeof(*server));

    if (!server)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    server->socket = socket;
    mrl_page_names = (enum mrl_metrics_names)options->names;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, NULL, NULL,
        on_request, server, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)REQUEST_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_END);
    if (!server->daemon) {
        free(server);
        return mrl_error__set(error, -EAGAIN, "the server of metrics: no thread");
    }
    *ret_server = server;
    return 0;
}

int mrl_http_server__serve(struct mrl_http_server *server, struct mrl_error *error)
{
    int err = mrl_http_listener__open(server->socket, take, server, &server->listener);

    return err ? mrl_error__set(error, err, "the server of metrics: %s", strerror(-err)) : 0;
}

bool mrl_http_server__lives(const struct mrl_http_server *server)
{
    return !server->listener || mrl_http_listener__lives(server->listener);
}

void mrl_http_server__close(struct mrl_http_server *server)
{
    if (server->listener)
        mrl_http_listener__stop(server->listener);
    MHD_stop_daemon(server->daemon);
    mrl_http_listener__free(server->listener);
    close(server->socket);
    free(server);
}
