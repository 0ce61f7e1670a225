// SPDX-License-Identifier: Apache-2.0
/* The verb doctor: what is tried, in which order, and how it is printed. */
#include "command/doctor/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

enum { ROUNDS = 15 };

struct options {
    const char *format, *rung;
    bool quick;
};

static int set_format(void *target, const char *value, struct mrl_error *error)
{
    static const char *const formats[] = { "table", "json" };

    for (unsigned int i = 0; i < 2; i++)
        if (!strcmp(formats[i], value)) {
            ((struct options *)target)->format = formats[i];
            return 0;
        }
    return mrl_error__unknown(error, "format", value, formats, 2);
}

static int set_rung(void *target, const char *value, struct mrl_error *error)
{
    unsigned int count;
    const struct mrl_rung *rungs = mrl_rung__all(&count);
    const char *names[MRL_SETUPS_MAX + 1];

    for (unsigned int i = 0; i < count; i++) {
        names[i] = rungs[i].name;
        if (!strcmp(names[i], value)) {
            ((struct options *)target)->rung = names[i];
            return 0;
        }
    }
    names[count] = "auto";
    return strcmp(value, "auto") ? mrl_error__unknown(error, "rung", value, names, count + 1) : 0;
}

static int set_quick(void *target, const char *value, struct mrl_error *error)
{
    (void)value;
    (void)error;
    ((struct options *)target)->quick = true;
    return 0;
}

static const struct mrl_option rows[] = {
    { "format", '\0', "table|json", "table", "How to print it.", set_format },
    { "rung", '\0', "RUNG", "auto", "Try this rung only; auto tries all.", set_rung },
    { "quick", '\0', NULL, NULL, "Leave out what takes seconds: the tax.", set_quick },
};

/* A line that goes when the next comes; nothing where nobody watches. */
static void progress(const char *text)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s", text);
}

static void examine(struct mrl_doctor *doctor, const struct options *options)
{
    progress("trying each rung …");
    mrl_doctor__try_setups(doctor, options->rung);
    if (!options->rung) {
        progress("watching a real release …");
        mrl_doctor__try_choices(doctor);
    }
    if (!options->quick) {
        progress("timing what other system calls pay …");
        mrl_doctor__time_setups(doctor, ROUNDS);
    }
    progress("");
}

static bool any_works(const struct mrl_doctor *doctor)
{
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        if (doctor->setups[i].works)
            return true;
    return false;
}

static int print_json(const struct mrl_doctor *doctor)
{
    json_t *json = mrl_doctor__json(doctor);
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
    struct options options = { .format = "table" };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status;

    if (mrl_arguments__parse(verb, argc, argv, &group, 1, &status) < 0)
        return status;
    report = (struct mrl_doctor){ 0 };
    examine(&report, &options);
    if (strcmp(options.format, "json") != 0)
        mrl_doctor__print(&report);
    else if (print_json(&report))
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
