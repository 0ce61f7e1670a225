// SPDX-License-Identifier: Apache-2.0
/* A report as sentences. */
#include <string.h>
#include <time.h>

#include "base/tame.h"
#include "command/options/progress.h"
#include "command/verify/report.h"

enum { NAME_BYTES = 512, TIME_BYTES = 40 };

const char *const mrl_lane_names[MRL_VERIFY_LANES] = { "rare", "busy" };

const char *mrl_verdict__word(int status)
{
    return status == MRL_VERIFY_COMPLETE ? "complete"
           : status == MRL_VERIFY_OPEN   ? "not proven complete"
                                         : "not complete";
}

void mrl_report__finding(const struct mrl_report *report, const struct mrl_finding *found)
{
    mrl_progress__hide();
    report->form->finding(report, found);
}

/* What a directory or a line holds may be anything, but not steer a terminal. */
static const char *tame(const char *name, char copy[NAME_BYTES])
{
    snprintf(copy, NAME_BYTES, "%s", name);
    return mrl_tame(copy);
}

static const char *date(mrl_number ns, char text[TIME_BYTES])
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;

    if (!gmtime_r(&seconds, &parts) || !strftime(text, TIME_BYTES, "%Y-%m-%d %H:%M:%S UTC", &parts))
        snprintf(text, TIME_BYTES, "%llu ns", ns);
    return text;
}

/* -- findings --------------------------------------------------------------------------------- */

typedef void sentence(FILE *to, const struct mrl_finding *found);

static void text_only(FILE *to, const struct mrl_finding *found)
{
    char text[NAME_BYTES];

    fprintf(to, "%s\n", tame(found->text, text));
}

static void say_ignored(FILE *to, const struct mrl_finding *found)
{
    char text[NAME_BYTES];

    fprintf(to, "ignored: %s\n", tame(found->text, text));
}

static void say_lost(FILE *to, const struct mrl_finding *found)
{
    char cause[NAME_BYTES];

    fprintf(to, "%llu %s lost (%s)\n", found->count, found->text, tame(found->other, cause));
}

static void say_gap(FILE *to, const struct mrl_finding *found)
{
    fprintf(to, "cpu %llu, lane %llu (%s): %llu..%llu missing (%llu)\n", found->cpu, found->lane,
            mrl_lane_names[found->lane], found->from, found->to, found->count);
}

static void say_doubled(FILE *to, const struct mrl_finding *found)
{
    fprintf(to, "cpu %llu, lane %llu (%s): %llu stands there again, or in the wrong place\n",
            found->cpu, found->lane, mrl_lane_names[found->lane], found->from);
}

static void say_moved(FILE *to, const struct mrl_finding *found)
{
    fprintf(to, "cpu %llu, lane %llu (%s): %llu is not in its place\n", found->cpu, found->lane,
            mrl_lane_names[found->lane], found->from);
}

static void say_count(FILE *to, const struct mrl_finding *found)
{
    fprintf(to, "the sensor had written %llu events of run %s, and here are %llu: %llu too %s\n",
            found->to, found->run, found->from, found->count,
            found->kind == MRL_FOUND_FEWER ? "few" : "many");
}

static void say_hole(FILE *to, const struct mrl_finding *found)
{
    char name[NAME_BYTES];

    fprintf(to, "events %llu..%llu of run %s are in no file (%llu): they came behind %s\n",
            found->from, found->to, found->run, found->count, tame(found->other, name));
}

static void say_twice(FILE *to, const struct mrl_finding *found)
{
    char name[NAME_BYTES];

    fprintf(to, "events %llu..%llu of run %s (%llu) are in %s already\n", found->from, found->to,
            found->run, found->count, tame(found->other, name));
}

static void say_blind(FILE *to, const struct mrl_finding *found)
{
    char from[TIME_BYTES], until[TIME_BYTES];

    fprintf(to, "blind: nobody watched from %s to %s (%.3f s)\n", date(found->from, from),
            date(found->to, until),
            found->to > found->from ? (double)(found->to - found->from) / 1e9 : 0);
}

static void say_numbers(FILE *to, const struct mrl_finding *found)
{
    fprintf(to, "  cpu %llu, lane %llu (%s): numbers %llu..%llu without a gap\n", found->cpu,
            found->lane, mrl_lane_names[found->lane], found->from, found->to);
}

static sentence *const sentences[MRL_FOUND_KINDS] = {
    [MRL_FOUND_IGNORED] = say_ignored, [MRL_FOUND_UNREADABLE] = text_only,
    [MRL_FOUND_BAD_LINE] = text_only,  [MRL_FOUND_LOST] = say_lost,
    [MRL_FOUND_GAP] = say_gap,         [MRL_FOUND_DOUBLED] = say_doubled,
    [MRL_FOUND_MOVED] = say_moved,     [MRL_FOUND_FEWER] = say_count,
    [MRL_FOUND_MORE] = say_count,      [MRL_FOUND_HOLE] = say_hole,
    [MRL_FOUND_TWICE] = say_twice,     [MRL_FOUND_BLIND] = say_blind,
    [MRL_FOUND_NUMBERS] = say_numbers,
};

