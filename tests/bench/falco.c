// SPDX-License-Identifier: Apache-2.0
/*
 * The group falco: the plugin for Falco on one CPU, driven by the host of the contract tests, from
 * a capture of made records: reading events, and answering five questions about each.
 */
#include <dlfcn.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/records.h"
#include "contract/falco/host.h"
#include "event/decode.h"

enum { ROUNDS = 9, EVENTS = 500 * 1000, ASKED = 5 };

/* -- the capture ------------------------------------------------------------------------------ */

static void write_capture(const char *path)
{
    struct mrl_host host = { .facts = { .page_bytes = 4096, .cpus = 2 } };
    struct mrl_pool *pool = mrl_pool__new(1);
    struct mrl_batch *batch = mrl_pool__get(pool);
    const struct mrl_sink_ops *ops = mrl_capture__sink();
    struct mrl_encoder *encoder;
    struct mrl_error error = { "" };
    struct mrl_sink *sink;
    static char text[MRL_EVENT_TEXT_MAX];
    struct mrl_text head;
    size_t events;

    if (!batch || mrl_encoder__new("capture", NULL, &error, &encoder) ||
        ops->open(&(struct mrl_sink_target){ .destination = path }, &error, &sink))
        bench_die("%s: %s", path, error.text);
    bench_batch__fill(batch, &host, MRL_EVENT_PROCESS_MRELEASE, 64, 0);
    head = mrl_encoder__preamble(encoder);
    if (ops->write(sink, &(struct mrl_chunk){ head.bytes, head.size, 0, NULL, NULL, NULL },
                   &events))
        bench_die("%s: cannot be written", path);
    for (unsigned int i = 0; i < EVENTS; i++) {
        const struct mrl_event *event = mrl_batch__at(batch, i % mrl_batch__count(batch));
        ssize_t size = mrl_encoder__put(encoder, event, text, sizeof(text));

        if (ops->write(sink, &(struct mrl_chunk){ text, (size_t)size, 1, NULL, NULL, NULL },
                       &events))
            bench_die("%s: cannot be written", path);
    }
    ops->close(sink);
    mrl_encoder__free(encoder);
    mrl_batch__unref(batch);
    mrl_pool__unref(pool);
}

/* -- the host --------------------------------------------------------------------------------- */

struct question {
    const char *name;
    uint32_t id;
};

static uint32_t id_of(const struct falco_host *host, const char *name)
{
    json_t *fields = json_loads(host->get_fields(), 0, NULL), *row;
    uint32_t id = UINT32_MAX;
    size_t index;

    json_array_foreach(fields, index,
                       row) if (!strcmp(json_string_value(json_object_get(row, "name")), name)) id =
        (uint32_t)index;
    json_decref(fields);
    if (id == UINT32_MAX)
        bench_die("no field %s", name);
    return id;
}

/* One at a time, as Falco asks. */
static void ask_all(const struct falco_host *host,
                    struct falco_state *state,
                    struct falco_event *event,
                    uint64_t number,
                    const struct question *questions)
{
    const struct falco_event_input input = { event, number, "mrelease" };

    for (unsigned int i = 0; i < ASKED; i++) {
        struct falco_extract_field field = { .field_id = questions[i].id };
        const struct falco_extract_input wanted = { .num_fields = 1, .fields = &field };

        host->extract_fields(state, &input, &wanted);
    }
}

/* Seconds of CPU for all events; `questions` may be NULL. */
static double read_all(const struct falco_host *host,
                       const char *params,
                       const struct question *questions)
{
    int rc;
    struct falco_state *state = falco_host__init(host, "{}", &rc);
    struct falco_instance *instance = host->open(state, params, &rc);
    struct falco_event **events;
    uint64_t number = 0, start = bench_cpu_ns();
    uint32_t count;

    if (rc)
        bench_die("%s", host->get_last_error(state));
    do {
        rc = host->next_batch(state, instance, &count, &events);
        for (uint32_t i = 0; questions && i < count; i++)
            ask_all(host, state, events[i], number + i, questions);
        number += count;
    } while (rc == FALCO_SUCCESS || rc == FALCO_TIMEOUT);
    start = bench_cpu_ns() - start;
    if (rc != FALCO_EOF || number != EVENTS)
        bench_die("%llu events, not %d: %s", (unsigned long long)number, EVENTS,
                  host->get_last_error(state));
    host->close(state, instance);
    host->destroy(state);
    return (double)start / 1e9;
}

static int run(struct bench *bench)
{
    struct question questions[ASKED] = {
        { "mrelease.event", 0 },      { "mrelease.failed", 0 },  { "mrelease.errno", 0 },
        { "mrelease.caller.uid", 0 }, { "mrelease.outcome", 0 },
    };
    struct bench_samples alone = { 0 }, asked = { 0 };
    struct bench_place place;
    struct falco_host host;
    char params[128];

    if (!falco_host__load(&host, MRL_TEST_FALCO_PLUGIN))
        bench_die("%s", dlerror());
    for (unsigned int i = 0; i < ASKED; i++)
        questions[i].id = id_of(&host, questions[i].name);
    bench_place__open(&place);
    write_capture(place.path);
    snprintf(params, sizeof(params), "replay:%s", place.path);
    bench_pin(bench_load_cpu());
    for (int round = 0; round < ROUNDS; round++) {
        bench_samples__add(&alone, EVENTS / read_all(&host, params, NULL));
        bench_samples__add(&asked, EVENTS / read_all(&host, params, questions));
    }
    bench_pin(-1);
    bench_median(bench, "falco.next_batch.events_per_s", &alone, "events/s",
                 "next_batch() alone, from a capture of %d process_mrelease records in the page "
                 "cache; per second of CPU, median of %d rounds",
                 EVENTS, ROUNDS);
    bench_median(bench, "falco.extract_5.events_per_s", &asked, "events/s",
                 "the same with event, failed, errno, caller.uid and outcome asked of each event, "
                 "one call per field");
    bench_place__close(&place);
    bench_samples__done(&alone);
    bench_samples__done(&asked);
    falco_host__unload(&host);
    return 0;
}

const struct bench_group bench_falco = {
    "falco",
    "The plugin for Falco, from replay on one CPU.",
    run,
};
