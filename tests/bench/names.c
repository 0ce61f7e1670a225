// SPDX-License-Identifier: Apache-2.0
/*
 * The group names: what it costs the reader that containers have names which it knows. The same
 * records, of one container, of 16 in turn, and of another each, become events with names off and
 * with names on.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/records.h"
#include "enrich/cgroups.h"
#include "read/intake.h"

enum {
    ROUNDS = 41,
    SLICE_NS = 5 * 1000 * 1000,
    FEW = 16,
    SUBJECTS = 6,
    WAIT_NS = 50 * 1000 * 1000
};

/* As many events as a batch holds, and as a test of the batch's room wants. */
enum { EVENTS = 256, FIRST_CGROUP = 1000 };

struct reader {
    struct mrl_host host;
    struct mrl_intake intake;
    struct mrl_filter *filter;
    struct mrl_cgroups *cgroups;
    struct mrl_pool *pool;
    unsigned int containers;
    struct bench_record records[EVENTS];
    uint64_t taken;
};

static int read_counters(const void *context,
                         unsigned int event,
                         struct mrl_event_counters *ret_each,
                         unsigned int cpus)
{
    (void)context;
    (void)event;
    memset(ret_each, 0, cpus * sizeof(*ret_each));
    return 0;
}

static struct mrl_membership container_of(void *cgroups, uint64_t cgroup)
{
    return mrl_cgroups__container(cgroups, cgroup);
}

static void take_all(void *context)
{
    struct reader *reader = context;
    struct mrl_batch *batch = mrl_pool__get(reader->pool);
    size_t count = 0;

    if (!batch || !mrl_intake__begin(&reader->intake, batch, MRL_BATCH_EVENTS))
        bench_die("out of memory");
    mrl_intake__let_go(&reader->intake, 0);
    for (unsigned int i = 0; i < EVENTS; i++) {
        struct mrl_record *record = &reader->records[i].record;

        record->seq = reader->taken++;
        if (!mrl_intake__take(&reader->intake, record, record->size)) {
            count += batch->count;
            mrl_batch__unref(batch);
            batch = mrl_pool__get(reader->pool);
            mrl_intake__begin(&reader->intake, batch, MRL_BATCH_EVENTS);
        }
    }
    if (count + batch->count != EVENTS)
        bench_die("events are missing");
    mrl_batch__unref(batch);
}

static void describe(const struct reader *reader, unsigned int number)
{
    struct mrl_cgroup_names names = { .size = sizeof(names),
                                      .event = MRL_RECORD_CGROUP,
                                      .flags = MRL_CGROUP_WHOLE,
                                      .count = 3,
                                      .cgroup_id = FIRST_CGROUP + number };

    snprintf(names.nodes[0], sizeof(names.nodes[0]), "docker-%064x.scope", number);
    snprintf(names.nodes[1], sizeof(names.nodes[1]), "system.slice");
    mrl_cgroups__describe(reader->cgroups, &names, sizeof(names));
}

static struct mrl_text text(const char *bytes)
{
    return (struct mrl_text){ bytes, strlen(bytes) };
}

/* Of the lengths that they have on a node of Kubernetes. */
static void tell(struct reader *reader, unsigned int number)
{
    char id[65];
    const struct mrl_container_names names = {
        .id = { id, 64 },
        .result = MRL_NAMES_KNOWN,
        .runtime = MRL_RUNTIME_CONTAINERD,
        .texts = { [MRL_NAME_CONTAINER] = text("checkout"),
                   [MRL_NAME_IMAGE] = text("registry.example.org/shop/checkout:2025.11.3"),
                   [MRL_NAME_IMAGE_DIGEST] = text(
                       "sha256:4c01db0b339c6d2b5d4d86a7f6a3b1f8e0c9d7a65b4e3f2d1c0b9a8877665544"),
                   [MRL_NAME_POD] = text("checkout-6d9f7c8b5d-x2x9k"),
                   [MRL_NAME_POD_NAMESPACE] = text("shop"),
                   [MRL_NAME_POD_UID] = text("3f1d6a52-0b9f-4f67-9a0e-6c1f6f0a2b77") },
    };

    snprintf(id, sizeof(id), "%064x", number);
    if (mrl_intake__tell_names(&reader->intake, &names) < 0)
        bench_die("names cannot be told");
}

