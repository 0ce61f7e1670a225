// SPDX-License-Identifier: Apache-2.0
/* The status: sums of the registry by event, counts by output, and what only the run knows. */
#include "command/session/status.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/options/say.h"

enum { NAME_BYTES = 256 };

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static void put(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, number(value));
}

/* -- events ----------------------------------------------------------------------------------- */

/* What is told of an event, and the metrics that it is the sum of. */
static const struct {
    const char *key, *metric;
} event_rows[] = {
    { "seen", "mrelease_events_seen_total" }, { "read", "mrelease_events_read_total" },
    { "lost", "mrelease_events_lost_total" }, { "filtered", "mrelease_events_filtered_total" },
    { "self", "mrelease_events_self_total" },
};

enum { EVENT_ROWS = sizeof(event_rows) / sizeof(event_rows[0]) };

static json_t *event_object(struct mrl_plugin *plugin,
                            const struct mrl_metrics *metrics,
                            unsigned int event)
{
    const struct mrl_label label = { "event", mrl_event_def__at(event)->name };
    json_t *object = json_object();

    json_object_set_new(object, "name", json_string(label.value));
    json_object_set_new(object, "watched",
                        json_boolean(mrl_plugin__watched(plugin) & (1U << event)));
    for (unsigned int i = 0; i < EVENT_ROWS; i++)
        put(object, event_rows[i].key, mrl_metrics__sum(metrics, event_rows[i].metric, &label, 1));
    return object;
}

/* All that can be switched: one that was never chosen has counted nothing. NULL: no memory. */
static json_t *events_array(struct mrl_plugin *plugin)
{
    struct mrl_metrics *metrics;
    json_t *array;

    if (mrl_metrics__collect(plugin, NULL, &metrics))
        return NULL;
    array = json_array();
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        if (*mrl_event_def__at(i)->syscall)
            json_array_append_new(array, event_object(plugin, metrics, i));
    mrl_metrics__free(metrics);
    return array;
}

/* -- policies --------------------------------------------------------------------------------- */

static json_t *policies_array(struct mrl_plugin *plugin)
{
    struct mrl_policy_count policy;
    json_t *array = json_array();

    for (unsigned int i = 0; !mrl_plugin__policy(plugin, i, &policy); i++)
        json_array_append_new(array, json_pack("{s:s, s:I}", "name", policy.name, "matched",
                                               (json_int_t)policy.matched));
    return array;
}

/* -- outputs ---------------------------------------------------------------------------------- */

static void put_counts(json_t *object, const struct mrl_pipeline *pipeline, unsigned int output)
{
    struct mrl_output_counts all = { 0 };
    json_t *dropped = json_object();

    for (unsigned int i = 0; i < mrl_event_def__count(); i++) {
        const struct mrl_output_counts counts = mrl_pipeline__counts(pipeline, output, i);

        if (!*mrl_event_def__at(i)->syscall)
            continue;
        all.delivered += counts.delivered;
        all.dropped_full += counts.dropped_full;
        all.dropped_failed += counts.dropped_failed;
        all.rejected += counts.rejected;
        all.lost_before += counts.lost_before;
    }
    put(object, "delivered", all.delivered);
    put(dropped, "queue_full", all.dropped_full);
    put(dropped, "write_failed", all.dropped_failed);
    json_object_set_new(object, "dropped", dropped);
    put(object, "rejected", all.rejected);
    put(object, "lost_before", all.lost_before);
}

static void put_waiting(json_t *object, const struct mrl_pipeline *pipeline, unsigned int output)
{
    struct mrl_waiting waiting;
    struct mrl_kept kept;

    mrl_pipeline__waiting(pipeline, output, &waiting);
    json_object_set_new(object, "pending",
                        json_pack("{s:I, s:I, s:I}", "lines", (json_int_t)waiting.lines, "bytes",
                                  (json_int_t)waiting.bytes, "room", (json_int_t)waiting.size));
    if (mrl_pipeline__kept(pipeline, output, &kept))
        json_object_set_new(object, "spool",
                            json_pack("{s:I, s:I}", "pending", (json_int_t)kept.pending, "bytes",
                                      (json_int_t)kept.bytes));
}

