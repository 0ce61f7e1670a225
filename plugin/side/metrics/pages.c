// SPDX-License-Identifier: Apache-2.0
#include "side/metrics/pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memstream.h"
#include "deliver/metrics/pack.h"
#include "deliver/metrics/tracee.h"
#include "side/common/program.h"

enum { OK = 200, NOT_FOUND = 404, UNAVAILABLE = 503, GOOD_FOR_MS = 100 };

enum mrl_metrics_names mrl_page_names;

static const char plain[] = "text/plain; charset=utf-8";

/* An answer that is kept. */
struct kept {
    int64_t until_ms;
    unsigned int status;
    char *bytes;
    size_t size;
};

/* -- metrics ---------------------------------------------------------------------------------- */

static int ask_for_metrics(struct mrl_metrics **ret_metrics, struct mrl_error *error)
{
    const struct mrl_side_request request = { .asked = MRL_SIDE_METRICS };
    struct mrl_side_answer answer;
    int err = mrl_side__ask(&request, -1, &answer, error);

    if (err)
        return err == -ENODEV ? mrl_error__set(error, err, "the probes are not there yet") : err;
    err = mrl_metrics__unpack(answer.bytes, answer.size, ret_metrics);
    free(answer.bytes);
    return err ? mrl_error__set(error, err, "the counters: %s", strerror(-err)) : 0;
}

static unsigned int write_metrics(FILE *to, enum mrl_metrics_format format)
{
    struct mrl_metrics_text text = { .to = to, .format = format };
    struct mrl_tracee_counts counts;
    struct mrl_metrics *metrics;
    struct mrl_error error;

    if (ask_for_metrics(&metrics, &error)) {
        fprintf(to, "%s\n", error.text);
        return UNAVAILABLE;
    }
    for (unsigned int i = 0; i < mrl_metrics__count(metrics); i++)
        mrl_metrics_text__put(&text, mrl_metrics__at(metrics, i));
    counts = mrl_tracee_counts__of(metrics);
    if (mrl_page_names == MRL_METRICS_NAMES_TRACEE)
        mrl_tracee_counts__put(&counts, &text);
    mrl_metrics_text__end(&text);
    mrl_metrics__free(metrics);
    return OK;
}

static unsigned int write_plain(FILE *to)
{
    return write_metrics(to, MRL_METRICS_PROMETHEUS);
}

static unsigned int write_open(FILE *to)
{
    return write_metrics(to, MRL_METRICS_OPENMETRICS);
}

/* -- health ----------------------------------------------------------------------------------- */

/* One line per check: "ok" or "failed", its name, and what it found. */
static unsigned int write_health(FILE *to, bool of_life_alone)
{
    const struct mrl_side_request request = { .asked = MRL_SIDE_HEALTH };
    struct mrl_side_answer answer;
    struct mrl_health health;
    struct mrl_error error;
    bool is_well = true;

    if (mrl_side__ask(&request, -1, &answer, &error)) {
        fprintf(to, "failed sensor: %s\n", error.text);
        return UNAVAILABLE;
    }
    if (mrl_side_health__read(answer.bytes, answer.size, &health))
        health.count = is_well = false;
    free(answer.bytes);
    for (unsigned int i = 0; i < health.count; i++) {
        const struct mrl_health_check *check = &health.checks[i];

        if (of_life_alone && !check->is_of_life)
            continue;
        is_well &= check->is_well;
        fprintf(to, "%s %s: %s\n", check->is_well ? "ok" : "failed", check->name, check->text);
    }
    return is_well ? OK : UNAVAILABLE;
}

static unsigned int write_life(FILE *to)
{
    return write_health(to, true);
}

static unsigned int write_readiness(FILE *to)
{
    return write_health(to, false);
}

/* -- the table -------------------------------------------------------------------------------- */

static struct {
    const char *path;
    unsigned int (*write)(FILE *to);      /* returns a status */
    unsigned int (*write_open)(FILE *to); /* NULL: the answer has one form */
    struct kept kept, kept_open;
} table[] = {
    { .path = "/metrics", .write = write_plain, .write_open = write_open },
    { .path = "/healthz", .write = write_readiness },
    { .path = "/readyz", .write = write_readiness },
    { .path = "/livez", .write = write_life },
};

enum { PATHS = sizeof(table) / sizeof(table[0]) };

static void renew(struct kept *kept, unsigned int (*write)(FILE *to))
{
    FILE *to;

    free(kept->bytes);
    *kept = (struct kept){ .status = UNAVAILABLE };
    to = open_memstream(&kept->bytes, &kept->size);
    if (!to)
        return;
    kept->status = write(to);
    if (mrl_memstream__close(to, &kept->bytes))
        *kept = (struct kept){ .status = UNAVAILABLE };
    kept->until_ms = mrl_clock__ms() + GOOD_FOR_MS;
}

void mrl_page__say(unsigned int status, const char *line, struct mrl_page *ret_page)
{
    *ret_page = (struct mrl_page){ status, plain, line, strlen(line) };
}

void mrl_page__get(const char *path, const char *accept, struct mrl_page *ret_page)
{
    const enum mrl_metrics_format format = mrl_metrics_format__accepted(accept);
    size_t i = 0;

    while (i < PATHS && strcmp(table[i].path, path) != 0)
        i++;
    if (i == PATHS) {
        mrl_page__say(NOT_FOUND, "here are /metrics, /healthz, /readyz and /livez\n", ret_page);
        return;
    }
    const bool is_open = table[i].write_open && format == MRL_METRICS_OPENMETRICS;
    struct kept *kept = is_open ? &table[i].kept_open : &table[i].kept;

    if (mrl_clock__ms() >= kept->until_ms)
        renew(kept, is_open ? table[i].write_open : table[i].write);
    *ret_page =
        (struct mrl_page){ kept->status, plain, kept->bytes ? kept->bytes : "", kept->size };
    if (table[i].write_open && kept->status == OK)
        ret_page->type = mrl_metrics_format__type(format);
}
