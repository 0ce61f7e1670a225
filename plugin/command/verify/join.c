// SPDX-License-Identifier: Apache-2.0
/* The pieces of a run put together: what is missing or double at the seams. */
#include <stdlib.h>

#include "command/verify/pieces.h"

void mrl_summary__add(struct mrl_summary *sum, const struct mrl_summary *more)
{
    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
        sum->lanes[i].events += more->lanes[i].events;
        sum->lanes[i].gaps += more->lanes[i].gaps;
        mrl_number__add(&sum->lanes[i].missing, more->lanes[i].missing);
        mrl_number__add(&sum->lanes[i].told, more->lanes[i].told);
    }
    mrl_number__add(&sum->unnumbered, more->unnumbered);
    mrl_number__add(&sum->doubled, more->doubled);
    sum->moved += more->moved;
    mrl_number__add(&sum->fewer, more->fewer);
    mrl_number__add(&sum->more, more->more);
    sum->anew += more->anew;
}

void mrl_piece__free(struct mrl_piece *piece)
{
    while (piece) {
        struct mrl_piece *next = piece->next;

        mrl_numbers__done(&piece->numbers);
        free(piece);
        piece = next;
    }
}

/* -- in their order --------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct mrl_piece *one = *(struct mrl_piece *const *)a;
    const struct mrl_piece *two = *(struct mrl_piece *const *)b;

    if (one->begin != two->begin)
        return one->begin < two->begin ? -1 : 1;
    if (one->from_start != two->from_start)
        return one->from_start ? -1 : 1;
    return (one->here > two->here) - (one->here < two->here);
}

static bool sort(struct mrl_run *run)
{
    struct mrl_piece **array, *piece;
    size_t count = 0;

    for (piece = run->pieces; piece; piece = piece->next)
        count++;
    array = calloc(count + 1, sizeof(struct mrl_piece *));
    if (!array)
        return false;
    for (piece = run->pieces, count = 0; piece; piece = piece->next)
        array[count++] = piece;
    qsort(array, count, sizeof(struct mrl_piece *), compare);
    for (size_t i = 0; i < count; i++)
        array[i]->next = array[i + 1];
    run->pieces = array[0];
    free(array);
    return true;
}

/* -- a seam ----------------------------------------------------------------------------------- */

/* A seam: what the whole, up to here, and the piece behind it say. */
struct seam {
    const struct mrl_run *run;
    const struct mrl_report *report;
    struct mrl_piece *whole, *piece;
};

static void tell(const struct seam *seam, struct mrl_finding found)
{
    found.run = seam->run->id;
    found.file = seam->piece->sum.file;
    found.other = seam->whole->last_file;
    mrl_report__finding(seam->report, &found);
}

static void tell_events(const struct seam *seam,
                        enum mrl_finding_kind kind,
                        uint64_t from,
                        uint64_t to)
{
    tell(seam,
         (struct mrl_finding){ .kind = kind, .from = from, .to = to - 1, .count = to - from });
}

/* The numbers of one CPU and lane go on where they ended before. */
static void join_lane(const struct seam *seam,
                      uint32_t cpu,
                      unsigned int index,
                      struct mrl_lane *before,
                      const struct mrl_lane *behind)
{
    struct mrl_tally *tally = &seam->whole->sum.lanes[index];
    struct mrl_finding found = { .cpu = cpu, .lane = index };

    if (!before->seen) {
        before->seen = true;
        before->first = before->next = seam->whole->from_start ? 0 : behind->first;
    }
    if (behind->first > before->next) {
        found.kind = MRL_FOUND_GAP;
        found.from = before->next;
        found.to = behind->first - 1;
        found.count = behind->first - before->next;
        before->gaps++;
        tally->gaps++;
        mrl_number__add(&tally->missing, found.count);
        tell(seam, found);
    } else if (behind->first < before->next) {
        found.kind = MRL_FOUND_DOUBLED;
        found.from = behind->first;
        seam->whole->sum.doubled++;
        tell(seam, found);
    }
    before->gaps += behind->gaps;
    if (behind->next > before->next)
        before->next = behind->next;
}

static bool join_numbers(const struct seam *seam)
{
    for (struct mrl_cpu *cpu = seam->piece->numbers.cpus; cpu; cpu = cpu->hh.next) {
        for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
            struct mrl_lane *lane;

            if (!cpu->lanes[i].seen)
                continue;
            lane = mrl_numbers__lane(&seam->whole->numbers, cpu->number, i);
            if (!lane)
                return false;
            join_lane(seam, cpu->number, i, lane, &cpu->lanes[i]);
        }
    }
    return true;
}

/* Events that are there twice: their numbers say nothing that the other ones did not. */
static void join_twice(const struct seam *seam)
{
    struct mrl_piece *whole = seam->whole, *piece = seam->piece;
    uint64_t to = piece->here < whole->here ? piece->here : whole->here;

    if (to > piece->begin) {
        tell_events(seam, MRL_FOUND_TWICE, piece->begin, to);
        mrl_number__add(&whole->sum.doubled, to - piece->begin);
    }
}

static bool join(const struct seam *seam)
{
    struct mrl_piece *whole = seam->whole, *piece = seam->piece;
    bool joined = true;

    if (piece->begin < whole->here) {
        join_twice(seam);
    } else {
        if (piece->begin > whole->here) {
            tell_events(seam, MRL_FOUND_HOLE, whole->here, piece->begin);
            mrl_number__add(&whole->sum.fewer, piece->begin - whole->here);
        }
        joined = join_numbers(seam);
    }
    if (piece->here >= whole->here) {
        whole->here = piece->here;
        whole->marked = piece->marked;
        whole->stopped = piece->stopped;
        whole->last_file = piece->last_file;
    }
    mrl_summary__add(&whole->sum, &piece->sum);
    return joined;
}

struct mrl_piece *mrl_run__join(struct mrl_run *run, const struct mrl_report *report)
{
    struct seam seam = { .run = run, .report = report };

    if (!sort(run))
        return NULL;
    seam.whole = run->pieces;
    while ((seam.piece = seam.whole->next)) {
        if (!join(&seam))
            return NULL;
        seam.whole->next = seam.piece->next;
        seam.piece->next = NULL;
        mrl_piece__free(seam.piece);
    }
    return seam.whole;
}
