// SPDX-License-Identifier: Apache-2.0
/* StreamEvents, from the frames that an output writes to what a client of ours reads. */
#include <errno.h>
#include <google/protobuf/field_mask.pb-c.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tracee/v1beta1/tracee.pb-c.h>
#include <unistd.h>

#include "side/grpc/client/answer.h"
#include "side/grpc/client/channel.h"
#include "side/grpc/common/program.h"
#include "side/grpc/common/verbs.h"
#include "side/grpc/server/health.h"
#include "side/grpc/server/life.h"
#include "side/grpc/server/server.h"
#include "side/grpc/server/stream.h"
#include "sinks/grpc_options.h"
#include "sinks/listen/address.h"
#include "unit/lines.h"
#include "unit/unit.h"

enum { WAIT_MS = 20000, STEP_MS = 5, TAKEN_MAX = 64 * 1024, PATHS_MAX = 4 };

static void ignore_log(enum mrl_log_level level, const char *text)
{
    (void)level;
    (void)text;
}

static const struct mrl_grpc_program program = { .log = ignore_log };

static int begin_module(void **state)
{
    (void)state;
    mrl_grpc_program = &program;
    grpc_init();
    return 0;
}

/* -- memory ----------------------------------------------------------------------------------- */

static atomic_bool starves; /* nobody gets room for a message */
static atomic_uint starved; /* how often */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (size != MRL_EVENT_TEXT_MAX || !atomic_load(&starves))
        return __real_malloc(size);
    atomic_fetch_add(&starved, 1);
    return NULL;
}

/* -- a server, and one client on a thread of its own ------------------------------------------ */

struct stream {
    struct mrl_server *server;
    struct mrl_address address;
    struct mrl_encoder *frames;
    char path[64], destination[80];
    char *paths[PATHS_MAX]; /* of the mask */
    size_t path_count;      /* 0: no mask */
    pthread_t thread;
    char taken[TAKEN_MAX]; /* the first message */
    size_t taken_size;
    atomic_bool is_over;
};

static int take(void *context, const uint8_t *bytes, size_t size)
{
    struct stream *stream = context;

    if (size > sizeof(stream->taken))
        return -EMSGSIZE;
    memcpy(stream->taken, bytes, size);
    stream->taken_size = size;
    return -ENODATA;
}

static void *read_first(void *context)
{
    static const int never = 0;
    struct stream *stream = context;
    const struct mrl_grpc_peer peer = { .server = stream->destination,
                                        .timeout_ms = WAIT_MS,
                                        .stop = &never };
    Tracee__V1beta1__StreamEventsRequest request = TRACEE__V1BETA1__STREAM_EVENTS_REQUEST__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    struct mrl_client_call call = { .path = "/tracee.v1beta1.TraceeService/StreamEvents",
                                    .timeout_ms = WAIT_MS,
                                    .take = take,
                                    .context = stream };
    struct mrl_error error;

    mask.paths = stream->paths;
    mask.n_paths = stream->path_count;
    request.mask = stream->path_count ? &mask : NULL;
    mrl_client__call(&peer, &request.base, &call, &error);
    atomic_store(&stream->is_over, true);
    return NULL;
}

static void begin_with(struct stream *stream,
                       const struct mrl_server_options *options,
                       void *(*read)(void *context),
                       void *context)
{
    struct mrl_error error = { "" };
    int fds[MRL_SINK_FDS_MAX] = { -1, -1, -1, -1 };

    snprintf(stream->path, sizeof(stream->path), "/tmp/mrelease-test-stream-%d", (int)getpid());
    snprintf(stream->destination, sizeof(stream->destination), "unix:%s", stream->path);
    assert_int_equal(mrl_address__listen(stream->destination, options, &error, &stream->address),
                     0);
    fds[0] = dup(stream->address.socket);
    assert_int_equal(mrl_server__open(stream->destination, options, fds, &error, &stream->server),
                     0);
    mrl_health__set(true);
    stream->frames = test_encoder("grpc-main", NULL);
    assert_int_equal(pthread_create(&stream->thread, NULL, read, context), 0);
}

static void begin(struct stream *stream)
{
    const struct mrl_server_options options = { .is_main = true };

    begin_with(stream, &options, read_first, stream);
}

