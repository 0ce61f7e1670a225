// SPDX-License-Identifier: Apache-2.0
/* Lines, one after another: which piece each belongs to, and whether it is in order there. */
#include "command/verify/proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/verify/pieces.h"

struct mrl_proof *mrl_proof__new(const struct mrl_report *report)
{
    struct mrl_proof *proof = calloc(1, sizeof(*proof));

    if (proof)
        proof->report = report;
    return proof;
}

void mrl_proof__begin_file(struct mrl_proof *proof, const char *name)
{
    proof->file = name;
    proof->line = 0;
    proof->opening = true;
    proof->piece = NULL;
    proof->run = NULL;
    proof->verdict.files++;
}

enum { BAD_LINES_TOLD = 1000 };

/* Fills in where it was found. */
static void tell(const struct mrl_proof *proof, struct mrl_finding found)
{
    found.file = proof->file;
    found.line = proof->line;
    found.run = proof->run ? proof->run->id : NULL;
    mrl_report__finding(proof->report, &found);
}

void mrl_proof__unreadable(struct mrl_proof *proof, const char *name, const char *why)
{
    struct mrl_finding found = { .kind = MRL_FOUND_UNREADABLE, .file = name, .text = why };

    proof->verdict.unreadable++;
    mrl_report__finding(proof->report, &found);
}

/* What is no stream at all may have a billion bad lines: nobody reads that they are bad. */
static void bad_line(struct mrl_proof *proof, const char *why)
{
    char last[256];

    proof->verdict.bad++;
    if (proof->verdict.bad > BAD_LINES_TOLD)
        return;
    snprintf(last, sizeof(last), "%s; from here on, bad lines are only counted", why);
    tell(proof, (struct mrl_finding){ .kind = MRL_FOUND_BAD_LINE,
                                      .text = proof->verdict.bad == BAD_LINES_TOLD ? last : why });
}

/* -- pieces and runs -------------------------------------------------------------------------- */

static int make_piece(struct mrl_proof *proof, struct mrl_run *run, uint64_t begin)
{
    struct mrl_piece *piece = calloc(1, sizeof(*piece)), **list;

    if (!piece)
        return -ENOMEM;
    list = run ? &run->pieces : &proof->unnamed;
    piece->begin = piece->here = piece->marked = begin;
    piece->sum.file = piece->last_file = proof->file;
    piece->next = *list;
    *list = piece;
    proof->run = run;
    proof->piece = piece;
    return 0;
}

static struct mrl_run *find_run(struct mrl_proof *proof, const char *id)
{
    struct mrl_run *run;

    HASH_FIND_STR(proof->runs, id, run);
    if (run)
        return run;
    run = calloc(1, sizeof(*run));
    if (!run)
        return NULL;
    memcpy(run->id, id, sizeof(run->id));
    HASH_ADD_STR(proof->runs, id, run);
    if (!run->hh.tbl) {
        free(run);
        return NULL;
    }
    return run;
}

/* Goes on with the piece that ended where this one begins, or makes one. Only the last is looked
 * at: files come in the order of their run, and what does not is put together at the end. */
static int open_piece(struct mrl_proof *proof, struct mrl_run *run, uint64_t begin, bool starts)
{
    struct mrl_piece *piece = starts ? NULL : run->pieces;

    if (!piece || piece->here != begin || piece->stopped)
        return make_piece(proof, run, begin);
    proof->run = run;
    proof->piece = piece;
    return 0;
}

/* The lines before this sensor_state, which had no name, are of its run. They are the piece that
 * was made last. */
static void name_piece(struct mrl_proof *proof, struct mrl_run *run, uint64_t so_far)
{
    struct mrl_piece *piece = proof->piece;

    proof->unnamed = piece->next;
    piece->next = run->pieces;
    run->pieces = piece;
    proof->run = run;
    if (so_far >= piece->here) { /* so many lines were counted from 0 */
        piece->begin = so_far - piece->here;
        piece->here = so_far;
    }
}

/* -- sensor_state ----------------------------------------------------------------------------- */

/* Holds the lines that are here against what the sensor counted. */
static void reckon(struct mrl_proof *proof, uint64_t so_far)
{
    struct mrl_piece *piece = proof->piece;
    bool fewer = piece->here < so_far;
    mrl_number count = fewer ? so_far - piece->here : piece->here - so_far;

    if (count)
        tell(proof, (struct mrl_finding){ .kind = fewer ? MRL_FOUND_FEWER : MRL_FOUND_MORE,
                                          .from = piece->here,
                                          .to = so_far,
                                          .count = count });
    mrl_number__add(fewer ? &piece->sum.fewer : &piece->sum.more, count);
    piece->here = piece->marked = so_far;
}

/* Finds the piece that the sensor_state, and what follows, belongs to. */
static int place(struct mrl_proof *proof, const struct mrl_line *state, bool starts)
{
    struct mrl_run *run = find_run(proof, state->run);
    struct mrl_piece *piece = proof->piece;

    if (!run)
        return -ENOMEM;
    if (piece && !proof->run && !piece->sum.anew && !starts)
        name_piece(proof, run, state->so_far);
    else if (!piece || proof->run != run || (proof->opening && piece->here != state->so_far))
        return open_piece(proof, run, state->so_far, starts);
    return 0;
}

static void note_time(struct mrl_run *run, uint64_t ns)
{
    if (!run->first_ns || ns < run->first_ns)
        run->first_ns = ns;
    if (ns > run->last_ns)
        run->last_ns = ns;
}

