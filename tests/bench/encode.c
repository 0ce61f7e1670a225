// SPDX-License-Identifier: Apache-2.0
/*
 * The group encode: events to bytes, and records to events. The peer of each JSON encoder builds
 * and dumps the same object with jansson; before anything is measured, both must have written the
 * same bytes.
 */
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/peer.h"
#include "bench/records.h"
#include "event/decode.h"

enum { ROUNDS = 41, SLICE_NS = 5 * 1000 * 1000, BATCHES = 4 };

/* What one subject works on. */
struct work {
    struct mrl_batch *batch;            /* the first of batches */
    struct mrl_batch *batches[BATCHES]; /* as many as its tasks need */
    const char *format;
    struct mrl_encoder *encoder;
    struct mrl_host *host;
    struct bench_record records[MRL_BATCH_EVENTS];
    json_t *objects[MRL_BATCH_EVENTS];
    char text[MRL_EVENT_TEXT_MAX];
};

/* -- what is measured ------------------------------------------------------------------------- */

static void run_encoder(void *context)
{
    struct work *work = context;

    for (size_t b = 0; b < BATCHES && work->batches[b]; b++)
        for (size_t i = 0; i < mrl_batch__count(work->batches[b]); i++)
            mrl_encoder__put(work->encoder, mrl_batch__at(work->batches[b], i), work->text,
                             sizeof(work->text));
}

static void run_jansson(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++) {
        json_t *object = bench_peer__build(mrl_batch__at(work->batch, i), work->format);

        bench_peer__dump(object, work->text, sizeof(work->text));
        json_decref(object);
    }
}

static void run_jansson_dump(void *context)
{
    struct work *work = context;

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++)
        bench_peer__dump(work->objects[i], work->text, sizeof(work->text));
}

static void run_decoder(void *context)
{
    struct work *work = context;
    size_t count = mrl_batch__count(work->batch);

    bench_batch__clear(work->batch);
    for (size_t i = 0; i < count; i++)
        mrl_decode__append(&work->records[i], work->records[i].record.size, work->host,
                           work->batch);
}

/* -- preparing -------------------------------------------------------------------------------- */

static struct work *work_new(struct mrl_pool *pool,
                             struct mrl_host *host,
                             enum mrl_event_index event,
                             unsigned int tasks,
                             const char *format)
{
    struct work *work = calloc(1, sizeof(*work));
    struct mrl_error error;

    if (!work)
        bench_die("out of memory");
    work->host = host;
    work->format = format;
    for (unsigned int b = 0; !b || b * MRL_BATCH_EVENTS < tasks; b++) {
        work->batches[b] = mrl_pool__get(pool);
        if (!work->batches[b])
            bench_die("out of memory");
        bench_batch__fill(work->batches[b], host, event, tasks, b * MRL_BATCH_EVENTS);
        if (strncmp(format, "json-v0.2", strlen("json-v0.2")) != 0) /* those leave it empty */
            bench_batch__execute(work->batches[b]);
    }
    work->batch = work->batches[0];
    for (unsigned int i = 0; i < mrl_batch__count(work->batch); i++) {
        bench_record__make(&work->records[i], event, i, tasks);
        work->objects[i] = bench_peer__build(mrl_batch__at(work->batch, i), format);
    }
    if (mrl_encoder__new(format, NULL, &error, &work->encoder))
        bench_die("%s", error.text);
    return work;
}

static void work_free(struct work *work)
{
    for (unsigned int i = 0; i < MRL_BATCH_EVENTS; i++)
        json_decref(work->objects[i]);
    mrl_encoder__free(work->encoder);
    for (size_t b = 0; b < BATCHES; b++)
        mrl_batch__unref(work->batches[b]);
    free(work);
}

/* A ratio between two ways of writing different things would mean nothing. */
static void check_peer(struct work *work)
{
    char peer[MRL_EVENT_TEXT_MAX];

    for (size_t i = 0; i < mrl_batch__count(work->batch); i++) {
        size_t size = bench_peer__dump(work->objects[i], peer, sizeof(peer));
        ssize_t own = mrl_encoder__put(work->encoder, mrl_batch__at(work->batch, i), work->text,
                                       sizeof(work->text));

        if (own != (ssize_t)size + 1 || memcmp(peer, work->text, size) != 0)
            bench_die("jansson writes another object:\n%.*s\n%.*s", (int)size, peer, (int)own,
                      work->text);
    }
}