/* The event again and again, until the client, who may come late, had enough. */
static void publish(struct stream *stream, const struct mrl_event *event)
{
    static char frame[MRL_EVENT_TEXT_MAX];
    ssize_t size = mrl_encoder__put(stream->frames, event, frame, sizeof(frame));
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
    const struct mrl_chunk chunk = { frame, (size_t)size, 1, NULL, NULL, NULL };

    assert_true(size > 0);
    for (int waited = 0; !atomic_load(&stream->is_over); waited += STEP_MS) {
        assert_true(waited < WAIT_MS);
        mrl_server__publish(stream->server, &chunk);
        nanosleep(&step, NULL);
    }
}

static void close_all(struct stream *stream)
{
    assert_int_equal(pthread_join(stream->thread, NULL), 0);
    mrl_server__close(stream->server);
    mrl_address__release(&stream->address);
    mrl_encoder__free(stream->frames);
    unlink(stream->path);
}

static Tracee__V1beta1__StreamEventsResponse *end(struct stream *stream)
{
    close_all(stream);
    return tracee__v1beta1__stream_events_response__unpack(NULL, stream->taken_size,
                                                           (const uint8_t *)stream->taken);
}

/* What a client with this mask gets of a call. */
static Tracee__V1beta1__StreamEventsResponse *stream_with(const char *const *paths)
{
    static struct stream stream;
    struct test_event event;

    stream = (struct stream){ .path_count = 0 };
    for (; paths && paths[stream.path_count]; stream.path_count++)
        stream.paths[stream.path_count] = (char *)(uintptr_t)paths[stream.path_count];
    test_event__init(&event, "process_mrelease");
    begin(&stream);
    publish(&stream, &event.event);
    return end(&stream);
}

/* -- tests ------------------------------------------------------------------------------------ */

static void a_client_without_a_mask_gets_all(void **state)
{
    Tracee__V1beta1__StreamEventsResponse *response = stream_with(NULL);

    (void)state;
    assert_true(response && response->event);
    assert_string_equal(response->event->name, "process_mrelease");
    assert_non_null(response->event->timestamp);
    assert_non_null(response->event->workload);
    assert_int_equal(response->event->n_data, 3);
    tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
}

static void a_clients_mask_is_applied(void **state)
{
    static const char *const paths[] = { "name", "workload.process.thread.name", NULL };
    Tracee__V1beta1__StreamEventsResponse *response = stream_with(paths);
    const Tracee__V1beta1__Thread *thread;

    (void)state;
    assert_true(response && response->event);
    assert_string_equal(response->event->name, "process_mrelease");
    assert_int_equal(response->event->id, 0);
    assert_null(response->event->timestamp);
    assert_int_equal(response->event->n_data, 0);
    assert_true(response->event->workload && response->event->workload->process);
    assert_null(response->event->workload->process->host_pid);
    thread = response->event->workload->process->thread;
    assert_non_null(thread);
    assert_true(*thread->name);
    assert_null(thread->tid);
    tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
}

/* -- a client that does not keep up ----------------------------------------------------------- */

enum { CHUNK_BYTES = 128 * 1024, CHUNKS_MAX = 4096 };

struct slow {
    struct stream stream;
    atomic_bool reads, is_told; /* from now on; of a gap */
    bool gets_nonsense;
    unsigned int published;
    grpc_status_code status;
};

/* Waits at the first message until it may go on. Ends with the gap. */
static int take_slowly(void *context, const uint8_t *bytes, size_t size)
{
    struct slow *slow = context;
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
    Tracee__V1beta1__StreamEventsResponse *response;

    for (int waited = 0; !atomic_load(&slow->reads) && waited < WAIT_MS; waited += STEP_MS)
        nanosleep(&step, NULL);
    response = tracee__v1beta1__stream_events_response__unpack(NULL, size, bytes);
    slow->gets_nonsense |= !response || !response->event || !*response->event->name;
    if (!slow->gets_nonsense && !strcmp(response->event->name, "events_lost"))
        atomic_store(&slow->is_told, true);
    if (response)
        tracee__v1beta1__stream_events_response__free_unpacked(response, NULL);
    return atomic_load(&slow->is_told) || slow->gets_nonsense ? -ENODATA : 0;
}

