// SPDX-License-Identifier: Apache-2.0
/* The verb verify: proves from the numbers of the records that files are a whole stream. */
#include "command/verify/verify.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "command/command.h"
#include "command/options/progress.h"
#include "command/verify/fileset.h"
#include "side/common/sandbox.h"

enum { SOME_LINES = 256 };

/* How far it is. */
struct position {
    uint64_t done; /* bytes of the files that were read to their end */
    uint64_t lines;
};

static int read_lines(struct mrl_proof *proof, struct mrl_reader *reader, struct position *position)
{
    struct mrl_line line;
    struct mrl_span span;
    int err = 0;

    while (!err && mrl_reader__next(reader, &span)) {
        if (span.fault) {
            line.kind = MRL_LINE_BAD;
            snprintf(line.fault, sizeof(line.fault), "%s", span.fault);
        } else {
            mrl_line__read(span.bytes, span.size, &line);
        }
        err = mrl_proof__take(proof, &line);
        if (++position->lines % SOME_LINES == 0)
            mrl_progress__at(position->done + mrl_reader__position(reader), position->lines);
    }
    return err;
}

static int read_member(struct mrl_proof *proof,
                       const struct mrl_member *member,
                       struct position *position)
{
    struct mrl_reader *reader;
    int err = mrl_reader__open(member->path, &reader);

    if (err == -ENOMEM)
        return err;
    if (err) {
        mrl_proof__unreadable(proof, member->path, strerror(-err));
        return 0;
    }
    mrl_proof__begin_file(proof, member->path);
    err = read_lines(proof, reader, position);
    if (mrl_reader__fault(reader))
        mrl_proof__unreadable(proof, member->path, mrl_reader__fault(reader));
    mrl_reader__close(reader);
    position->done += member->size;
    return err;
}

static int read_set(struct mrl_proof *proof, const struct mrl_fileset *set)
{
    struct position position = { 0 };
    int err = 0;

    mrl_progress__begin(set->bytes, "lines");
    for (uint32_t i = 0; !err && i < set->count; i++)
        err = read_member(proof, &set->members[i], &position);
    mrl_progress__end();
    return err;
}

int mrl_verify__files(char *const *paths, const struct mrl_report_form *form, FILE *to)
{
    struct mrl_report report = { .form = form, .to = to };
    struct mrl_proof *proof = mrl_proof__new(&report);
    struct mrl_fileset set = { 0 };
    int status = proof ? 0 : -ENOMEM;

    if (!status)
        status = mrl_fileset__collect(&set, paths, &report, proof);
    report.many = set.count > 1;
    if (!status)
        status = read_set(proof, &set);
    if (!status)
        status = mrl_proof__finish(proof);
    mrl_proof__free(proof);
    mrl_fileset__done(&set);
    if (status >= 0)
        return status;
    mrl_say("%s", strerror(-status));
    return MRL_EXIT_FAILED;
}

/* -- the verb --------------------------------------------------------------------------------- */

static const struct mrl_report_form *const forms[] = { &mrl_report_text, &mrl_report_json };
static const char *const formats[] = { "table", "json", NULL };

struct options {
    int format;
    bool quiet;
};

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = offsetof(struct options, format),
      .words = formats,
      .preset = "table",
      .doc = "How to report; json: one object per line." },
    MRL_PROGRESS_ROW(offsetof(struct options, quiet)),
};

static int verify(const struct mrl_verb *verb, int argc, char **argv)
{
    struct options options = { .format = 0 };
    struct mrl_error missing;
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status, written, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    if (operand == argc)
        return mrl_usage_error(verb, "which files? '-' is standard input");
    mrl_progress__allow(options.quiet);
    if (mrl_sandbox__enter_reader("/", &missing) < 0) {
        mrl_say("sandbox: %s", missing.text);
        return MRL_EXIT_FAILED;
    }
    status = mrl_verify__files(argv + operand, forms[options.format], stdout);
    written = mrl_flush_stdout();
    return status == MRL_VERIFY_CHANGED || !written ? status : written;
}

const struct mrl_verb mrl_verb_verify = {
    .name = "verify",
    .operands = "FILE|DIRECTORY...",
    .operands_max = INT_MAX,
    .doc =
        "Prove JSON lines written with --extra seq complete, or name what is missing: a file, or "
        "a set of rotated ones in any order, packed by gzip or zstd or not.",
    .run = verify,
};
