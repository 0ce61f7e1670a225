// SPDX-License-Identifier: Apache-2.0
/* Trying each rung, alone and with what stands beside it. */
#include <mrelease/event.h>
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>

#include "base/clock.h"
#include "command/doctor/doctor.h"
#include "command/options/progress.h"
#include "command/verbs/release.h"

enum { WAIT_MS = 20, SEE_MS = 200, TRIES = 4 };

#define TRIAL_BYTES ((size_t)16 << 20)

static const char *const seen_names[] = {
    [MRL_SEEN_UNTRIED] = "untried", [MRL_SEEN_CLOSED] = "not offered",
    [MRL_SEEN_NO] = "no",           [MRL_SEEN_PARTLY] = "partly",
    [MRL_SEEN_YES] = "yes",
};

static const char *const columns[MRL_WAY_COUNT] = {
    [MRL_WAY_NATIVE] = "native",
    [MRL_WAY_COMPAT] = "compat",
    [MRL_WAY_BLOCKED] = "blocked",
};

const char *mrl_way__column(enum mrl_way_index way)
{
    return columns[way];
}

const char *mrl_seen__name(enum mrl_seen seen)
{
    return seen_names[seen];
}

/* -- watching --------------------------------------------------------------------------------- */

/* Whether an event is the one that is looked for; it then takes what it needs of it. */
typedef bool (*match_fn)(const struct mrl_event *event, void *context);

/* Whether it comes within some time. */
static bool comes(struct mrl_plugin *plugin, match_fn match, void *context)
{
    int64_t end = mrl_clock__ns(CLOCK_MONOTONIC) + SEE_MS * INT64_C(1000000);
    bool found = false;

    while (!found && mrl_clock__ns(CLOCK_MONOTONIC) < end) {
        struct mrl_batch *batch;
        int count = mrl_plugin__next_batch(plugin, WAIT_MS, &batch);

        if (count < 0)
            return false;
        for (int i = 0; i < count && !found; i++)
            found = match(mrl_batch__at(batch, (size_t)i), context);
        if (count)
            mrl_batch__unref(batch);
    }
    return found;
}

static bool is_of_trip(const struct mrl_event *event, void *context)
{
    return mrl_trip__is(context, event);
}

static enum mrl_seen look(struct mrl_plugin *plugin, enum mrl_way_index way)
{
    struct mrl_trip trip;

    mrl_way__go(way, &trip);
    if (!trip.made)
        return MRL_SEEN_CLOSED;
    return comes(plugin, is_of_trip, &trip) ? MRL_SEEN_YES : MRL_SEEN_NO;
}

/* -- setups ----------------------------------------------------------------------------------- */

static int open_setup(const char *rung,
                      const char *coverage,
                      struct mrl_error *error,
                      struct mrl_plugin **ret_plugin)
{
    static char own_calls[sizeof("comm=," MRL_WAY_TAG "*") + 16] = "comm=";
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

    /* A busy host would push our own few calls out of the rings. A name that a scope could not say
     * is nobody's but a renamed program's, which then sees the host's as well. */
    if (!prctl(PR_GET_NAME, own_calls + strlen("comm=")) && own_calls[5] &&
        !strpbrk(own_calls, ",*!<> ")) {
        strcat(own_calls, "," MRL_WAY_TAG "*");
        options.scopes[options.scope_count++] = own_calls;
    }
    options.rung = rung;
    options.coverage = coverage;
    options.trials = true; /* our own calls are marked, so that other sensors leave them out */
    return mrl_plugin__open(&options, error, ret_plugin);
}

/* What is timed first is the bare call, just before: what else the machine does changes. */
static void try_setup(struct mrl_doctor *doctor, struct mrl_setup *setup, mrl_ask_fn ask)
{
    const double bare_ns = doctor->timed ? mrl_doctor__time(doctor, &doctor->bare_ns, 0) : 0;
    struct mrl_plugin *plugin;

    if (open_setup(setup->rung->name, setup->coverage, &setup->why, &plugin))
        return;
    setup->works = true;
    if (doctor->timed)
        mrl_doctor__time(doctor, &setup->added_ns, bare_ns);
    if (ask) {
        snprintf(setup->unproven, sizeof(setup->unproven), "%s", mrl_plugin__unproven(plugin));
        ask(doctor, setup, plugin);
    }
    mrl_plugin__close(plugin);
}

