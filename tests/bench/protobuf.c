// SPDX-License-Identifier: Apache-2.0
/*
 * The group protobuf: events to messages of the gRPC API, beside protobuf-c, which fills its
 * structs, sizes and packs. Before anything is measured, both must have written the same bytes.
 */
#include "encode/protobuf.h"

#include <stdlib.h>
#include <string.h>
#include <tracee/v1beta1/tracee.pb-c.h>

#include "bench/bench.h"
#include "bench/records.h"
#include "enrich/entity.h"
#include "side/grpc/server/mask.h"

enum { ROUNDS = 41, SLICE_NS = 5 * 1000 * 1000, TASKS = 16, DATA = 3, NUMBERS = 10 };

struct work {
    struct mrl_batch *batch;
    struct mrl_protobuf *encoder;
    struct mrl_mask *mask;
    char own[MRL_EVENT_TEXT_MAX], peer[MRL_EVENT_TEXT_MAX];
};

/* -- protobuf-c ------------------------------------------------------------------------------- */

typedef Google__Protobuf__UInt32Value Number;

/* A message of process_mrelease, of Tracee's main branch. */
struct peer {
    Tracee__V1beta1__StreamEventsResponse response;
    Tracee__V1beta1__Event event;
    Tracee__V1beta1__Policies policies;
    Tracee__V1beta1__Workload workload;
    Tracee__V1beta1__Process process, ancestor, *ancestors;
    Tracee__V1beta1__User user;
    Tracee__V1beta1__Thread thread;
    Google__Protobuf__Timestamp time, start_time;
    Number numbers[NUMBERS];
    unsigned int used;
    Tracee__V1beta1__EventValue values[DATA], *data[DATA];
    char name[MRL_NAME_BYTES + 1], *matched;
};

static char empty[] = "", call[] = "process_mrelease", pidfd[] = "pidfd", flags[] = "flags",
            return_value[] = "returnValue";

static Number *number(struct peer *peer, uint32_t value)
{
    Number *number = &peer->numbers[peer->used++];

    google__protobuf__uint32_value__init(number);
    number->value = value;
    return number;
}

static uint32_t entity(uint32_t pid, uint64_t start_ns)
{
    return mrl_entity_id(pid, start_ns, 100000000);
}

static Google__Protobuf__Timestamp *timestamp(Google__Protobuf__Timestamp *time, uint64_t ns)
{
    google__protobuf__timestamp__init(time);
    time->seconds = (int64_t)(ns / 1000000000);
    time->nanos = (int32_t)(ns % 1000000000);
    return time;
}

static void fill_data(struct peer *peer, const struct mrl_event *event)
{
    for (int i = 0; i < DATA; i++) {
        tracee__v1beta1__event_value__init(&peer->values[i]);
        peer->data[i] = &peer->values[i];
    }
    peer->values[0].name = pidfd;
    peer->values[0].value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT32;
    peer->values[0].int32 = (int32_t)event->values[0].number;
    peer->values[1].name = flags;
    peer->values[1].value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_U_INT32;
    peer->values[1].u_int32 = (uint32_t)event->values[1].unsigned_number;
    peer->values[2].name = return_value;
    peer->values[2].value_case = TRACEE__V1BETA1__EVENT_VALUE__VALUE_INT64;
    peer->values[2].int64 = event->return_value;
    peer->event.n_data = DATA;
    peer->event.data = peer->data;
}

/* The leader of a process: the benchmark's tasks all are, and share the id. */
static void fill_process(struct peer *peer, const struct mrl_event *event)
{
    Tracee__V1beta1__Process *process = &peer->process, *ancestor = &peer->ancestor;
    Tracee__V1beta1__Thread *thread = &peer->thread;

    tracee__v1beta1__process__init(process);
    process->unique_id = number(peer, entity(event->host_process_id, event->process_start_ns));
    process->host_pid = number(peer, event->host_process_id);
    process->pid = number(peer, event->process_id);
    tracee__v1beta1__user__init(&peer->user);
    peer->user.id = number(peer, event->user_id);
    process->real_user = &peer->user;
    tracee__v1beta1__thread__init(thread);
    thread->start_time = timestamp(&peer->start_time, event->thread_start_ns);
    memcpy(peer->name, event->process_name.bytes, event->process_name.size);
    peer->name[event->process_name.size] = '\0';
    thread->name = peer->name;
    thread->unique_id = number(peer, entity(event->host_thread_id, event->thread_start_ns));
    thread->host_tid = number(peer, event->host_thread_id);
    thread->tid = number(peer, event->thread_id);
    thread->syscall = call;
    process->thread = thread;
    tracee__v1beta1__process__init(ancestor);
    ancestor->unique_id =
        number(peer, entity(event->host_parent_process_id, event->parent_start_ns));
    ancestor->host_pid = number(peer, event->host_parent_process_id);
    ancestor->pid = number(peer, event->parent_process_id);
    peer->ancestors = ancestor;
    process->ancestors = &peer->ancestors;
    process->n_ancestors = 1;
}

