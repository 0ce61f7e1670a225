// SPDX-License-Identifier: Apache-2.0
/* What came of each run, and the verdict. */
#include <errno.h>
#include <string.h>

#include "command/verify/pieces.h"
#include "command/verify/proof.h"

static int compare_runs(const struct mrl_run *a, const struct mrl_run *b)
{
    return (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

/* Of a run that is not whole, what the numbers prove all the same. */
static void print_numbers(const struct mrl_proof *proof, struct mrl_piece *piece, const char *run)
{
    mrl_numbers__sort(&piece->numbers);
    for (const struct mrl_cpu *cpu = piece->numbers.cpus; cpu; cpu = cpu->hh.next) {
        for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
            const struct mrl_lane *lane = &cpu->lanes[i];
            struct mrl_finding found = { .kind = MRL_FOUND_NUMBERS,
                                         .run = run,
                                         .cpu = cpu->number,
                                         .lane = i,
                                         .from = lane->first,
                                         .to = lane->next - 1 };

            if (lane->seen && !lane->gaps && lane->next > lane->first)
                mrl_report__finding(proof->report, &found);
        }
    }
}

/*
 * What is missing by the numbers, and by the sensor's count of lines: a line that is gone shows in
 * both, unless it was the last of its CPU, and then in the count only. What events_lost tells has
 * no line, and does not show in the count.
 */
static mrl_number missing_of(const struct mrl_summary *sum)
{
    mrl_number missing = 0, untold = 0;

    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
        const struct mrl_tally *lane = &sum->lanes[i];

        mrl_number__add(&missing, lane->missing);
        mrl_number__add(&untold, lane->missing > lane->told ? lane->missing - lane->told : 0);
    }
    mrl_number__add(&missing, sum->fewer > untold ? sum->fewer - untold : 0);
    return missing;
}

static void finish_piece(struct mrl_proof *proof, struct mrl_piece *piece)
{
    struct mrl_verdict *verdict = &proof->verdict;
    bool whole = piece->sum.start && piece->sum.end;

    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++)
        piece->sum.events += piece->sum.lanes[i].events;
    proof->report->form->summary(proof->report, &piece->sum);
    if (!whole)
        print_numbers(proof, piece, piece->sum.run);
    verdict->runs++;
    verdict->outputs += piece->sum.run && piece->sum.run[MRL_RUN_BYTES];
    verdict->open += !whole;
    mrl_number__add(&verdict->missing, missing_of(&piece->sum));
    verdict->sum.events += piece->sum.events;
    mrl_summary__add(&verdict->sum, &piece->sum);
}

/* Whether a later one is not another output of the same. */
static bool is_followed(const struct mrl_run *run)
{
    const struct mrl_run *next = run->hh.next;

    while (next && !strncmp(next->id, run->id, MRL_RUN_BYTES))
        next = next->hh.next;
    return next;
}

static int finish_run(struct mrl_proof *proof, struct mrl_run *run)
{
    struct mrl_piece *piece = mrl_run__join(run, proof->report);

    if (!piece)
        return -ENOMEM;
    piece->sum.run = run->id;
    piece->sum.start = piece->from_start;
    piece->sum.end = piece->stopped;
    piece->sum.followed = is_followed(run);
    piece->sum.from_ns = run->first_ns;
    piece->sum.to_ns = run->last_ns;
    piece->sum.before = piece->begin;
    piece->sum.behind = piece->here - piece->marked;
    finish_piece(proof, piece);
    return 0;
}

static int status_of(const struct mrl_verdict *verdict)
{
    const struct mrl_summary *sum = &verdict->sum;
    mrl_number wrong = verdict->missing | verdict->bad | verdict->unreadable | sum->unnumbered |
                       sum->doubled | sum->moved | sum->fewer | sum->more;

    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++)
        wrong |= sum->lanes[i].told;
    if (wrong)
        return MRL_VERIFY_CHANGED;
    return verdict->open || !verdict->runs ? MRL_VERIFY_OPEN : MRL_VERIFY_COMPLETE;
}

int mrl_proof__finish(struct mrl_proof *proof)
{
    HASH_SORT(proof->runs, compare_runs);
    for (struct mrl_run *run = proof->runs; run; run = run->hh.next)
        if (finish_run(proof, run))
            return -ENOMEM;
    for (struct mrl_piece *piece = proof->unnamed; piece; piece = piece->next)
        finish_piece(proof, piece);
    proof->verdict.status = status_of(&proof->verdict);
    proof->report->form->verdict(proof->report, &proof->verdict);
    return proof->verdict.status;
}
