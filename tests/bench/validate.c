// SPDX-License-Identifier: Apache-2.0
/*
 * The group validate: lines of events held against their schema, with the fast path, and by the
 * validator alone.
 */
#include <mrelease/encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/records.h"
#include "command/schema/check.h"

enum { ROUNDS = 21, SLICE_NS = 20 * 1000 * 1000, LINES = 64, TASKS = 16 };

/* Lines of one dialect, and how they are judged. */
struct work {
    struct mrl_check *check;
    int (*judge)(struct mrl_check *check, const char *line, size_t size, struct mrl_fault *fault);
    char *lines[LINES];
    size_t sizes[LINES];
};

static void run_check(void *context)
{
    struct work *work = context;
    struct mrl_fault fault;

    for (int i = 0; i < LINES; i++)
        if (work->judge(work->check, work->lines[i], work->sizes[i], &fault) != 1)
            bench_die("not valid: %s: %s", fault.pointer, fault.reason);
}

static void encode_lines(struct work *work, const char *format)
{
    struct mrl_pool *pool = mrl_pool__new(1);
    struct mrl_batch *batch = pool ? mrl_pool__get(pool) : NULL;
    struct mrl_encoder *encoder;
    struct mrl_error error;
    struct mrl_host host;

    if (!batch || mrl_host__init(&host))
        bench_die("out of memory");
    bench_batch__fill(batch, &host, MRL_EVENT_PROCESS_MRELEASE, TASKS, 0);
    if (mrl_encoder__new(format, NULL, &error, &encoder))
        bench_die("%s", error.text);
    for (size_t i = 0; i < LINES; i++) {
        char text[MRL_EVENT_TEXT_MAX];
        ssize_t size = mrl_encoder__put(encoder, mrl_batch__at(batch, i), text, sizeof(text));

        work->lines[i] = strndup(text, (size_t)size - 1);
        work->sizes[i] = (size_t)size - 1;
    }
    mrl_encoder__free(encoder);
    mrl_host__done(&host);
    mrl_batch__unref(batch);
    mrl_pool__unref(pool);
}

static const struct {
    const char *name;
    const struct mrl_dialect *dialect;
    int (*judge)(struct mrl_check *check, const char *line, size_t size, struct mrl_fault *fault);
    const char *method;
} cases[] = {
    { "validate.json_v0_23.ns_per_line", &mrl_dialect_v0_23, mrl_check__line,
      "valid json-v0.23 lines of process_mrelease, as mrelease validate judges them" },
    { "validate.json_v1beta1.ns_per_line", &mrl_dialect_v1beta1, mrl_check__line,
      "the same in json-v1beta1" },
    { "validate.slowly.ns_per_line", &mrl_dialect_v0_23, mrl_check__line_slowly,
      "the json-v0.23 lines by valijson alone" },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static int run(struct bench *bench)
{
    struct bench_subject subjects[CASES] = { 0 };
    struct work *works = calloc(CASES, sizeof(*works));
    struct mrl_error error;

    if (!works)
        bench_die("out of memory");
    bench_say("validate: %d subjects, %d rounds", CASES, ROUNDS);
    for (unsigned int i = 0; i < CASES; i++) {
        if (mrl_check__new(cases[i].dialect, &error, &works[i].check))
            bench_die("%s", error.text);
        works[i].judge = cases[i].judge;
        encode_lines(&works[i], cases[i].dialect->name);
        subjects[i] =
            (struct bench_subject){ .run = run_check, .context = &works[i], .operations = LINES };
    }
    bench_rounds(subjects, CASES, ROUNDS, SLICE_NS);
    for (unsigned int i = 0; i < CASES; i++) {
        bench_median(bench, cases[i].name, &subjects[i].ns, "ns",
                     "%s; CPU time without reading the file, median of %d interleaved rounds of %d "
                     "ms",
                     cases[i].method, ROUNDS, SLICE_NS / 1000000);
        bench_samples__done(&subjects[i].ns);
        for (int j = 0; j < LINES; j++)
            free(works[i].lines[j]);
        mrl_check__free(works[i].check);
    }
    free(works);
    return 0;
}

const struct bench_group bench_validate = {
    "validate",
    "Lines of JSON held against their schema.",
    run,
};