static int take_state(struct mrl_proof *proof, const struct mrl_line *state)
{
    bool starts = !strcmp(state->what, "started"), stops = !strcmp(state->what, "stopped");
    struct mrl_run *run;

    if (place(proof, state, starts))
        return -ENOMEM;
    run = proof->run;
    note_time(run, state->time_ns);
    if ((starts && run->started) || (stops && run->ended))
        bad_line(proof, starts ? "this run has started already: it is here twice"
                               : "this run has ended already: it is here twice");
    run->started |= starts;
    run->ended |= stops;
    reckon(proof, state->so_far);
    proof->piece->from_start |= starts;
    proof->piece->last_file = proof->file;
    if (!strcmp(state->what, "blind")) {
        proof->verdict.blind++;
        tell(proof, (struct mrl_finding){
                        .kind = MRL_FOUND_BLIND, .from = state->from_ns, .to = state->to_ns });
    }
    if (stops) {
        proof->piece->stopped = true;
        proof->piece = NULL;
        proof->run = NULL;
    }
    return 0;
}

/* -- events and losses ------------------------------------------------------------------------ */

static int take_lost(struct mrl_proof *proof, const struct mrl_line *lost)
{
    struct mrl_summary *sum = &proof->piece->sum;

    tell(proof, (struct mrl_finding){ .kind = MRL_FOUND_LOST,
                                      .text = lost->event,
                                      .other = lost->cause,
                                      .count = lost->count });
    if (!strcmp(lost->cause, "no_memory") || !strcmp(lost->cause, "exit_missed") ||
        lost->lane >= MRL_VERIFY_LANES)
        /* The call, or the sensor_state, had no number. */
        mrl_number__add(&sum->unnumbered, lost->count);
    else
        mrl_number__add(&sum->lanes[lost->lane].told, lost->count);
    return 0;
}

static void tell_number(const struct mrl_proof *proof,
                        enum mrl_finding_kind kind,
                        const struct mrl_line *event,
                        const struct mrl_lane *lane)
{
    bool gap = kind == MRL_FOUND_GAP;

    tell(proof, (struct mrl_finding){ .kind = kind,
                                      .cpu = event->cpu,
                                      .lane = event->lane,
                                      .from = gap ? lane->gap_from : event->seq,
                                      .to = gap ? lane->gap_to - 1 : event->seq,
                                      .count = gap ? lane->gap_to - lane->gap_from : 1 });
}

/* Where lines name no run, a smaller number begins another run: it has no other sign. */
static enum mrl_step step(struct mrl_proof *proof, struct mrl_lane *lane, uint64_t seq)
{
    enum mrl_step taken = mrl_lane__step(lane, seq);

    if (taken != MRL_STEP_BEHIND || proof->run)
        return taken;
    proof->piece->sum.anew++;
    lane->first = lane->next = lane->gap_left = 0;
    return mrl_lane__step(lane, seq);
}

/*
 * Of lines that name no run nobody knows where the numbers begin. What events_lost told before the
 * first of them, and no gap has shown yet, is missing there.
 */
static uint64_t first_number(const struct mrl_piece *piece, const struct mrl_line *event)
{
    const struct mrl_tally *tally = &piece->sum.lanes[event->lane];
    uint64_t untraced = tally->told > tally->missing ? tally->told - tally->missing : 0;

    if (piece->from_start)
        return 0;
    return untraced < event->seq ? event->seq - untraced : 0;
}

static int take_event(struct mrl_proof *proof, const struct mrl_line *event)
{
    struct mrl_piece *piece = proof->piece;
    struct mrl_tally *tally = &piece->sum.lanes[event->lane];
    struct mrl_lane *lane = mrl_numbers__lane(&piece->numbers, event->cpu, event->lane);

    if (!lane)
        return -ENOMEM;
    if (!lane->seen) {
        lane->seen = true;
        lane->first = lane->next = first_number(piece, event);
    }
    tally->events++;
    piece->here++;
    switch (step(proof, lane, event->seq)) {
    case MRL_STEP_NEXT:
        break;
    case MRL_STEP_GAP:
        tally->gaps++;
        mrl_number__add(&tally->missing, lane->gap_to - lane->gap_from);
        tell_number(proof, MRL_FOUND_GAP, event, lane);
        break;
    case MRL_STEP_MOVED:
        tally->missing--;
        piece->sum.moved++;
        tell_number(proof, MRL_FOUND_MOVED, event, lane);
        break;
    case MRL_STEP_BEHIND:
        piece->here--;
        piece->sum.doubled++;
        tell_number(proof, MRL_FOUND_DOUBLED, event, lane);
        break;
    }
    return 0;
}

int mrl_proof__take(struct mrl_proof *proof, const struct mrl_line *line)
{
    int err = 0;

    proof->line++;
    if (line->kind == MRL_LINE_BAD) {
        bad_line(proof, line->fault);
    } else if (line->kind == MRL_LINE_STATE) {
        err = take_state(proof, line);
    } else {
        if (!proof->piece)
            err = make_piece(proof, NULL, 0);
        if (!err) {
            proof->piece->last_file = proof->file;
            err = (line->kind == MRL_LINE_LOST ? take_lost : take_event)(proof, line);
        }
    }
    proof->opening = line->kind == MRL_LINE_STATE;
    return err;
}

void mrl_proof__free(struct mrl_proof *proof)
{
    struct mrl_run *run, *next;

    if (!proof)
        return;
    HASH_ITER(hh, proof->runs, run, next) {
        HASH_DEL(proof->runs, run);
        mrl_piece__free(run->pieces);
        free(run);
    }
    mrl_piece__free(proof->unnamed);
    free(proof);
}
