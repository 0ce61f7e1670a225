// SPDX-License-Identifier: Apache-2.0
/*
 * The verb validate: holds a file of JSON lines against the schema of its dialect. The file is read
 * once, line by line; one line is all that is kept of it.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "base/tame.h"
#include "command/command.h"
#include "command/options/progress.h"
#include "command/schema/check.h"
#include "side/common/sandbox.h"

enum { SOME_LINES = 256 };

typedef unsigned long long number;

struct validator;

/* A way of telling what was found. */
struct report {
    void (*fault)(const struct validator *validator, const struct mrl_fault *fault);
    void (*totals)(const struct validator *validator);
};

struct validator {
    const char *path;
    int format; /* index of the report */
    bool quiet;
    /* Given, or found at the first line that tells it; NULL until then. */
    const struct mrl_dialect *dialect;
    /* Of the dialect, or of the default one until it is known: lines that do not tell are the same
     * in both. */
    struct mrl_check *check;
    FILE *file;
    uint64_t position; /* bytes that were read */
    number lines, invalid;
    bool spread; /* within what is spread over several lines, as was told */
    char line[MRL_LINE_MAX + 1];
};

/* -- reports ---------------------------------------------------------------------------------- */

static void table_fault(const struct validator *validator, const struct mrl_fault *fault)
{
    char text[sizeof(*fault) + 32];

    snprintf(text, sizeof(text), "line %llu: %s%s%s", validator->lines, fault->pointer,
             *fault->pointer ? ": " : "", fault->reason);
    puts(mrl_tame(text));
}

static const char *schema_name(const struct validator *validator)
{
    return mrl_check__schema(validator->check)->dialect->name;
}

static void table_totals(const struct validator *validator)
{
    char path[512];

    snprintf(path, sizeof(path), "%s", validator->path);
    printf("%s: %llu lines, %llu valid, %llu not (%s)\n", mrl_tame(path), validator->lines,
           validator->lines - validator->invalid, validator->invalid, schema_name(validator));
}

/* Steals `object`. In ASCII: a key of the file that is held against its schema may hold what steers
 * a terminal or reorders text. */
static void print_object(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}

/* The reason is the validator's, and may hold a part of the line that was cut within a character.
 */
static json_t *text_of(const char *text)
{
    size_t size = strlen(text);
    json_t *string = json_stringn(text, size);

    while (!string && size)
        string = json_stringn(text, --size);
    return string ? string : json_string("");
}

static void json_fault(const struct validator *validator, const struct mrl_fault *fault)
{
    print_object(json_pack("{s:I, s:o, s:o}", "line", (json_int_t)validator->lines, "pointer",
                           text_of(fault->pointer), "reason", text_of(fault->reason)));
}

static void json_totals(const struct validator *validator)
{
    print_object(json_pack("{s:o, s:s, s:I, s:I, s:I}", "file", text_of(validator->path), "dialect",
                           schema_name(validator), "lines", (json_int_t)validator->lines, "valid",
                           (json_int_t)(validator->lines - validator->invalid), "invalid",
                           (json_int_t)validator->invalid));
}

static const struct report reports[] = {
    { table_fault, table_totals },
    { json_fault, json_totals },
};

static const char *const formats[] = { "table", "json", NULL };

/* -- options ---------------------------------------------------------------------------------- */

static const struct mrl_option rows[] = {
    { .name = "dialect",
      .letter = 'd',
      .type = MRL_OPTION_OWN,
      .offset = offsetof(struct validator, dialect),
      .parse = mrl_dialect__parse,
      .word = mrl_dialect__name,
      .value = "DIALECT",
      .doc = "Of the lines; told from them otherwise." },
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct validator, format),
      .words = formats,
      .preset = "table",
      .doc = "How to report; json: one object per line." },
    MRL_PROGRESS_ROW(offsetof(struct validator, quiet)),
};

/* -- a line ----------------------------------------------------------------------------------- */

static int use_dialect(struct validator *validator, const struct mrl_dialect *dialect)
{
    struct mrl_error error;
    struct mrl_check *check;

    if (mrl_check__new(dialect, &error, &check)) {
        mrl_say("%s", error.text);
        return -EINVAL;
    }
    mrl_check__free(validator->check);
    validator->check = check;
    return 0;
}

static int find_dialect(struct validator *validator, size_t size)
{
    const struct mrl_dialect *found = mrl_dialect__detect(validator->line, size);

    if (!found)
        return 0;
    validator->dialect = found;
    return found == mrl_check__schema(validator->check)->dialect ? 0
                                                                 : use_dialect(validator, found);
}

#define BLANKS " \t\r"

