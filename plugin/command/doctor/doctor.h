/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verb doctor: what works on this host. Everything is tried or read, nothing is concluded from
 * a version, except the advisories, which say so.
 */
#ifndef MRL_COMMAND_DOCTOR_DOCTOR_H
#define MRL_COMMAND_DOCTOR_DOCTOR_H

#include <jansson.h>
#include <mrelease/plugin.h>
#include <stdbool.h>

#include "command/doctor/runtimes.h"
#include "command/doctor/ways.h"

/** Static; "native", "compat" (32-bit), "blocked" (by seccomp). */
const char *mrl_way__column(enum mrl_way_index way);

enum mrl_seen {
    MRL_SEEN_UNTRIED, /* the probes do not work here */
    MRL_SEEN_CLOSED,  /* this machine does not let a process call so */
    MRL_SEEN_NO,
    MRL_SEEN_PARTLY, /* without the arguments that the kernel was given */
    MRL_SEEN_YES,
};

/** What was seen of one way. */
struct mrl_cell {
    enum mrl_seen seen;
    unsigned int times;
    char reason[MRL_WAY_REASON_BYTES]; /* "": it needs none */
};

/** Static; "untried", "not offered", "no", "partly", "yes". */
const char *mrl_seen__name(enum mrl_seen seen);

enum { MRL_SAMPLES_MAX = 256, MRL_SETUPS_MAX = 16, MRL_COVERAGES = 3 };

/** Numbers of the same thing, measured again and again. */
struct mrl_samples {
    double at[MRL_SAMPLES_MAX];
    unsigned int count;
};

/** The value below which `percent` of the samples lie, interpolated; 0 when there are none. */
double mrl_samples__percentile(const struct mrl_samples *samples, double percent);

/** A rung with one coverage, as `mrelease run` would use it. */
struct mrl_setup {
    const struct mrl_rung *rung;
    const char *coverage;
    bool works;
    struct mrl_error why; /* it does not */
    char unproven[24];    /* as mrl_plugin__unproven() */
    enum mrl_seen seen[MRL_WAY_COUNT];
    struct mrl_cell cells[MRL_WAYS_MAX]; /* of every way */
    struct mrl_samples added_ns;         /* per getppid(), less without probes just before */
};

/** What `mrelease run --coverage …` takes here. */
struct mrl_choice {
    const char *coverage;
    const char *rung; /* NULL: nothing works */
};

/** A real release, watched by the rung that compat takes. */
struct mrl_trial {
    bool seen, target_right;
    char outcome[32], accuracy[16];
};

struct mrl_doctor {
    struct mrl_setup setups[MRL_SETUPS_MAX];
    unsigned int setup_count;
    bool timed;                 /* what getppid() takes, or is to be */
    int cpu;                    /* where it is timed: CPUs differ; -1: it was not yet */
    struct mrl_samples bare_ns; /* without any probe */
    struct mrl_choice choices[MRL_COVERAGES];
    struct mrl_trial trial;
    struct mrl_found_runtimes runtimes;
};

/** The name of a setup: "fentry", "fentry + tp_btf". */
void mrl_setup__name(const struct mrl_setup *setup, char name[48]);

/** Why it does not work; NULL: it works. */
const char *mrl_setup__reason(const struct mrl_setup *setup);

/** Asks a setup whose probes stand, as `plugin`. */
typedef void (*mrl_ask_fn)(struct mrl_doctor *doctor,
                           struct mrl_setup *setup,
                           struct mrl_plugin *plugin);

/** Fills the setups, of one rung or of all (NULL), tries each, attached and proven, and asks it;
 * times it where `timed` says so. */
void mrl_doctor__try_setups(struct mrl_doctor *doctor, const char *only, mrl_ask_fn ask);

/** Asks which of three real calls of a child it sees, and watches a real release with the setup
 * that `--coverage compat` takes. */
void mrl_setup__look(struct mrl_doctor *doctor, struct mrl_setup *setup, struct mrl_plugin *plugin);

/** Goes every way, and asks what was seen of each. Stops the plugin. */
void mrl_setup__go_all_ways(struct mrl_doctor *doctor,
                            struct mrl_setup *setup,
                            struct mrl_plugin *plugin);

/** Says why a cell of the way at `index` is what it is, where that needs a word. */
void mrl_cell__explain(struct mrl_cell *cell, unsigned int index, const struct mrl_setup *setup);

/** Prints what was seen of all ways, for people; the same for programs: new, NULL without memory.
 */
void mrl_doctor__print_ways(const struct mrl_doctor *doctor);
json_t *mrl_doctor__ways_json(const struct mrl_doctor *doctor);

/** Says what each coverage takes: the first of the setups that works and sees what it wants. */
void mrl_doctor__choose(struct mrl_doctor *doctor);

/** Adds a few samples of what a getppid() takes now, in CPU time, less `less_ns`, always on the
 * same CPU. Returns their median. */
double mrl_doctor__time(struct mrl_doctor *doctor, struct mrl_samples *samples, double less_ns);

/** Times the setups that work again, in turn, for as long as whole turns end `most_ms` after
 * `start_ns` (CLOCK_MONOTONIC), when the tries began. */
void mrl_doctor__time_again(struct mrl_doctor *doctor, int64_t start_ns, unsigned int most_ms);

/** A thing of this host that matters. */
struct mrl_fact {
    const char *name;
    const char *doc;
    /** Writes what was found; never empty. */
    void (*find)(char value[64]);
};

/** Static. */
const struct mrl_fact *mrl_doctor__facts(unsigned int *ret_count);

/** A right that this process may hold. */
struct mrl_right {
    const char *name;
    const char *doc;
    unsigned int capability;
};

/** Static. */
const struct mrl_right *mrl_doctor__rights(unsigned int *ret_count);

bool mrl_right__is_held(const struct mrl_right *right);

/** A defect that kernels of some versions have, whatever their distribution did about it. */
struct mrl_advisory {
    unsigned int from, before; /* versions: 5.15 is 515 */
    const char *text;
};

/** The advisories of a kernel release ("6.1.0-44-amd64"), one by one; NULL after the last. */
const struct mrl_advisory *mrl_doctor__advisory(const char *release, unsigned int index);

/** Prints it all for people. */
void mrl_doctor__print(const struct mrl_doctor *doctor);

/** The same for programs: schemas/doctor.schema.json. New; NULL without memory. */
json_t *mrl_doctor__json(const struct mrl_doctor *doctor);

#endif
