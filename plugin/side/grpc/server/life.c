// SPDX-License-Identifier: Apache-2.0
#include "side/grpc/server/life.h"

#include <errno.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "side/grpc/common/program.h"
#include "side/grpc/listen/listener.h"
#include "side/grpc/listen/relay.h"
#include "side/grpc/listen/tls.h"
#include "side/grpc/server/backlog.h"
#include "side/grpc/server/call.h"
#include "side/grpc/server/health.h"
#include "side/grpc/server/methods.h"
#include "side/grpc/server/server.h"
#include "side/grpc/server/stream.h"

enum {
    AWAITED_CALLS = 32,
    PAST_QUEUE_MAX = 64, /* completions, before others have their turn */
    DRAIN_MS = 700,      /* for those who still read */
    LINGER_MS = 200,     /* a client's core drops what it has when it hears of an error */
    RECENT_MS = 500,
    GRACE_MS = 200,
    KEEPALIVE_MS = 5000, /* as Tracee's */
    KEEPALIVE_TIMEOUT_MS = 1000,
    REQUEST_BYTES = 256 * 1024,
    METADATA_BYTES = 128 * 1024,
    QUOTA_BYTES = 48 * 1024 * 1024, /* of core's buffers */
};

/* The one of this process. */
static struct mrl_server *opened;

/* -- threads ---------------------------------------------------------------------------------- */

static void on_shut(struct mrl_call *server, bool ok)
{
    (void)ok;
    atomic_store(&((struct mrl_server *)(void *)server)->shut, true);
}

/* Each tag holds its call until done() returns, but for the tag of the server's end, which has
 * none. `is_busy` lets the end wait until no thread is inside done(): a batch that is started on
 * a queue that ends makes core abort. */
static void handle(struct mrl_server_queue *queue, const void *from_core, bool ok)
{
    struct mrl_call_tag tag;

    atomic_store(&queue->is_busy, true);
    MRL_ACQUIRE(from_core);
    tag = *(const struct mrl_call_tag *)from_core; /* which may be used again from now on */
    tag.done(tag.call, ok);
    if (tag.done != on_shut)
        mrl_call__release(tag.call);
    atomic_store_explicit(&queue->done,
                          atomic_load_explicit(&queue->done, memory_order_relaxed) + 1,
                          memory_order_relaxed); /* of this thread alone */
    atomic_store_explicit(&queue->is_busy, false, memory_order_release);
}

/* What a handler completes at once, as a send into core's buffer, core keeps for this thread where
 * it is told to, and so past the queue's lock and its polling. */
static bool handle_and_take(struct mrl_server_queue *queue, void **tag, int *ok)
{
    grpc_completion_queue_thread_local_cache_init(queue->core);
    handle(queue, *tag, *ok);
    return grpc_completion_queue_thread_local_cache_flush(queue->core, tag, ok);
}

static void serve(struct mrl_server_queue *queue)
{
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(queue->core, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        void *tag = event.tag;
        int ok = event.success, past_queue = 0;

        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return;
        while (past_queue < PAST_QUEUE_MAX && handle_and_take(queue, &tag, &ok))
            past_queue++;
        if (past_queue == PAST_QUEUE_MAX)
            handle(queue, tag, ok); /* what it completes waits behind the others */
    }
}

static void *run_queue(void *queue)
{
    sigset_t all;

    sigfillset(&all); /* signals are the program's */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    serve(queue);
    return NULL;
}

static int start_threads(struct mrl_server *server)
{
    for (; server->thread_count < MRL_QUEUE_COUNT; server->thread_count++)
        if (pthread_create(&server->queues[server->thread_count].thread, NULL, run_queue,
                           &server->queues[server->thread_count]))
            return -EAGAIN;
    return 0;
}

/* -- opening ---------------------------------------------------------------------------------- */

static void accept_connection(void *context, int fd)
{
    struct mrl_server *server = context;
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();

    grpc_server_add_channel_from_fd(server->core, fd, plain);
    grpc_server_credentials_release(plain);
}

static bool is_full(void *context)
{
    return mrl_bounds__are_full(&((struct mrl_server *)context)->bounds);
}

static void tick(void *context)
{
    mrl_calls__end_late(context);
}