static void finding(const struct mrl_report *report, const struct mrl_finding *found)
{
    char name[NAME_BYTES];

    if (found->file && (report->many || !found->line))
        fprintf(report->to, "%s: ", tame(found->file, name));
    if (found->line)
        fprintf(report->to, "line %llu: ", found->line);
    sentences[found->kind](report->to, found);
}

/* -- runs ------------------------------------------------------------------------------------- */

static void print_lane(FILE *to, const struct mrl_tally *tally, const char *name)
{
    if (tally->missing == tally->told && tally->told)
        fprintf(to, "%s lane: %llu missing, as events_lost says\n", name, tally->missing);
    else if (tally->missing > tally->told)
        fprintf(to, "%s lane: %llu missing, but events_lost says %llu: %llu unaccounted for\n",
                name, tally->missing, tally->told, tally->missing - tally->told);
    else if (tally->missing < tally->told)
        fprintf(to,
                "%s lane: %llu missing, and events_lost says %llu: %llu had no later number to "
                "show them\n",
                name, tally->missing, tally->told, tally->told - tally->missing);
}

static void print_ends(FILE *to, const struct mrl_summary *summed)
{
    const char *why = summed->followed ? "it was killed, or its last file is not here"
                                       : "it goes on, was killed, or its last file is not here";

    if (!summed->start && summed->before)
        fprintf(to, "  no start: the %llu events before are not here\n", summed->before);
    else if (!summed->start)
        fprintf(to, "  no start is here\n");
    if (summed->end)
        return;
    fprintf(to, "  no end%s: %s. ", summed->followed ? ", and another run follows" : "", why);
    if (summed->behind && summed->behind >= summed->events)
        fprintf(to, "The sensor confirms none of the %llu events here\n", summed->events);
    else if (summed->behind)
        fprintf(to, "Of the %llu events here the sensor confirms all but the last %llu\n",
                summed->events, summed->behind);
    else
        fprintf(to, "The sensor confirms all %llu events here\n", summed->events);
}

static void print_unnamed(FILE *to, const struct mrl_summary *summed)
{
    char name[NAME_BYTES];

    fprintf(to,
            "%s: %llu events of no named run: no start, no end proven (no sensor_state beside "
            "them)\n",
            tame(summed->file, name), summed->events);
    if (summed->anew)
        fprintf(to, "numbers began anew %llu times: the file holds several runs\n", summed->anew);
}

static void summary(const struct mrl_report *report, const struct mrl_summary *summed)
{
    char from[TIME_BYTES], until[TIME_BYTES];

    if (!summed->run) {
        print_unnamed(report->to, summed);
    } else {
        fprintf(report->to, "run %s: %llu events, %s to %s%s\n", summed->run, summed->events,
                date(summed->from_ns, from), date(summed->to_ns, until),
                summed->start && summed->end ? ", from its start to its end" : "");
        print_ends(report->to, summed);
    }
    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++)
        print_lane(report->to, &summed->lanes[i], mrl_lane_names[i]);
    if (summed->unnumbered)
        fprintf(report->to, "%llu more lost without a number (no_memory, exit_missed)\n",
                summed->unnumbered);
}

/* -- the verdict ------------------------------------------------------------------------------ */

/* What the last line has no room for, as far as there is any. */
static void print_more(FILE *to, const struct mrl_verdict *told)
{
    const struct {
        mrl_number count;
        const char *word;
    } more[] = {
        { told->runs > 1 ? told->runs : 0, told->outputs ? "outputs of runs" : "runs" },
        { told->open, "without a start or an end" },
        { told->sum.doubled + told->sum.more, "events there twice" },
        { told->sum.moved, "not in their place" },
        { told->unreadable,
          told->unreadable == 1 ? "file that cannot be read" : "files that cannot be read" },
        { told->blind, told->blind == 1 ? "blind interval" : "blind intervals" },
    };
    const char *before = "";

    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        if (more[i].count) {
            fprintf(to, "%s%llu %s", before, more[i].count, more[i].word);
            before = ", ";
        }
    if (*before)
        putc('\n', to);
}

static void verdict(const struct mrl_report *report, const struct mrl_verdict *told)
{
    mrl_number gaps = 0, lost = told->sum.unnumbered;

    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
        gaps += told->sum.lanes[i].gaps;
        mrl_number__add(&lost, told->sum.lanes[i].told);
    }
    print_more(report->to, told);
    fprintf(report->to,
            "%s: %llu events, %llu gaps, %llu missing, %llu told by events_lost, %llu bad lines\n",
            mrl_verdict__word(told->status), told->sum.events, gaps, told->missing, lost,
            told->bad);
}

const struct mrl_report_form mrl_report_text = { finding, summary, verdict };
