// SPDX-License-Identifier: Apache-2.0
/* The totals of a run, from the registry of counters. */
#include "command/run/totals.h"

#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/options/say.h"

enum { CAUSES_BYTES = 160 };

typedef unsigned long long number;

/* Each of the labels may be NULL: of all. */
static number sum(const struct mrl_metrics *metrics,
                  const char *name,
                  const char *output,
                  const char *event,
                  const char *cause)
{
    const char *const names[] = { "output", "event", "cause" };
    const char *const values[] = { output, event, cause };
    struct mrl_label labels[MRL_METRIC_LABELS_MAX];
    unsigned int count = 0;

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (values[i])
            labels[count++] = (struct mrl_label){ names[i], values[i] };
    return mrl_metrics__sum(metrics, name, labels, count);
}

#define SEEN      "mrelease_events_seen_total"
#define SELF      "mrelease_events_self_total"
#define READ      "mrelease_events_read_total"
#define LOST      "mrelease_events_lost_total"
#define FILTERED  "mrelease_events_filtered_total"
#define MISSED    "mrelease_probe_misses_total"
#define UNKNOWN   "mrelease_events_container_unknown_total"
#define DELIVERED "mrelease_output_delivered_total"
#define DROPPED   "mrelease_output_dropped_total"
#define REJECTED  "mrelease_output_rejected_total"
#define BEFORE    "mrelease_output_lost_before_total"
#define RETRIES   "mrelease_output_retries_total"
#define RESENT    "mrelease_output_resent_total"

/* What was filtered: "kernel", "reader" or "count". */
static number filtered_by(const struct mrl_metrics *metrics, const char *event, const char *by)
{
    const struct mrl_label labels[] = { { "by", by }, { "event", event } };

    return mrl_metrics__sum(metrics, FILTERED, labels, event ? 2 : 1);
}

static bool is_chosen(const struct mrl_plugin *plugin, unsigned int event)
{
    return mrl_plugin__events(plugin) & (1U << event);
}

/* What is chosen of a capture need not be in it. */
static bool is_absent(const struct mrl_plugin *plugin,
                      const struct mrl_metrics *metrics,
                      const char *event)
{
    return !strcmp(mrl_plugin__rung(plugin), "replay") && !sum(metrics, SEEN, NULL, event, NULL);
}

/* Adds to " (24 ring full, 12 no memory)", unless there is nothing to tell. */
static void put_cause(number count, const char *cause, char text[CAUSES_BYTES])
{
    size_t used = strlen(text);
    char words[32];

    if (!count)
        return;
    snprintf(words, sizeof(words), "%s", cause);
    for (char *at = words; *at; at++)
        if (*at == '_')
            *at = ' ';
    if (used)
        used--; /* of the bracket */
    snprintf(text + used, CAUSES_BYTES - used, "%s%llu %s)", used ? ", " : " (", count, words);
}

static void say_event(const struct mrl_metrics *metrics, const char *event)
{
    static const char *const causes[] = { "ring_full",   "no_memory",  "malformed",
                                          "exit_missed", "suppressed", NULL };
    number kernel = filtered_by(metrics, event, "kernel");
    number reader = filtered_by(metrics, event, "reader");
    char filtered[96] = "", lost[CAUSES_BYTES] = "";

    if (kernel || reader)
        snprintf(filtered, sizeof(filtered), ", %llu filtered (%llu by the kernel)",
                 kernel + reader, kernel);
    for (const char *const *cause = causes; *cause; cause++)
        put_cause(sum(metrics, LOST, NULL, event, *cause), *cause, lost);
    mrl_say("%s: %llu seen, %llu read, %llu lost%s, %llu of our own%s", event,
            sum(metrics, SEEN, NULL, event, NULL), sum(metrics, READ, NULL, event, NULL),
            sum(metrics, LOST, NULL, event, NULL), lost, sum(metrics, SELF, NULL, event, NULL),
            filtered);
}

/* Without what is no call: the lines that tell of losses and of the sensor. */
static number of_calls(const struct mrl_metrics *metrics,
                       const char *name,
                       const char *output,
                       const char *cause)
{
    number all = sum(metrics, name, output, NULL, cause);

    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (!*mrl_event_def__at(i)->syscall)
            all -= sum(metrics, name, output, mrl_event_def__at(i)->name, cause);
    return all;
}

/* These lines. */
static void put_others(const struct mrl_metrics *metrics,
                       const char *output,
                       char *text,
                       size_t size)
{
    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const char *event = mrl_event_def__at(i)->name;
        number told = sum(metrics, DELIVERED, output, event, NULL);
        number dropped = sum(metrics, DROPPED, output, event, NULL);
        size_t used = strlen(text);

        if (*mrl_event_def__at(i)->syscall)
            continue;
        if (told)
            snprintf(text + used, size - used, ", and %llu of %s", told, event);
        used = strlen(text);
        if (dropped)
            snprintf(text + used, size - used, ", and %llu of %s dropped", dropped, event);
    }
}

static void put_sent(const struct mrl_metrics *metrics, const char *output, char *text, size_t size)
{
    const number retries = sum(metrics, RETRIES, output, NULL, NULL);
    const size_t used = strlen(text);

    if (retries)
        snprintf(text + used, size - used, ", %llu sent again in %llu requests",
                 sum(metrics, RESENT, output, NULL, NULL), retries);
}