void mrl_doctor__time_again(struct mrl_doctor *doctor, int64_t start_ns, unsigned int most_ms)
{
    const int64_t end_ns = start_ns + most_ms * INT64_C(1000000);
    int64_t now_ns = mrl_clock__ns(CLOCK_MONOTONIC), turn_ns = now_ns - start_ns;

    while (now_ns + turn_ns < end_ns) {
        start_ns = now_ns;
        for (unsigned int i = 0; i < doctor->setup_count; i++)
            if (doctor->setups[i].works)
                try_setup(doctor, &doctor->setups[i], NULL);
        now_ns = mrl_clock__ns(CLOCK_MONOTONIC);
        turn_ns = now_ns - start_ns;
    }
}

static void add_setup(struct mrl_doctor *doctor,
                      const struct mrl_rung *rung,
                      const char *coverage,
                      mrl_ask_fn ask)
{
    struct mrl_setup *setup = &doctor->setups[doctor->setup_count];

    if (doctor->setup_count == MRL_SETUPS_MAX)
        return;
    *setup = (struct mrl_setup){ .rung = rung, .coverage = coverage };
    doctor->setup_count++;
    try_setup(doctor, setup, ask);
}

void mrl_doctor__try_setups(struct mrl_doctor *doctor, const char *only, mrl_ask_fn ask)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);
    char step[64];

    doctor->cpu = -1;
    for (unsigned int i = 0; i < count; i++) {
        if (only && strcmp(rungs[i].name, only) != 0)
            continue;
        snprintf(step, sizeof(step), "trying %s", rungs[i].name);
        mrl_progress__step(i + 1, step);
        add_setup(doctor, &rungs[i], "compat", ask);
        if (rungs[i].beside && doctor->setups[doctor->setup_count - 1].works)
            add_setup(doctor, &rungs[i], "all", ask);
    }
}

/* -- what a run takes ------------------------------------------------------------------------- */

static const struct mrl_value *value_of(const struct mrl_event *event, const char *name)
{
    for (unsigned int i = 0; i < event->def->field_count; i++)
        if (!strcmp(event->def->fields[i].name, name))
            return &event->values[i];
    return NULL;
}

static void copy(char *to, size_t size, const struct mrl_value *value)
{
    size_t bytes = value && !value->absent ? value->text.size : 0;

    bytes = bytes < size ? bytes : size - 1;
    memcpy(to, bytes ? value->text.bytes : "", bytes);
    to[bytes] = '\0';
}

static bool is_release(const struct mrl_event *event, void *context)
{
    const struct mrl_value *name = value_of(event, "target_name"),
                           *target = value_of(event, "target_pid");
    struct mrl_trial *trial = context;

    if (!target || event->process_id != (uint32_t)getpid())
        return false;
    trial->seen = true;
    trial->target_right = !target->absent && target->number > 0 && name && !name->absent &&
                          name->text.size == strlen(MRL_RELEASE_NAME) &&
                          !memcmp(name->text.bytes, MRL_RELEASE_NAME, name->text.size);
    copy(trial->outcome, sizeof(trial->outcome), value_of(event, "outcome"));
    copy(trial->accuracy, sizeof(trial->accuracy), value_of(event, "accuracy"));
    return true;
}

/* The child may be quicker at dying than we are at asking; a bigger one takes longer. */
static void try_release(struct mrl_plugin *plugin, struct mrl_trial *trial)
{
    size_t bytes = TRIAL_BYTES;

    for (int i = 0; i < TRIES && !trial->seen; i++, bytes *= 2)
        if (!mrl_release__child(bytes, true))
            comes(plugin, is_release, trial);
}

static bool serves(const struct mrl_setup *setup, const char *coverage)
{
    const struct mrl_rung *rung = setup->rung;
    bool alone = strcmp(setup->coverage, "all") != 0;

    if (!strcmp(coverage, "native"))
        return alone;
    if (!strcmp(coverage, "compat"))
        return alone && rung->sees_compat;
    return rung->sees_compat && (rung->sees_blocked || !alone);
}

static const struct mrl_setup *choose(const struct mrl_doctor *doctor, const char *coverage)
{
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        if (doctor->setups[i].works && serves(&doctor->setups[i], coverage))
            return &doctor->setups[i];
    return NULL;
}

void mrl_doctor__choose(struct mrl_doctor *doctor)
{
    static const char *const coverages[MRL_COVERAGES] = { "compat", "native", "all" };

    for (unsigned int i = 0; i < MRL_COVERAGES; i++) {
        const struct mrl_setup *setup = choose(doctor, coverages[i]);

        doctor->choices[i] = (struct mrl_choice){ coverages[i], setup ? setup->rung->name : NULL };
    }
}

void mrl_setup__look(struct mrl_doctor *doctor, struct mrl_setup *setup, struct mrl_plugin *plugin)
{
    for (unsigned int way = 0; way < MRL_WAY_COUNT; way++)
        setup->seen[way] = look(plugin, way);
    if (setup == choose(doctor, "compat"))
        try_release(plugin, &doctor->trial);
}