/* What was never is null: the beginning of the epoch is a time. */
static void put_sent(json_t *object, const struct mrl_pipeline *pipeline, unsigned int output)
{
    struct mrl_sent sent;
    time_t seconds;
    char text[32];
    struct tm utc;

    if (!mrl_pipeline__sent(pipeline, output, &sent))
        return;
    seconds = (time_t)(sent.last_success_ns / 1000000000);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    put(object, "retries", sent.retries);
    put(object, "resent", sent.resent);
    json_object_set_new(object, "last_success",
                        sent.last_success_ns ? json_string(text) : json_null());
}

static void put_side(json_t *object, const struct mrl_pipeline *pipeline, unsigned int output)
{
    const struct mrl_sink_ops *sink = mrl_pipeline__output_sink(pipeline, output);
    struct mrl_life life;

    if (sink && sink->side && mrl_pipeline__life(pipeline, output, &life))
        json_object_set_new(object, "side",
                            json_pack("{s:s, s:b, s:i}", "program", sink->side, "lives", life.is_up,
                                      "restarts", (int)(life.starts - 1)));
}

static json_t *output_object(const struct mrl_pipeline *pipeline, unsigned int output)
{
    json_t *object = json_object();
    char text[NAME_BYTES];
    json_t *name;

    /* What is no text, or is cut within a letter, has a number. */
    snprintf(text, sizeof(text), "%s", mrl_pipeline__output_name(pipeline, output));
    name = json_string(text);
    json_object_set_new(object, "name", name ? name : json_sprintf("output %u", output));
    json_object_set_new(object, "removed",
                        json_boolean(mrl_pipeline__output_is_gone(pipeline, output)));
    put_counts(object, pipeline, output);
    put_waiting(object, pipeline, output);
    put_sent(object, pipeline, output);
    put_side(object, pipeline, output);
    return object;
}

static json_t *outputs_array(const struct mrl_pipeline *pipeline)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        json_array_append_new(array, output_object(pipeline, i));
    return array;
}

/* -- all -------------------------------------------------------------------------------------- */

static json_t *status_object(const struct mrl_status_source *source)
{
    struct mrl_run_sides *run = source->run;
    json_t *events = events_array(run->plugin), *object;
    char since[32];
    struct tm utc;

    if (!events)
        return NULL;
    object = json_object();
    strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&source->since, &utc));
    json_object_set_new(object, "version", json_string(mrl_version()));
    put(object, "pid", (uint64_t)getpid());
    json_object_set_new(object, "run", json_string(mrl_plugin__run(run->plugin)));
    json_object_set_new(object, "rung", json_string(mrl_plugin__rung(run->plugin)));
    json_object_set_new(object, "coverage", json_string(source->coverage));
    json_object_set_new(object, "since", json_string(since));
    json_object_set_new(object, "log_level",
                        json_string(mrl_log_level__name((enum mrl_log_level)__atomic_load_n(
                            &run->log_level, __ATOMIC_RELAXED))));
    json_object_set_new(object, "events", events);
    json_object_set_new(object, "policies", policies_array(run->plugin));
    json_object_set_new(object, "outputs", outputs_array(run->pipeline));
    return object;
}

int mrl_status__write(const struct mrl_status_source *source, char *text, size_t size)
{
    json_t *object = NULL;
    size_t used = 0;
    bool is_there;

    pthread_mutex_lock(&source->run->lock);
    is_there = source->run->plugin && source->run->pipeline;
    if (is_there)
        object = status_object(source);
    pthread_mutex_unlock(&source->run->lock);
    if (!object)
        return is_there ? -ENOMEM : -ENODEV;
    used = json_dumpb(object, text, size, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    if (!used || used >= size)
        return -ENOSPC;
    text[used] = '\0';
    return 0;
}
