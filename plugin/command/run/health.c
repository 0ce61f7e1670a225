// SPDX-License-Identifier: Apache-2.0
/*
 * Checks, in the order in which they are told. A loss, a full disk and a destination that is away
 * are none: whoever restarts a sensor for these loses more. They are metrics.
 */
#include "command/run/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"

__attribute__((format(printf, 5, 6))) static void put(struct mrl_health *health,
                                                      const char *name,
                                                      bool is_of_life,
                                                      bool is_well,
                                                      const char *format,
                                                      ...)
{
    struct mrl_health_check *check = &health->checks[health->count++];
    va_list arguments;

    snprintf(check->name, sizeof(check->name), "%s", name);
    check->is_of_life = is_of_life;
    check->is_well = is_well;
    va_start(arguments, format);
    vsnprintf(check->text, sizeof(check->text), format, arguments);
    va_end(arguments);
}

void mrl_run_health__come_round(struct mrl_run_health *health)
{
    atomic_store(&health->round_ns, mrl_clock__ns(CLOCK_MONOTONIC));
}

void mrl_run_health__end(struct mrl_run_health *health)
{
    atomic_store(&health->ending, true);
}

/* At the end it writes what is left, and comes round no more. */
static void look_at_reader(const struct mrl_run_health *health, struct mrl_health *ret_health)
{
    const int64_t round_ns = atomic_load(&health->round_ns);
    const int64_t age_ms = round_ns ? (mrl_clock__ns(CLOCK_MONOTONIC) - round_ns) / 1000000 : 0;
    const bool is_late = age_ms > MRL_READER_LATE_S * 1000 && !atomic_load(&health->ending);

    if (!round_ns)
        put(ret_health, "reader", true, true, "starts");
    else
        put(ret_health, "reader", true, !is_late, "came round %lld.%lld s ago",
            (long long)age_ms / 1000, (long long)age_ms % 1000 / 100);
}

/* The first of those that are not seen. */
static const char *first_of(uint32_t events)
{
    return mrl_event_def__at((unsigned int)__builtin_ctz(events))->name;
}

static void look_at_probes(struct mrl_plugin *plugin, struct mrl_health *ret_health)
{
    struct mrl_plugin_status status = { .unseen = 0 };

    if (plugin)
        mrl_plugin__status(plugin, &status);
    if (!plugin)
        put(ret_health, "probes", false, false, "not there");
    else if (status.unseen)
        put(ret_health, "probes", false, false,
            "gone: a call of %s, made to prove them, is not seen%s", first_of(status.unseen),
            status.unseen & (status.unseen - 1) ? ", and others" : "");
    else
        put(ret_health, "probes", false, true, "attached and proven, with %s",
            mrl_plugin__rung(plugin));
}

static unsigned int count_outputs(const struct mrl_pipeline *pipeline)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < mrl_pipeline__outputs(pipeline); i++)
        count += !mrl_pipeline__output_is_gone(pipeline, i);
    return count;
}

static void look_at_outputs(const struct mrl_pipeline *pipeline, struct mrl_health *ret_health)
{
    if (pipeline)
        put(ret_health, "outputs", false, true, "%u opened", count_outputs(pipeline));
    else
        put(ret_health, "outputs", false, false, "not opened");
}

void mrl_run_health__look(const struct mrl_run_health *health,
                          struct mrl_plugin *plugin,
                          const struct mrl_pipeline *pipeline,
                          struct mrl_health *ret_health)
{
    const bool ends = atomic_load(&health->ending);

    look_at_reader(health, ret_health);
    look_at_probes(plugin, ret_health);
    look_at_outputs(pipeline, ret_health);
    put(ret_health, "run", false, !ends, "%s", ends ? "ends" : "goes on");
}