static void open_reader(struct reader *reader, unsigned int containers, bool named)
{
    static const char *const event = "mlock2";
    const struct mrl_filter_texts texts = { .events = &event, .event_count = 1 };
    const struct mrl_kernel_counters counters = { .read = read_counters, .cpus = 1 };
    struct mrl_error error;

    reader->host = (struct mrl_host){ .container = container_of };
    reader->pool = mrl_pool__new(4);
    if (!reader->pool || mrl_cgroups__new(false, &reader->cgroups) ||
        mrl_filter__new(&texts, &error, &reader->filter) ||
        mrl_intake__init(&reader->intake, &reader->host, reader->filter, &counters,
                         1U << MRL_EVENT_MLOCK2) ||
        (named &&
         mrl_intake__name(&reader->intake, &(struct mrl_names_asking){ NULL, NULL }, WAIT_NS)))
        bench_die("out of memory");
    reader->host.containers = reader->cgroups;
    for (unsigned int i = 0; i < EVENTS; i++) {
        bench_record__make(&reader->records[i], MRL_EVENT_MLOCK2, i, FEW);
        reader->records[i].record.cgroup_id = FIRST_CGROUP + i % containers;
        reader->records[i].record.cpu = 0;
    }
    for (unsigned int i = 0; i < containers; i++) {
        describe(reader, i);
        if (named)
            tell(reader, i);
    }
}

static void close_reader(struct reader *reader)
{
    mrl_intake__done(&reader->intake);
    mrl_filter__free(reader->filter);
    mrl_cgroups__free(reader->cgroups);
    mrl_pool__unref(reader->pool);
}

static void show(struct bench *bench, struct bench_subject *subjects)
{
    static const char *const names[SUBJECTS] = {
        "names.one.off.ns_per_event",  "names.one.known.ns_per_event",
        "names.off.ns_per_event",      "names.known.ns_per_event",
        "names.many.off.ns_per_event", "names.many.known.ns_per_event"
    };
    static const char *const methods[SUBJECTS] = {
        "from records to events in a batch, all of one container, names off",
        "the same with the container's names known, 188 bytes of them",
        "from records to events in a batch, of 16 containers in turn, names off",
        "the same with the names known",
        "from records to events in a batch, of 256 containers in turn: each event has other names",
        "the same with the names known: each event copies its own",
    };
    static const char *const costs[] = { "names.one.cost.ns_per_event", "names.cost.ns_per_event",
                                         "names.many.cost.ns_per_event" };
    static const char *const cost_methods[] = {
        "names known less names off, one container: 50 ns at most are wanted",
        "names known less names off, 16 containers in turn: 50 ns at most are wanted",
        "names known less names off, 256 containers in turn",
    };

    for (unsigned int i = 0; i < SUBJECTS; i++)
        bench_median(bench, names[i], &subjects[i].ns, "ns",
                     "%s; CPU time, median of %d interleaved rounds of %d ms", methods[i], ROUNDS,
                     SLICE_NS / 1000000);
    for (unsigned int i = 0; i < SUBJECTS; i += 2)
        bench_difference(bench, costs[i / 2], &subjects[i + 1].ns, &subjects[i].ns, "ns",
                         cost_methods[i / 2]);
    bench_ratio(bench, "names.one.ratio", &subjects[1].ns, &subjects[0].ns,
                "names known over names off, one container");
    bench_ratio(bench, "names.ratio", &subjects[3].ns, &subjects[2].ns,
                "names known over names off, 16 containers in turn");
}

static int run(struct bench *bench)
{
    static const unsigned int counts[] = { 1, FEW, EVENTS };
    static struct reader readers[SUBJECTS];
    struct bench_subject subjects[SUBJECTS];

    bench_say("names: %d rounds", ROUNDS);
    for (unsigned int i = 0; i < SUBJECTS; i++) {
        open_reader(&readers[i], counts[i / 2], i % 2);
        subjects[i] =
            (struct bench_subject){ .run = take_all, .context = &readers[i], .operations = EVENTS };
    }
    bench_rounds(subjects, SUBJECTS, ROUNDS, SLICE_NS);
    show(bench, subjects);
    for (unsigned int i = 0; i < SUBJECTS; i++) {
        bench_samples__done(&subjects[i].ns);
        close_reader(&readers[i]);
    }
    return 0;
}

const struct bench_group bench_names = {
    "names",
    "Containers whose names are known, in the reader.",
    run,
};