static grpc_server *make_core(void)
{
    static const struct {
        const char *name;
        int value;
    } settings[] = {
        { GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS },
        { GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS },
        { GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1 },
        { GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000 },
        { GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, REQUEST_BYTES },
        { GRPC_ARG_MAX_CONCURRENT_STREAMS, 2 * MRL_SHARE_CALLS },
        { GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES },
    };
    enum { COUNT = sizeof(settings) / sizeof(settings[0]) };
    grpc_resource_quota *quota = grpc_resource_quota_create("server");
    grpc_arg rows[COUNT + 1];
    grpc_channel_args arguments = { COUNT + 1, rows };
    grpc_server *core;

    grpc_resource_quota_resize(quota, QUOTA_BYTES);
    rows[COUNT] = (grpc_arg){ .type = GRPC_ARG_POINTER,
                              .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
                              .value.pointer = { quota, grpc_resource_quota_arg_vtable() } };
    for (size_t i = 0; i < COUNT; i++)
        rows[i] = (grpc_arg){ .type = GRPC_ARG_INTEGER,
                              .key = (char *)(uintptr_t)settings[i].name,
                              .value.integer = settings[i].value };
    core = grpc_server_create(&arguments, NULL);
    grpc_resource_quota_unref(quota);
    return core;
}

/* Takes the descriptors over. */
static int listen_at(struct mrl_server *server, const int *fds, struct mrl_error *error)
{
    int err = 0;

    if (*server->options.cert)
        err = mrl_tls__open(&server->options, fds, error, &server->tls);
    if (!err && server->tls && mrl_relays__new(server->tls, &server->relays))
        err = mrl_error__set(error, -EAGAIN, "no thread for TLS");
    for (int i = MRL_GRPC_FD_CERT; i <= MRL_GRPC_FD_CA; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (err)
        close(fds[MRL_GRPC_FD_SOCKET]);
    else
        err =
            mrl_listener__open(fds[MRL_GRPC_FD_SOCKET], &server->options, error, &server->listener);
    return err;
}

/* Starts core even after an error, because mrl_server__close() waits for an answer that only a
 * started server with threads gives. */
static int start(struct mrl_server *server, const char *destination, struct mrl_error *error)
{
    const struct mrl_listener_owner owner = { server->relays, accept_connection,    is_full,
                                              tick,           mrl_server__progress, server };
    int err = start_threads(server);

    if (err)
        return mrl_error__set(error, err, "%.256s: no thread", destination);
    grpc_server_start(server->core);
    for (int i = 0; i < AWAITED_CALLS; i++)
        mrl_call__await(server);
    if (mrl_listener__start(server->listener, &owner))
        err = mrl_error__set(error, -EAGAIN, "%.256s: no thread", destination);
    return err;
}

/* Without a client certificate or the credentials of a unix socket, a client may be anybody. */
static void warn_of_anybody(const struct mrl_server *server, const char *destination)
{
    if (*server->options.client_ca || mrl_listener__is_unix(server->listener))
        return;
    mrl_grpc__log(MRL_LOG_WARNING, "%.256s: whoever can connect is served", destination);
}

int mrl_server__open(const char *destination,
                     const struct mrl_server_options *options,
                     const int *fds,
                     struct mrl_error *error,
                     struct mrl_server **ret_server)
{
    struct mrl_server *server = calloc(1, sizeof(*server));
    int err;

    if (!server)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    server->options = *options;
    server->methods = mrl_methods;
    server->method_count = mrl_method_count;
    err = mrl_backlog__new(&server->backlog) ? mrl_error__set(error, -ENOMEM, "out of memory")
                                             : listen_at(server, fds, error);
    if (err) {
        mrl_relays__free(server->relays);
        mrl_tls__close(server->tls);
        mrl_backlog__free(server->backlog);
        free(server);
        return err;
    }
    pthread_mutex_init(&server->lock, NULL);
    pthread_mutex_init(&server->shares.lock, NULL);
    pthread_mutex_init(&server->bounds.lock, NULL);
    server->core = make_core();
    for (int i = 0; i < MRL_QUEUE_COUNT; i++) {
        server->queues[i].core = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server->core, server->queues[i].core, NULL);
    }
    err = start(server, destination, error);
    if (err) {
        mrl_server__close(server);
        return err;
    }
    warn_of_anybody(server, destination);
    opened = server;
    *ret_server = server;
    return 0;
}

int mrl_server__reload(struct mrl_server *server, const int *fds, struct mrl_error *error)
{
    return server->tls ? mrl_tls__reload(server->tls, fds, error) : 0;
}

bool mrl_servers__live(void)
{
    struct mrl_server *server = opened;
    bool live = true;

    for (int i = 0; server && i < MRL_QUEUE_COUNT; i++) {
        struct mrl_server_queue *queue = &server->queues[i];
        unsigned long done = atomic_load_explicit(&queue->done, memory_order_relaxed);

        live &= !atomic_load(&queue->is_busy) || done != queue->done_before;
        queue->done_before = done;
    }
    return live;
}