static size_t pack(const struct mrl_event *event, char *target)
{
    struct peer peer;

    peer.used = 0;
    peer.matched = empty;
    tracee__v1beta1__stream_events_response__init(&peer.response);
    tracee__v1beta1__event__init(&peer.event);
    tracee__v1beta1__policies__init(&peer.policies);
    tracee__v1beta1__workload__init(&peer.workload);
    peer.response.event = &peer.event;
    peer.event.timestamp = timestamp(&peer.time, event->entry_ns);
    peer.event.id = (Tracee__V1beta1__EventId)event->def->protobuf_id;
    peer.event.name = call;
    peer.policies.matched = &peer.matched;
    peer.policies.n_matched = 1;
    peer.event.policies = &peer.policies;
    peer.workload.process = &peer.process;
    peer.event.workload = &peer.workload;
    fill_process(&peer, event);
    fill_data(&peer, event);
    if (tracee__v1beta1__stream_events_response__get_packed_size(&peer.response) >
        MRL_EVENT_TEXT_MAX)
        bench_die("an event is too long");
    return tracee__v1beta1__stream_events_response__pack(&peer.response, (uint8_t *)target);
}

/* -- what is measured ------------------------------------------------------------------------- */

static void run_own(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++)
        mrl_protobuf__put(work->encoder, mrl_batch__at(work->batch, i), work->own);
}

static void run_masked(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++) {
        struct mrl_text whole =
            mrl_protobuf__put(work->encoder, mrl_batch__at(work->batch, i), work->own);

        if (mrl_mask__apply(work->mask, whole, work->peer) < 0)
            bench_die("a message is none");
    }
}

static void run_protobuf_c(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++)
        pack(mrl_batch__at(work->batch, i), work->peer);
}

enum { OWN, MASKED, PROTOBUF_C, CASES };

static const struct {
    const char *name, *method;
    void (*run)(void *context);
} cases[CASES] = {
    [OWN] = { "protobuf.encode.ns_per_event", "mrl_protobuf__put of process_mrelease events",
              run_own },
    [MASKED] = { "protobuf.masked.ns_per_event",
                 "the same, and mrl_mask__apply of name, workload.process.pid and data",
                 run_masked },
    [PROTOBUF_C] = { "protobuf.protobuf_c.ns_per_event",
                     "the same bytes: structs filled, sized and packed by protobuf-c",
                     run_protobuf_c },
};

/* -- the group -------------------------------------------------------------------------------- */

static void check_peer(struct work *work)
{
    for (size_t i = 0; i < mrl_batch__count(work->batch); i++) {
        const struct mrl_event *event = mrl_batch__at(work->batch, i);
        struct mrl_text own = mrl_protobuf__put(work->encoder, event, work->own);
        size_t size = pack(event, work->peer);

        if (own.size != size || memcmp(own.bytes, work->peer, size) != 0)
            bench_die("protobuf-c packs another message");
    }
}

static void report(struct bench *bench, const struct bench_subject subjects[CASES])
{
    for (unsigned int i = 0; i < CASES; i++)
        bench_median(bench, cases[i].name, &subjects[i].ns, "ns",
                     "%s; %u different ones of %d tasks in turn, CPU time, median of %d "
                     "interleaved rounds of %d ms",
                     cases[i].method, subjects[i].operations, TASKS, ROUNDS, SLICE_NS / 1000000);
    bench_ratio(bench, "protobuf.ratio_to_protobuf_c", &subjects[PROTOBUF_C].ns, &subjects[OWN].ns,
                "protobuf.protobuf_c over protobuf.encode");
}

static int run(struct bench *bench)
{
    static const struct mrl_text paths[] = { { "name", 4 },
                                             { "workload.process.pid", 20 },
                                             { "data", 4 } };
    struct mrl_pool *pool = mrl_pool__new(1);
    struct bench_subject subjects[CASES] = { 0 };
    struct work *work = calloc(1, sizeof(*work));
    struct mrl_host host;

    if (!pool || !work || mrl_host__init(&host) ||
        mrl_protobuf__new(MRL_GRPC_MAIN, 0, &work->encoder) ||
        mrl_mask__new(paths, sizeof(paths) / sizeof(paths[0]), &work->mask))
        bench_die("out of memory");
    work->batch = mrl_pool__get(pool);
    if (!work->batch)
        bench_die("out of memory");
    bench_batch__fill(work->batch, &host, MRL_EVENT_PROCESS_MRELEASE, TASKS, 0);
    check_peer(work);
    bench_say("protobuf: %d subjects, %d rounds", CASES, ROUNDS);
    for (unsigned int i = 0; i < CASES; i++)
        subjects[i] =
            (struct bench_subject){ .run = cases[i].run,
                                    .context = work,
                                    .operations = (unsigned int)mrl_batch__count(work->batch) };
    bench_pin(bench_load_cpu());
    bench_rounds(subjects, CASES, ROUNDS, SLICE_NS);
    bench_pin(-1);
    report(bench, subjects);
    for (unsigned int i = 0; i < CASES; i++)
        bench_samples__done(&subjects[i].ns);
    mrl_protobuf__free(work->encoder);
    mrl_mask__free(work->mask);
    mrl_batch__unref(work->batch);
    mrl_pool__unref(pool);
    mrl_host__done(&host);
    free(work);
    return 0;
}

const struct bench_group bench_protobuf = {
    "protobuf",
    "Events to messages of the gRPC API, beside protobuf-c.",
    run,
};
