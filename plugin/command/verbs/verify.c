// SPDX-License-Identifier: Apache-2.0
/*
 * The verb verify: proves from the numbers of the records that a file is complete, or names what is
 * missing. The file is read once, line by line, and what is remembered of it is one number per CPU
 * and lane.
 *
 * A file may hold several runs, one behind the other. Numbers only grow within a run, so one that
 * is smaller than its predecessor of the same CPU and lane begins a new run there.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"

enum {
    LINE_BYTES = 64 * 1024, /* no line of ours is longer */
    CPUS_MAX = 1 << 16,
    LANES = 2,
};

#define NUMBER_MAX 9007199254740992.0 /* 2^53: beyond it the JSON reader is not exact */

typedef unsigned long long number;

struct tally {
    number events, gaps, missing, told;
};

struct verifier {
    FILE *file;
    const char *path;
    char line[LINE_BYTES];
    number line_number, bad, restarts, unnumbered;
    uint64_t (*next)[LANES]; /* by CPU: the number that must follow */
    unsigned int cpus;
    struct tally lanes[LANES];
};

static const char *const lane_names[LANES] = { "rare", "busy" };

/* -- a line ----------------------------------------------------------------------------------- */

static int bad_line(struct verifier *verifier, const char *why)
{
    verifier->bad++;
    printf("line %llu: %s\n", verifier->line_number, why);
    return 0;
}

/* Returns whether it is a whole number up to `max`. */
static bool read_number(const json_t *value, double max, number *ret_number)
{
    double real = json_number_value(value);

    if (!json_is_number(value) || !(real >= 0 && real <= max) || real != (double)(number)real)
        return false;
    *ret_number = (number)real;
    return true;
}

/* The value of an argument; the last one of that name, because extras follow Tracee's own. */
static const json_t *argument(const json_t *event, const char *name)
{
    const json_t *args = json_object_get(event, "args");

    for (size_t i = json_array_size(args); i; i--) {
        const json_t *arg = json_array_get(args, i - 1);
        const char *its_name = json_string_value(json_object_get(arg, "name"));

        if (its_name && !strcmp(its_name, name))
            return json_object_get(arg, "value");
    }
    return NULL;
}

static int take_lost(struct verifier *verifier, const json_t *event)
{
    const char *name = json_string_value(argument(event, "event"));
    const char *cause = json_string_value(argument(event, "cause"));
    const struct mrl_event_def *def = name ? mrl_event_def__find(name, NULL) : NULL;
    number count;

    if (!def || !cause || def->lane >= LANES ||
        !read_number(argument(event, "count"), NUMBER_MAX, &count))
        return bad_line(verifier, "an events_lost that does not say what is lost");
    printf("line %llu: %llu %s lost (%s)\n", verifier->line_number, count, name, cause);
    if (!strcmp(cause, "no_memory") || !strcmp(cause, "exit_missed"))
        verifier->unnumbered += count; /* the call got no number */
    else
        verifier->lanes[def->lane].told += count;
    return 0;
}

static int grow(struct verifier *verifier, unsigned int cpus)
{
    void *next = realloc(verifier->next, cpus * sizeof(*verifier->next));

    if (!next) {
        mrl_say("out of memory");
        return -ENOMEM;
    }
    verifier->next = next;
    memset(verifier->next + verifier->cpus, 0, (cpus - verifier->cpus) * sizeof(*verifier->next));
    verifier->cpus = cpus;
    return 0;
}

static void take_number(struct verifier *verifier, number cpu, number lane, number seq)
{
    uint64_t *next = &verifier->next[cpu][lane];
    struct tally *tally = &verifier->lanes[lane];

    if (seq < *next) {
        verifier->restarts++;
        *next = 0;
    }
    if (seq > *next) {
        number missing = seq - *next;

        printf("line %llu: cpu %llu, lane %llu (%s): %llu..%llu missing (%llu)\n",
               verifier->line_number, cpu, lane, lane_names[lane], (number)*next, seq - 1, missing);
        tally->gaps++;
        tally->missing += missing;
    }
    *next = seq + 1;
    tally->events++;
}

static int take_event(struct verifier *verifier, const json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "eventName"));
    const json_t *seq_value = argument(event, "seq");
    number cpu, lane, seq;

    if (!name)
        return bad_line(verifier, "no event");
    if (!strcmp(name, "events_lost"))
        return take_lost(verifier, event);
    if (!seq_value)
        return bad_line(verifier, "no number: was the file written with --extra seq?");
    if (!read_number(json_object_get(event, "processorId"), CPUS_MAX - 1, &cpu) ||
        !read_number(argument(event, "lane"), LANES - 1, &lane) ||
        !read_number(seq_value, NUMBER_MAX, &seq))
        return bad_line(verifier, "processorId, lane or seq is not a number as they should be");
    if (cpu >= verifier->cpus && grow(verifier, (unsigned int)cpu + 1))
        return -ENOMEM;
    take_number(verifier, cpu, lane, seq);
    return 0;
}

