// SPDX-License-Identifier: Apache-2.0
/* The verb doctor: what is tried, in which order, and how it is printed. */
#include "command/doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/options/progress.h"

enum { BUDGET_MS = 4000 }; /* then nothing is timed again */

enum { TABLE, JSON };

struct options {
    int format;
    const char *rung;
    bool quick, ways_in, quiet;
    struct mrl_names_options names;
};

static const char *const formats[] = { [TABLE] = "table", [JSON] = "json", NULL };
static const char *const any_rung[] = { "auto", NULL };

static const char *rung_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);

    return index < count ? rungs[index].name : NULL;
}

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct options, format),
      .words = formats,
      .preset = "table",
      .doc = "How to print it." },
    { .name = "rung",
      .type = MRL_OPTION_WORD,
      .offset = offsetof(struct options, rung),
      .words = any_rung,
      .word = rung_word,
      .value = "RUNG",
      .preset = "auto",
      .doc = "Try this rung only; auto tries all." },
    { .name = "quick",
      .type = MRL_OPTION_SWITCH,
      .offset = offsetof(struct options, quick),
      .doc = "Leave out the tax." },
    { .name = "names-socket",
      .type = MRL_OPTION_OWN,
      .offset = offsetof(struct options, names),
      .many = MRL_NAMES_SOCKETS_MAX,
      .parse = mrl_names_options__add,
      .separator = '=',
      .value = "RUNTIME=PATH",
      .doc = "Ask the runtime there for its containers, and not those at the usual sockets. May be "
             "repeated." },
    { .name = "ways-in",
      .type = MRL_OPTION_SWITCH,
      .offset = offsetof(struct options, ways_in),
      .doc =
          "Call by every way that a process has, and print what was seen of each; nothing else." },
    MRL_PROGRESS_ROW(offsetof(struct options, quiet)),
};

static void examine(struct mrl_doctor *doctor, const struct options *options)
{
    const int64_t start_ns = mrl_clock__ns(CLOCK_MONOTONIC);
    unsigned int rungs;

    mrl_rung__all(&rungs);
    mrl_progress__allow(options->quiet);
    mrl_progress__begin(rungs + 2, NULL);
    doctor->timed = !options->quick && !options->ways_in;
    mrl_doctor__try_setups(doctor, options->rung,
                           options->ways_in ? mrl_setup__go_all_ways : mrl_setup__look);
    if (!options->rung && !options->ways_in)
        mrl_doctor__choose(doctor);
    if (!options->rung && !options->ways_in)
        mrl_found_runtimes__look(&options->names, &doctor->runtimes);
    if (doctor->timed) {
        mrl_progress__step(rungs + 1, "timing what other system calls pay");
        mrl_doctor__time_again(doctor, start_ns, BUDGET_MS);
    }
    mrl_progress__end();
}

static bool any_works(const struct mrl_doctor *doctor)
{
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        if (doctor->setups[i].works)
            return true;
    return false;
}

static int print_json(json_t *json)
{
    int failed = !json || json_dumpf(json, stdout, JSON_INDENT(2));

    json_decref(json);
    if (failed)
        mrl_say("the report could not be printed");
    else
        putchar('\n');
    return failed;
}

static int doctor(const struct mrl_verb *verb, int argc, char **argv)
{
    static struct mrl_doctor report;
    struct options options = { .format = TABLE };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status;

    if (mrl_arguments__parse(verb, argc, argv, &group, 1, &status) < 0)
        return status;
    if (!strcmp(options.rung, any_rung[0]))
        options.rung = NULL;
    report = (struct mrl_doctor){ 0 };
    examine(&report, &options);
    if (options.format == TABLE)
        (options.ways_in ? mrl_doctor__print_ways : mrl_doctor__print)(&report);
    else if (print_json((options.ways_in ? mrl_doctor__ways_json : mrl_doctor__json)(&report)))
        return MRL_EXIT_FAILED;
    status = mrl_flush_stdout();
    return any_works(&report) ? status : MRL_EXIT_FAILED;
}

const struct mrl_verb mrl_verb_doctor = {
    .name = "doctor",
    .operands = "",
    .doc = "Try what works on this host: rungs, their tax, what they see, and what is missing.",
    .run = doctor,
};