/* -- the end ---------------------------------------------------------------------------------- */

static void sleep_ms(int ms)
{
    gpr_sleep_until(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN)));
}

static void wait_until_shut(struct mrl_server *server, unsigned int ms)
{
    for (unsigned int waited = 0; waited < ms && !atomic_load(&server->shut); waited += 5)
        sleep_ms(5);
}

/* Lets those who read have all that there is, and then the time to read it. What a peer has not
 * read is lost with the connection: its own core closes that when it cannot write. */
static void drain(struct mrl_server *server)
{
    bool is_recent =
        mrl_clock__ns(CLOCK_MONOTONIC) / 1000000 - atomic_load(&server->published_ms) < RECENT_MS;

    for (int waited = 0; waited < DRAIN_MS && (!mrl_server__has_drained(server) ||
                                               mrl_listener__unread(server->listener));
         waited += 5)
        sleep_ms(5);
    atomic_store(&server->cut_short, mrl_listener__unread(server->listener));
    if (is_recent)
        sleep_ms(LINGER_MS);
    atomic_store(&server->closing, true);
    mrl_server__end_streams(server);
}

/* First politely, then by cancelling, then by cutting: no peer can hold it up. */
static void shut(struct mrl_server *server)
{
    struct mrl_call_tag tag = { (struct mrl_call *)(void *)server, on_shut };

    atomic_store(&server->ending, true);
    mrl_listener__stop(server->listener);
    MRL_RELEASE(&tag);
    grpc_server_shutdown_and_notify(server->core, server->queues[MRL_QUEUE_NEW].core, &tag);
    mrl_health__end(server);
    drain(server);
    wait_until_shut(server, GRACE_MS);
    grpc_server_cancel_all_calls(server->core);
    wait_until_shut(server, GRACE_MS);
    mrl_listener__cut(server->listener, -1);
    wait_until_shut(server, UINT32_MAX);
    /* A thread that did not see that yet may start a batch: on a queue that ends, core aborts. */
    for (int i = 0; i < MRL_QUEUE_COUNT; i++)
        while (atomic_load(&server->queues[i].is_busy))
            sched_yield();
}

/* Counts what core took. Whether a client has read it cannot be known. */
static void say_totals(const struct mrl_server *server)
{
    const struct mrl_bounds *bounds = &server->bounds;

    if (atomic_load(&server->clients))
        mrl_grpc__log(MRL_LOG_INFO,
                      "grpc: %llu streams: %llu messages sent; %llu events missed by clients that "
                      "did not keep up, and told; %llu clients sent away",
                      atomic_load(&server->clients), atomic_load(&server->sent),
                      atomic_load(&server->missed), atomic_load(&server->sent_away));
    if (atomic_load(&bounds->refused) || atomic_load(&bounds->late) || atomic_load(&bounds->cut))
        mrl_grpc__log(MRL_LOG_WARNING,
                      "grpc: over a bound: %llu calls refused, %llu whose request did not come, "
                      "%llu connections cut, and %llu refused of peers that were cut before",
                      atomic_load(&bounds->refused), atomic_load(&bounds->late),
                      atomic_load(&bounds->cut), mrl_listener__turned_away(server->listener));
    if (atomic_load(&server->unsent))
        mrl_grpc__log(MRL_LOG_WARNING, "grpc: %llu events were not sent before the end",
                      atomic_load(&server->unsent));
    if (atomic_load(&server->cut_short))
        mrl_grpc__log(MRL_LOG_WARNING,
                      "grpc: %llu connections ended before their peers had read what was sent",
                      atomic_load(&server->cut_short));
}

void mrl_server__close(struct mrl_server *server)
{
    opened = NULL;
    if (server->thread_count)
        shut(server);
    for (int i = 0; i < MRL_QUEUE_COUNT; i++)
        grpc_completion_queue_shutdown(server->queues[i].core);
    for (unsigned int i = 0; i < server->thread_count; i++)
        pthread_join(server->queues[i].thread, NULL);
    grpc_server_destroy(server->core);
    say_totals(server);
    for (int i = 0; i < MRL_QUEUE_COUNT; i++)
        grpc_completion_queue_destroy(server->queues[i].core);
    mrl_listener__close(server->listener);
    mrl_relays__free(server->relays);
    mrl_tls__close(server->tls);
    mrl_backlog__free(server->backlog);
    pthread_mutex_destroy(&server->shares.lock);
    pthread_mutex_destroy(&server->bounds.lock);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