static void *read_slowly(void *context)
{
    static const int never = 0;
    struct slow *slow = context;
    const struct mrl_grpc_peer peer = { .server = slow->stream.destination,
                                        .timeout_ms = WAIT_MS,
                                        .stop = &never };
    Tracee__V1beta1__StreamEventsRequest request = TRACEE__V1BETA1__STREAM_EVENTS_REQUEST__INIT;
    struct mrl_client_call call = { .path = "/tracee.v1beta1.TraceeService/StreamEvents",
                                    .timeout_ms = WAIT_MS,
                                    .take = take_slowly,
                                    .context = slow };
    struct mrl_error error;

    mrl_client__call(&peer, &request.base, &call, &error);
    slow->status = call.status;
    atomic_store(&slow->stream.is_over, true);
    return NULL;
}

/* As many frames of an event as a chunk holds. */
static struct mrl_chunk fill_chunk(struct mrl_encoder *frames, char bytes[CHUNK_BYTES])
{
    struct mrl_chunk chunk = { .bytes = bytes };
    struct test_event event;

    test_event__init(&event, "process_mrelease");
    while (CHUNK_BYTES - chunk.size >= MRL_EVENT_TEXT_MAX) {
        chunk.size += (size_t)mrl_encoder__put(frames, &event.event, bytes + chunk.size,
                                               CHUNK_BYTES - chunk.size);
        chunk.events++;
    }
    return chunk;
}

/* Publishes until `is_enough`. */
static void publish_until(struct slow *slow, bool (*is_enough)(struct slow *slow))
{
    static char bytes[CHUNK_BYTES];
    const struct mrl_chunk chunk = fill_chunk(slow->stream.frames, bytes);
    const struct timespec step = { .tv_nsec = 1000000 };

    for (int i = 0; !is_enough(slow); i++) {
        assert_true(i < CHUNKS_MAX);
        mrl_server__publish(slow->stream.server, &chunk);
        nanosleep(&step, NULL);
    }
}

static bool is_sent_away(struct slow *slow)
{
    return atomic_load(&slow->stream.server->sent_away);
}

static bool has_starved(struct slow *slow)
{
    (void)slow;
    return atomic_load(&starved) > 2;
}

/* More than the backlog, the sockets and both cores hold. */
static bool has_much(struct slow *slow)
{
    return slow->published++ == 256;
}

static bool is_over(struct slow *slow)
{
    return atomic_load(&slow->stream.is_over);
}

static void begin_slow(struct slow *slow, bool disconnect_slow)
{
    const struct mrl_server_options options = { .is_main = true,
                                                .disconnect_slow = disconnect_slow };

    begin_with(&slow->stream, &options, read_slowly, slow);
}

static void end_slow(struct slow *slow)
{
    close_all(&slow->stream);
    assert_false(slow->gets_nonsense);
}

static void who_does_not_keep_up_is_sent_away_where_that_is_asked_for(void **state)
{
    static struct slow slow;

    (void)state;
    begin_slow(&slow, true);
    publish_until(&slow, is_sent_away);
    atomic_store(&slow.reads, true);
    publish_until(&slow, is_over);
    end_slow(&slow);
    assert_int_equal(slow.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_false(slow.is_told);
}

/* Without memory the message of the gap waits: nothing is sent in its place. */
static void a_gap_is_told_when_there_is_memory(void **state)
{
    static struct slow slow;

    (void)state;
    begin_slow(&slow, false);
    publish_until(&slow, has_much);
    atomic_store(&starves, true);
    atomic_store(&slow.reads, true);
    publish_until(&slow, has_starved);
    atomic_store(&starves, false);
    publish_until(&slow, is_over);
    end_slow(&slow);
    assert_true(slow.is_told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_without_a_mask_gets_all),
        cmocka_unit_test(a_clients_mask_is_applied),
        cmocka_unit_test(who_does_not_keep_up_is_sent_away_where_that_is_asked_for),
        cmocka_unit_test(a_gap_is_told_when_there_is_memory),
    };

    return cmocka_run_group_tests_name("grpc_stream", tests, begin_module, NULL);
}