/* What begins here is indented for people: it opens, and something that it holds opens last. */
static bool begins_spread(const char *line, size_t size)
{
    while (size && strchr(BLANKS, line[size - 1]))
        size--;
    while (size && strchr(BLANKS, *line)) {
        line++;
        size--;
    }
    return size && strchr("{[", *line) && strchr("{[", line[size - 1]);
}

/* Every line of it would fail: the first is told, once, until a line holds an object again. */
static bool is_told(struct validator *validator, size_t size, struct mrl_fault *fault)
{
    const char *line = validator->line;

    if (!validator->spread && begins_spread(line, size)) {
        validator->spread = true;
        *fault =
            (struct mrl_fault){ "",
                                "not JSON: what begins here is spread over several lines, an event "
                                "is one line ('jq -c .' makes it so)" };
        return false;
    }
    if (size > 1 && *line == '{' && !begins_spread(line, size))
        validator->spread = false;
    return validator->spread;
}

static int take_line(struct validator *validator, size_t size)
{
    struct mrl_fault fault;
    int valid;

    validator->lines++;
    if (!validator->dialect && find_dialect(validator, size))
        return -EINVAL;
    valid = mrl_check__line(validator->check, validator->line, size, &fault);
    if (valid < 0) {
        mrl_say("line %llu: %s", validator->lines, strerror(-valid));
        return valid;
    }
    if (!valid) {
        validator->invalid++;
        if (!is_told(validator, size, &fault)) {
            mrl_progress__hide();
            reports[validator->format].fault(validator, &fault);
        }
    }
    return 0;
}

/* -- the file --------------------------------------------------------------------------------- */

/* Returns whether there was a line. One that is too long is cut one byte beyond what is allowed. */
static bool read_line(struct validator *validator, size_t *ret_size)
{
    size_t size = 0;
    int byte;

    while ((byte = getc_unlocked(validator->file)) != EOF && byte != '\n') {
        if (size < sizeof(validator->line))
            validator->line[size++] = (char)byte;
        validator->position++;
    }
    validator->position++;
    *ret_size = size;
    return byte != EOF || size;
}

/* 0: it has no end that is known. */
static uint64_t bytes_of(FILE *file)
{
    struct stat status;

    return fstat(fileno(file), &status) || !S_ISREG(status.st_mode) ? 0 : (uint64_t)status.st_size;
}

static int read_all(struct validator *validator)
{
    size_t size;
    int err = 0;

    mrl_progress__begin(bytes_of(validator->file), "lines");
    while (!err && read_line(validator, &size)) {
        err = take_line(validator, size);
        if (validator->lines % SOME_LINES == 0)
            mrl_progress__at(validator->position, validator->lines);
    }
    mrl_progress__end();
    if (!err && ferror(validator->file)) {
        mrl_say("%s: %s", validator->path, strerror(errno));
        err = -EIO;
    }
    return err;
}

static int validate_file(struct validator *validator)
{
    struct mrl_error missing;
    int err, status;

    if (use_dialect(validator, validator->dialect ? validator->dialect : &mrl_dialect_v0_23))
        return MRL_EXIT_FAILED;
    validator->file = strcmp(validator->path, "-") ? fopen(validator->path, "re") : stdin;
    if (!validator->file) {
        mrl_say("%s: %s", validator->path, strerror(errno));
        return MRL_EXIT_FAILED;
    }
    mrl_progress__allow(validator->quiet);
    if (mrl_sandbox__enter_reader(NULL, &missing) < 0) {
        mrl_say("sandbox: %s", missing.text);
        return MRL_EXIT_FAILED;
    }
    err = read_all(validator);
    if (!err)
        reports[validator->format].totals(validator);
    if (validator->file != stdin)
        fclose(validator->file);
    status = mrl_flush_stdout();
    return err || validator->invalid ? MRL_EXIT_FAILED : status;
}

static int validate(const struct mrl_verb *verb, int argc, char **argv)
{
    struct validator *validator = calloc(1, sizeof(*validator));
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), validator };
    int operand, status;

    if (!validator) {
        mrl_say("out of memory");
        return MRL_EXIT_FAILED;
    }
    operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);
    if (operand == argc) {
        status = mrl_usage_error(verb, "which file? '-' is standard input");
    } else if (operand >= 0) {
        validator->path = argv[operand];
        status = validate_file(validator);
    }
    mrl_check__free(validator->check);
    free(validator);
    return status;
}

const struct mrl_verb mrl_verb_validate = {
    .name = "validate",
    .operands = "FILE",
    .operands_max = 1,
    .doc = "Hold a file of JSON lines against the schema of its dialect.",
    .run = validate,
};