/* -- the group -------------------------------------------------------------------------------- */

enum { FEW_TASKS = 16, MANY_TASKS = MRL_BATCH_EVENTS, MORE_TASKS = BATCHES * MRL_BATCH_EVENTS };

enum subject {
    CLASSIC,
    CLASSIC_MANY,
    CLASSIC_MORE,
    V0_24,
    V1BETA1,
    V1BETA1_MORE,
    JANSSON,
    JANSSON_V0_24,
    JANSSON_V1BETA1,
    JANSSON_DUMP,
    MLOCK2,
    DO_MRELEASE,
    TABLE,
    ECS,
    ECS_MORE,
    ECS_MLOCK2,
    OTLP,
    OCSF,
    CEF,
    LEEF,
    DECODE,
    DECODE_TARGET
};

static const struct {
    const char *name;
    enum mrl_event_index event;
    const char *format;
    void (*run)(void *context);
    const char *method;
    unsigned int tasks; /* that the calls come from, in turn */
} cases[] = {
    [CLASSIC] = { "encode.json_v0_23.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "json-v0.23",
                  run_encoder, "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [CLASSIC_MANY] = { "encode.json_v0_23_many_tasks.ns_per_event", MRL_EVENT_PROCESS_MRELEASE,
                       "json-v0.23", run_encoder,
                       "the same, from as many tasks as the encoder can remember", MANY_TASKS },
    [CLASSIC_MORE] = { "encode.json_v0_23_forgotten_tasks.ns_per_event", MRL_EVENT_PROCESS_MRELEASE,
                       "json-v0.23", run_encoder,
                       "the same, from so many tasks that each is forgotten before its next call",
                       MORE_TASKS },
    [V0_24] = { "encode.json_v0_24.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "json-v0.24",
                run_encoder, "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [V1BETA1] = { "encode.json_v1beta1.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "json-v1beta1",
                  run_encoder, "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [V1BETA1_MORE] = { "encode.json_v1beta1_forgotten_tasks.ns_per_event",
                       MRL_EVENT_PROCESS_MRELEASE, "json-v1beta1", run_encoder,
                       "the same, from so many tasks that each is forgotten before its next call",
                       MORE_TASKS },
    [JANSSON] = { "encode.jansson.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "json-v0.23",
                  run_jansson, "the same bytes: built with jansson, dumped with json_dumpb",
                  FEW_TASKS },
    [JANSSON_V0_24] = { "encode.jansson_v0_24.ns_per_event", MRL_EVENT_PROCESS_MRELEASE,
                        "json-v0.24", run_jansson, "the bytes of json_v0_24 with jansson",
                        FEW_TASKS },
    [JANSSON_V1BETA1] = { "encode.jansson_v1beta1.ns_per_event", MRL_EVENT_PROCESS_MRELEASE,
                          "json-v1beta1", run_jansson, "the bytes of json_v1beta1 with jansson",
                          FEW_TASKS },
    [JANSSON_DUMP] = { "encode.jansson_dump.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "json-v0.23",
                       run_jansson_dump, "json_dumpb (compact, in order) of objects built before",
                       FEW_TASKS },
    [MLOCK2] = { "encode.json_v0_23_mlock2.ns_per_event", MRL_EVENT_MLOCK2, "json-v0.23",
                 run_encoder, "mrl_encoder__put of mlock2 events from a container", FEW_TASKS },
    [DO_MRELEASE] = { "encode.json_v0_23_do_mrelease.ns_per_event", MRL_EVENT_DO_MRELEASE,
                      "json-v0.23", run_encoder,
                      "mrl_encoder__put of do_mrelease events with their target", FEW_TASKS },
    [TABLE] = { "encode.table.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "table", run_encoder,
                "mrl_encoder__put in the format table", FEW_TASKS },
    [ECS] = { "encode.ecs.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "ecs", run_encoder,
              "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [ECS_MORE] = { "encode.ecs_forgotten_tasks.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "ecs",
                   run_encoder,
                   "the same, from so many tasks that each is forgotten before its next call",
                   MORE_TASKS },
    [ECS_MLOCK2] = { "encode.ecs_mlock2.ns_per_event", MRL_EVENT_MLOCK2, "ecs", run_encoder,
                     "mrl_encoder__put of mlock2 events", FEW_TASKS },
    [OCSF] = { "encode.ocsf.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "ocsf", run_encoder,
               "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [CEF] = { "encode.cef.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "cef", run_encoder,
              "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [LEEF] = { "encode.leef.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "leef", run_encoder,
               "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [OTLP] = { "encode.otlp.ns_per_event", MRL_EVENT_PROCESS_MRELEASE, "otlp", run_encoder,
               "mrl_encoder__put of decoded process_mrelease events", FEW_TASKS },
    [DECODE] = { "encode.decode.ns_per_record", MRL_EVENT_PROCESS_MRELEASE, "none", run_decoder,
                 "mrl_decode__append of process_mrelease records, cgroups cached", FEW_TASKS },
    [DECODE_TARGET] = { "encode.decode_do_mrelease.ns_per_record", MRL_EVENT_DO_MRELEASE, "none",
                        run_decoder, "mrl_decode__append of do_mrelease records with their target",
                        FEW_TASKS },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void report(struct bench *bench, const struct bench_subject subjects[CASES])
{
    const struct bench_samples *own = &subjects[CLASSIC].ns;

    for (unsigned int i = 0; i < CASES; i++)
        bench_median(
            bench, cases[i].name, &subjects[i].ns, "ns",
            "%s; %u different ones of %u tasks in turn, CPU time, median of %d interleaved rounds of "
            "%d ms",
            cases[i].method, subjects[i].operations, cases[i].tasks, ROUNDS, SLICE_NS / 1000000);
    bench_ratio(bench, "encode.ratio_to_jansson", &subjects[JANSSON].ns, own,
                "encode.jansson over encode.json_v0_23: how many times faster");
    bench_ratio(bench, "encode.ratio_to_jansson_v0_24", &subjects[JANSSON_V0_24].ns,
                &subjects[V0_24].ns, "encode.jansson_v0_24 over encode.json_v0_24");
    bench_ratio(bench, "encode.ratio_to_jansson_v1beta1", &subjects[JANSSON_V1BETA1].ns,
                &subjects[V1BETA1].ns, "encode.jansson_v1beta1 over encode.json_v1beta1");
    bench_ratio(bench, "encode.ratio_of_ecs", &subjects[ECS].ns, own,
                "encode.ecs over encode.json_v0_23: how many times slower");
    bench_ratio(bench, "encode.ratio_to_jansson_dump", &subjects[JANSSON_DUMP].ns, own,
                "encode.jansson_dump over encode.json_v0_23: how many times faster");
}

static unsigned int operations_of(const struct work *work)
{
    size_t count = 0;

    for (size_t b = 0; b < BATCHES && work->batches[b]; b++)
        count += mrl_batch__count(work->batches[b]);
    return (unsigned int)count;
}

static int run(struct bench *bench)
{
    struct mrl_pool *pool = mrl_pool__new(CASES * BATCHES);
    struct bench_subject subjects[CASES] = { 0 };
    struct mrl_host host;

    if (!pool || mrl_host__init(&host))
        bench_die("out of memory");
    bench_say("encode: %d subjects, %d rounds", CASES, ROUNDS);
    for (unsigned int i = 0; i < CASES; i++) {
        struct work *work = work_new(pool, &host, cases[i].event, cases[i].tasks, cases[i].format);

        if (i <= V1BETA1_MORE)
            check_peer(work);
        if (i == MLOCK2)
            bench_batch__contain(work->batch);
        subjects[i] = (struct bench_subject){ .run = cases[i].run,
                                              .context = work,
                                              .operations = operations_of(work) };
    }
    bench_pin(bench_load_cpu());
    bench_rounds(subjects, CASES, ROUNDS, SLICE_NS);
    bench_pin(-1);
    report(bench, subjects);
    for (unsigned int i = 0; i < CASES; i++) {
        work_free(subjects[i].context);
        bench_samples__done(&subjects[i].ns);
    }
    mrl_pool__unref(pool);
    mrl_host__done(&host);
    return 0;
}

const struct bench_group bench_encode = {
    "encode",
    "Events to JSON beside jansson, to the table, and records to events.",
    run,
};