static int take_line(struct verifier *verifier, size_t size)
{
    json_error_t error;
    json_t *event =
        json_loadb(verifier->line, size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
    int err;

    if (!event)
        return bad_line(verifier, error.text);
    err = take_event(verifier, event);
    json_decref(event);
    return err;
}

/* -- the file --------------------------------------------------------------------------------- */

/* Returns whether there was one. `*ret_fault` is what is wrong with it as a line, or NULL. */
static bool read_line(struct verifier *verifier, size_t *ret_size, const char **ret_fault)
{
    size_t size = 0;
    int byte;

    *ret_fault = NULL;
    while ((byte = getc_unlocked(verifier->file)) != EOF && byte != '\n') {
        if (size < LINE_BYTES)
            verifier->line[size++] = (char)byte;
        else
            *ret_fault = "longer than any event";
    }
    if (byte == EOF && !size)
        return false;
    if (byte == EOF)
        *ret_fault = "cut off: the file does not end with a newline";
    verifier->line_number++;
    *ret_size = size;
    return true;
}

static int read_all(struct verifier *verifier)
{
    const char *fault;
    size_t size;
    int err = 0;

    while (!err && read_line(verifier, &size, &fault))
        err = fault ? bad_line(verifier, fault) : take_line(verifier, size);
    if (!err && ferror(verifier->file)) {
        mrl_say("%s: %s", verifier->path, strerror(errno));
        err = -EIO;
    }
    return err;
}

/* -- the verdict ------------------------------------------------------------------------------ */

static void print_lane(const struct tally *tally, const char *name)
{
    if (tally->missing == tally->told && tally->told)
        printf("%s lane: %llu missing, as events_lost says\n", name, tally->missing);
    else if (tally->missing > tally->told)
        printf("%s lane: %llu missing, but events_lost says %llu: %llu unaccounted for\n", name,
               tally->missing, tally->told, tally->missing - tally->told);
    else if (tally->missing < tally->told)
        printf(
            "%s lane: %llu missing, and events_lost says %llu: %llu had no later number to show them\n",
            name, tally->missing, tally->told, tally->told - tally->missing);
}

/* Returns whether nothing is missing. */
static bool print_verdict(const struct verifier *verifier)
{
    struct tally sum = { 0 };
    bool complete;

    for (unsigned int lane = 0; lane < LANES; lane++) {
        const struct tally *tally = &verifier->lanes[lane];

        print_lane(tally, lane_names[lane]);
        sum.events += tally->events;
        sum.gaps += tally->gaps;
        sum.missing += tally->missing;
        sum.told += tally->told;
    }
    if (verifier->unnumbered)
        printf("%llu more lost without a number (no_memory, exit_missed)\n", verifier->unnumbered);
    if (verifier->restarts)
        printf("numbers began anew %llu times: the file holds several runs\n", verifier->restarts);
    complete = !sum.missing && !sum.told && !verifier->unnumbered && !verifier->bad;
    printf("%s: %llu events, %llu gaps, %llu missing, %llu told by events_lost, %llu bad lines\n",
           complete ? "complete" : "not complete", sum.events, sum.gaps, sum.missing,
           sum.told + verifier->unnumbered, verifier->bad);
    return complete;
}

static int verify_file(struct verifier *verifier)
{
    bool complete = false;
    int err, status;

    verifier->file = strcmp(verifier->path, "-") ? fopen(verifier->path, "re") : stdin;
    if (!verifier->file) {
        mrl_say("%s: %s", verifier->path, strerror(errno));
        return MRL_EXIT_FAILED;
    }
    err = read_all(verifier);
    if (!err)
        complete = print_verdict(verifier);
    if (verifier->file != stdin)
        fclose(verifier->file);
    status = mrl_flush_stdout();
    return err || !complete ? MRL_EXIT_FAILED : status;
}

static int verify(const struct mrl_verb *verb, int argc, char **argv)
{
    struct verifier *verifier;
    int operand, status;

    operand = mrl_arguments__parse(verb, argc, argv, NULL, 0, &status);
    if (operand < 0)
        return status;
    if (operand == argc)
        return mrl_usage_error(verb, "which file? '-' is standard input");
    verifier = calloc(1, sizeof(*verifier));
    if (!verifier) {
        mrl_say("out of memory");
        return MRL_EXIT_FAILED;
    }
    verifier->path = argv[operand];
    status = verify_file(verifier);
    free(verifier->next);
    free(verifier);
    return status;
}

const struct mrl_verb mrl_verb_verify = {
    .name = "verify",
    .operands = "FILE",
    .operands_max = 1,
    .doc = "Prove a file of JSON lines, written with --extra seq, complete, or name its gaps.",
    .run = verify,
};