/* Of what a sink took without waiting for anybody, nobody knows whether it was read. */
static void say_output(const struct mrl_metrics *metrics,
                       const struct mrl_pipeline *pipeline,
                       unsigned int index)
{
    static const char *const causes[] = { "queue_full", "write_failed", NULL };
    const char *output = mrl_pipeline__output_name(pipeline, index);
    const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(pipeline, index);
    char others[160] = "", dropped[CAUSES_BYTES] = "";

    if (sink && sink->takes_items)
        snprintf(others, sizeof(others), ", %llu rejected",
                 of_calls(metrics, REJECTED, output, NULL));
    put_sent(metrics, output, others, sizeof(others));
    put_others(metrics, output, others, sizeof(others));
    for (const char *const *cause = causes; *cause; cause++)
        put_cause(of_calls(metrics, DROPPED, output, *cause), *cause, dropped);
    mrl_say("%s%s: %llu %s, %llu dropped%s%s", output,
            mrl_pipeline__output_is_gone(pipeline, index) ? ", removed" : "",
            of_calls(metrics, DELIVERED, output, NULL),
            mrl_pipeline__output_is_spooled(pipeline, index) ? "kept in the spool"
            : sink && sink->publishes                        ? "published"
                                                             : "delivered",
            of_calls(metrics, DROPPED, output, NULL), dropped, others);
}

void mrl_totals__say(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline)
{
    struct mrl_metrics *metrics;
    int err = mrl_metrics__collect(plugin, pipeline, &metrics);
    number filtered, missed, unknown;

    if (err) {
        mrl_say_error("the counters could not be read: %s", strerror(-err));
        return;
    }
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (is_chosen(plugin, i) && !is_absent(plugin, metrics, mrl_event_def__at(i)->name))
            say_event(metrics, mrl_event_def__at(i)->name);
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        say_output(metrics, pipeline, i);
    filtered = filtered_by(metrics, NULL, "count");
    if (filtered)
        mrl_say("of what was read, %llu more events came after the last one of --count", filtered);
    missed = sum(metrics, MISSED, NULL, NULL, NULL);
    if (missed)
        mrl_say("the kernel left out %llu runs of the probes, for calls of any kind", missed);
    unknown = sum(metrics, UNKNOWN, NULL, NULL, NULL);
    if (unknown)
        mrl_say("the container of the caller is not known of %llu events", unknown);
    mrl_metrics__free(metrics);
}

/* `absent`: calls that were delivered while the output was not there. */
static unsigned int check_output(const struct mrl_metrics *metrics,
                                 const char *output,
                                 const char *event,
                                 number absent)
{
    number wanted = sum(metrics, SEEN, NULL, event, NULL) - sum(metrics, SELF, NULL, event, NULL);
    number found =
        sum(metrics, DELIVERED, output, event, NULL) + sum(metrics, DROPPED, output, event, NULL) +
        sum(metrics, REJECTED, output, event, NULL) + sum(metrics, BEFORE, output, event, NULL) +
        sum(metrics, FILTERED, NULL, event, NULL) + absent;

    if (found == wanted)
        return 0;
    mrl_say_error("accounting: %s: %llu calls of %s are to be accounted for, and %llu are", output,
                  wanted, event, found);
    return 1;
}

unsigned int mrl_totals__check(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline)
{
    struct mrl_metrics *metrics;
    unsigned int violations = 0;

    if (mrl_metrics__collect(plugin, pipeline, &metrics))
        return 1;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        for (unsigned int j = 0; is_chosen(plugin, i) && j < mrl_pipeline__outputs(pipeline); j++)
            violations +=
                check_output(metrics, mrl_pipeline__output_name(pipeline, j),
                             mrl_event_def__at(i)->name, mrl_pipeline__absent(pipeline, j, i));
    mrl_metrics__free(metrics);
    return violations;
}

static number dropped_by(const struct mrl_pipeline *pipeline, unsigned int output)
{
    number events = 0;

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        struct mrl_output_counts counts = mrl_pipeline__counts(pipeline, output, i);

        events += counts.dropped_full + counts.dropped_failed;
    }
    return events;
}

bool mrl_totals__are_kept(const struct mrl_pipeline *pipeline)
{
    int forgotten_err;
    const number forgotten = mrl_pipeline__forgotten(pipeline, &forgotten_err);
    bool kept = !forgotten && !forgotten_err;

    if (!kept)
        mrl_say_error("outputs that were removed: %llu events are not in them: %s", forgotten,
                      forgotten_err ? strerror(-forgotten_err)
                                    : "they were too slow, or failed for a while");
    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++) {
        const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(pipeline, i);
        const char *name = mrl_pipeline__output_name(pipeline, i);
        int err = mrl_pipeline__output_error(pipeline, i);
        number dropped = sink && sink->keeps ? dropped_by(pipeline, i) : 0;

        if (dropped)
            mrl_say_error("%s: %llu events are not in it: %s", name, dropped,
                          err ? strerror(-err) : "it was too slow, or failed for a while");
        else if (err)
            mrl_say_error("%s: not everything was written: %s", name, strerror(-err));
        kept &= !(sink && sink->keeps && (dropped || err));
    }
    return kept;
}
