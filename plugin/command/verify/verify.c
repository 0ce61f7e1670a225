// SPDX-License-Identifier: Apache-2.0
/* The verb verify: proves from the numbers of the records that files are a whole stream. */
#include "command/verify/verify.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "command/command.h"
#include "command/verify/fileset.h"
#include "command/verify/progress.h"
#include "side/common/sandbox.h"

enum { SOME_LINES = 256 };

static int read_lines(struct mrl_proof *proof,
                      struct mrl_reader *reader,
                      struct mrl_progress *progress)
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
        if (++progress->lines % SOME_LINES == 0)
            mrl_progress__at(progress, mrl_reader__position(reader));
    }
    return err;
}

static int read_member(struct mrl_proof *proof,
                       const struct mrl_member *member,
                       struct mrl_progress *progress)
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
    err = read_lines(proof, reader, progress);
    if (mrl_reader__fault(reader))
        mrl_proof__unreadable(proof, member->path, mrl_reader__fault(reader));
    mrl_reader__close(reader);
    progress->done += member->size;
    return err;
}

static int read_set(struct mrl_proof *proof, struct mrl_fileset *set, struct mrl_progress *progress)
{
    int err = 0;

    for (uint32_t i = 0; !err && i < set->count; i++)
        err = read_member(proof, &set->members[i], progress);
    mrl_progress__hide(progress);
    return err;
}

int mrl_verify__files(char *const *paths,
                      const struct mrl_report_form *form,
                      FILE *to,
                      FILE *terminal)
{
    struct mrl_progress progress;
    struct mrl_report report = {
        .form = form, .to = to, .before = mrl_progress__hide, .context = &progress
    };
    struct mrl_proof *proof = mrl_proof__new(&report);
    struct mrl_fileset set = { 0 };
    int status = proof ? 0 : -ENOMEM;

    mrl_progress__init(&progress, terminal, 0);
    if (!status)
        status = mrl_fileset__collect(&set, paths, &report, proof);
    report.many = set.count > 1;
    progress.bytes = set.bytes;
    if (!status)
        status = read_set(proof, &set, &progress);
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

static const struct mrl_option rows[] = {
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .words = formats,
      .preset = "table",
      .doc = "How to report; json: one object per line." },
};

static int verify(const struct mrl_verb *verb, int argc, char **argv)
{
    int format = 0;
    struct mrl_error missing;
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &format };
    int status, written, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    if (operand == argc)
        return mrl_usage_error(verb, "which files? '-' is standard input");
    if (mrl_sandbox__enter_reader("/", &missing) < 0) {
        mrl_say("sandbox: %s", missing.text);
        return MRL_EXIT_FAILED;
    }
    status = mrl_verify__files(argv + operand, forms[format], stdout, stderr);
    written = mrl_flush_stdout();
    return status == MRL_VERIFY_CHANGED || !written ? status : written;
}

const struct mrl_verb mrl_verb_verify = {
    .name = "verify",
    .operands = "FILE|DIRECTORY…",
    .operands_max = INT_MAX,
    .doc =
        "Prove JSON lines written with --extra seq complete, or name what is missing: a file, or "
        "a set of rotated ones in any order, packed by gzip or zstd or not.",
    .run = verify,
};
