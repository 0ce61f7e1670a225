/* SPDX-License-Identifier: Apache-2.0 */
/** What verify finds, told as it is found: as sentences, or as one JSON object per line. */
#ifndef MRL_COMMAND_VERIFY_REPORT_H
#define MRL_COMMAND_VERIFY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "command/verify/line.h"

typedef unsigned long long mrl_number;

/** Adds, and stays at the largest number of JSON readers: a sum never begins at 0 again. */
static inline void mrl_number__add(mrl_number *sum, mrl_number more)
{
    if (__builtin_add_overflow(*sum, more, sum) || *sum > INT64_MAX)
        *sum = INT64_MAX;
}

enum { MRL_VERIFY_COMPLETE = 0, MRL_VERIFY_CHANGED = 1, MRL_VERIFY_OPEN = 3 }; /* exit statuses */

enum mrl_finding_kind {
    MRL_FOUND_IGNORED,    /* a file that is no part of a stream: text */
    MRL_FOUND_UNREADABLE, /* a file, as a whole or from some place on: text */
    MRL_FOUND_BAD_LINE,   /* text */
    MRL_FOUND_LOST,       /* count events called text, for the cause other */
    MRL_FOUND_GAP,        /* numbers from..to have no line, count of them */
    MRL_FOUND_DOUBLED,    /* the number from stands there again */
    MRL_FOUND_MOVED,      /* the number from is not in its place */
    MRL_FOUND_FEWER,      /* lines: the sensor says to, here are from */
    MRL_FOUND_MORE,       /* likewise */
    MRL_FOUND_HOLE,       /* events from..to of a run are in no file; other is the file before */
    MRL_FOUND_TWICE,      /* events from..to of a run are in file and in other */
    MRL_FOUND_BLIND,      /* nobody watched between the times from and to */
    MRL_FOUND_NUMBERS,    /* proven of a run that is not whole: from..to are there */
    MRL_FOUND_KINDS
};

/** Which members mean something follows from the kind. All texts are borrowed. */
struct mrl_finding {
    enum mrl_finding_kind kind;
    const char *file, *run, *text, *other;
    mrl_number line, cpu, lane, from, to, count;
};

/** What became of a lane's numbers. */
struct mrl_tally {
    mrl_number events, gaps, missing, told;
};

/** Of a run, of lines that name none, or of all. */
struct mrl_summary {
    const char *run;  /* NULL: lines that name none */
    const char *file; /* where it begins; NULL: of a sum */
    bool start, end, followed;
    mrl_number from_ns, to_ns; /* between which marks; 0: not known */
    mrl_number before;         /* without a start: events before the first that is there */
    mrl_number proven;         /* without an end: events that the last mark speaks for */
    mrl_number events, behind; /* all lines; those behind the last mark */
    struct mrl_tally lanes[MRL_VERIFY_LANES];
    mrl_number unnumbered; /* lost without a number */
    mrl_number doubled, moved, fewer, more;
    mrl_number anew; /* how often numbers began again */
};

struct mrl_verdict {
    int status;
    mrl_number files, runs, open, bad, unreadable, blind;
    mrl_number outputs; /* of the runs: how many are a further output of one */
    mrl_number missing; /* numbers without a line, and lines that the sensor counted beyond them */
    struct mrl_summary sum;
};

struct mrl_report;

/** A form of a report. */
struct mrl_report_form {
    void (*finding)(const struct mrl_report *report, const struct mrl_finding *finding);
    void (*summary)(const struct mrl_report *report, const struct mrl_summary *summary);
    void (*verdict)(const struct mrl_report *report, const struct mrl_verdict *verdict);
};

struct mrl_report {
    const struct mrl_report_form *form;
    FILE *to;
    bool many; /* more than one file: each line says which */
};

extern const struct mrl_report_form mrl_report_text, mrl_report_json;

/** "rare", "busy". */
extern const char *const mrl_lane_names[MRL_VERIFY_LANES];

/** Tells a finding. */
void mrl_report__finding(const struct mrl_report *report, const struct mrl_finding *finding);

/** "complete" and the like, by exit status. */
const char *mrl_verdict__word(int status);

#endif
