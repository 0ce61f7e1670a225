// SPDX-License-Identifier: Apache-2.0
/*
 * A thousand streams of several runs over several files, each damaged in one place at random: what
 * verify says of it is what this test, which knows the damage, works out by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/random_stream.h"
#include "unit/unit.h"

enum { ROUNDS = 1000, FILES_MAX = 64, COMPLETE = 0, CHANGED = 1, OPEN = 3 };

/* -- what must come of it --------------------------------------------------------------------- */

static int worse(int one, int two)
{
    static const int ranks[] = { [COMPLETE] = 0, [OPEN] = 1, [CHANGED] = 2 };

    return ranks[one] > ranks[two] ? one : two;
}

static int untouched(const struct random_stream *stream)
{
    int status = COMPLETE;

    for (unsigned int run = 0; run < stream->runs; run++)
        status = worse(status, stream->killed[run] ? OPEN : COMPLETE);
    for (unsigned int i = 0; i < stream->count; i++)
        status = worse(status, stream->lines[i].kind == STREAM_LOST ? CHANGED : COMPLETE);
    return status;
}

static bool is_mark(const struct stream_line *line)
{
    return line->kind >= STREAM_STARTED;
}

/* Whether a line of the run stands in from..to; of these, one of the kind that is wanted. */
static bool has_line(const struct random_stream *stream,
                     unsigned int run,
                     unsigned int from,
                     unsigned int to)
{
    for (unsigned int i = from; i < to; i++)
        if (stream->lines[i].run == run)
            return true;
    return false;
}

static bool has_mark(const struct random_stream *stream, unsigned int run, unsigned int from)
{
    for (unsigned int i = from; i < stream->count; i++)
        if (stream->lines[i].run == run && is_mark(&stream->lines[i]))
            return true;
    return false;
}

static bool has_later_number(const struct random_stream *stream,
                             const struct stream_line *line,
                             unsigned int from)
{
    for (unsigned int i = from; i < stream->count; i++) {
        const struct stream_line *later = &stream->lines[i];

        if (later->kind == STREAM_EVENT && later->run == line->run && later->cpu == line->cpu &&
            later->lane == line->lane)
            return true;
    }
    return false;
}

/* The lines from..to, all of one file, are gone; what this does to one run. */
static int without(const struct random_stream *stream,
                   unsigned int run,
                   unsigned int from,
                   unsigned int to)
{
    bool before = has_line(stream, run, 0, from), behind = has_line(stream, run, to, stream->count);
    bool at_head = !from || stream->lines[from - 1].file != stream->lines[from].file;
    int status = stream->killed[run] ? OPEN : COMPLETE;

    if (!before && !behind)
        return COMPLETE; /* nothing speaks of it any more */
    for (unsigned int i = from; i < to; i++) {
        const struct stream_line *line = &stream->lines[i];

        if (line->run != run)
            continue;
        if (line->kind == STREAM_STARTED || line->kind == STREAM_STOPPED)
            status = worse(status, OPEN);
        if (line->kind != STREAM_EVENT || !before)
            continue;
        /* Later lines are of a known run where a line of the sensor still says so. */
        if (has_mark(stream, run, to) || (!at_head && has_later_number(stream, line, to)))
            status = CHANGED;
    }
    return status;
}

/* -- damage: each returns what must be said of it --------------------------------------------- */

static void cut_out(struct random_stream *stream, unsigned int from, unsigned int to)
{
    memmove(&stream->lines[from], &stream->lines[to],
            (stream->count - to) * sizeof(stream->lines[0]));
    stream->count -= to - from;
}

static int remove_lines(struct random_stream *stream, unsigned int from, unsigned int to)
{
    int status = COMPLETE;

    for (unsigned int run = 0; run < stream->runs; run++)
        status = worse(status, without(stream, run, from, to));
    cut_out(stream, from, to);
    return stream->count ? status : OPEN;
}

static bool choose(const struct random_stream *stream, enum stream_kind kind, unsigned int *ret_at)
{
    for (unsigned int tries = 0; tries < 100; tries++) {
        *ret_at = random_stream__below(stream->count);
        if (stream->lines[*ret_at].kind == kind)
            return true;
    }
    return false;
}

static void find_file(const struct random_stream *stream,
                      unsigned int file,
                      unsigned int *ret_from,
                      unsigned int *ret_to)
{
    for (*ret_from = 0; stream->lines[*ret_from].file != file;)
        ++*ret_from;
    for (*ret_to = *ret_from; *ret_to < stream->count && stream->lines[*ret_to].file == file;)
        ++*ret_to;
}

static int leave(struct random_stream *stream)
{
    return untouched(stream);
}

static int remove_event(struct random_stream *stream)
{
    unsigned int at;

    return choose(stream, STREAM_EVENT, &at) ? remove_lines(stream, at, at + 1) : untouched(stream);
}

/* Its events would seem to be of the killed run before it: join_runs() does that. */
static bool is_border(const struct random_stream *stream, unsigned int at)
{
    const struct stream_line *line = &stream->lines[at];

    return at && line->kind == STREAM_STARTED && line[-1].file == line->file &&
           line[-1].kind != STREAM_STOPPED;
}

static int remove_any(struct random_stream *stream)
{
    unsigned int at = random_stream__below(stream->count);

    if (is_border(stream, at))
        return untouched(stream);
    return remove_lines(stream, at, at + 1);
}

static int cut_tail(struct random_stream *stream)
{
    unsigned int from, to;

    find_file(stream, random_stream__below(stream->files), &from, &to);
    return remove_lines(stream, from + random_stream__below(to - from), to);
}

static int cut_head(struct random_stream *stream)
{
    unsigned int from, to;

    find_file(stream, random_stream__below(stream->files), &from, &to);
    return remove_lines(stream, from, from + 1 + random_stream__below(to - from));
}

static int lose_file(struct random_stream *stream)
{
    unsigned int from, to;

    find_file(stream, random_stream__below(stream->files), &from, &to);
    return remove_lines(stream, from, to);
}

static int tear(struct random_stream *stream)
{
    stream->torn_file = random_stream__below(stream->files);
    stream->torn = 1 + random_stream__below(200);
    return CHANGED;
}

static int double_event(struct random_stream *stream)
{
    unsigned int at;

    if (!choose(stream, STREAM_EVENT, &at))
        return untouched(stream);
    memmove(&stream->lines[at + 1], &stream->lines[at],
            (stream->count++ - at) * sizeof(stream->lines[0]));
    return CHANGED;
}

/* A line of the file is found there again, further down. */
static int double_later(struct random_stream *stream)
{
    unsigned int at, from, to, where;
    struct stream_line line;

    if (!choose(stream, STREAM_EVENT, &at))
        return untouched(stream);
    line = stream->lines[at];
    find_file(stream, line.file, &from, &to);
    for (where = at + 1;
         where < to && stream->lines[where].run == line.run && random_stream__below(4);)
        where++;
    memmove(&stream->lines[where + 1], &stream->lines[where],
            (stream->count++ - where) * sizeof(stream->lines[0]));
    stream->lines[where] = line;
    /* Behind the end of the run it names none. */
    return stream->lines[where - 1].kind == STREAM_STOPPED ? worse(untouched(stream), OPEN)
                                                           : CHANGED;
}

/* Two neighbours of one run. The order of events of two CPUs or lanes is not numbered. */
static int swap_lines(struct random_stream *stream)
{
    unsigned int at;
    struct stream_line *line, event;

    if (!choose(stream, STREAM_EVENT, &at) || at + 1 == stream->count)
        return untouched(stream);
    line = &stream->lines[at];
    if (line[1].file != line->file || line[1].run != line->run || line[1].kind == STREAM_LOST)
        return untouched(stream);
    event = line[0];
    line[0] = line[1];
    line[1] = event;
    if (!is_mark(line) && (line[0].cpu != line[1].cpu || line[0].lane != line[1].lane))
        return untouched(stream);
    return CHANGED;
}

/* A file is there twice, under two names. */
static int copy_file(struct random_stream *stream)
{
    unsigned int from, to, copies = stream->count;
    bool changed = false;

    find_file(stream, random_stream__below(stream->files), &from, &to);
    for (unsigned int i = from; i < to; i++) {
        struct stream_line *copy = &stream->lines[stream->count++];

        *copy = stream->lines[i];
        copy->file = stream->files;
        changed |= copy->kind != STREAM_ALIVE;
    }
    assert_in_range(copies, 1, RANDOM_LINES / 2);
    stream->files++;
    return changed ? CHANGED : untouched(stream);
}

/* The head of one run and the tail of another in one file. What of the tail comes before a line
 * that names its run counts for the first one. */
static int join_runs(struct random_stream *stream)
{
    uint64_t next[RANDOM_CPUS][RANDOM_LANES] = { 0 };
    struct stream_line joined[RANDOM_LINES];
    unsigned int count = 0, from, seen = 0;
    bool named = false;
    int status = OPEN;

    if (stream->runs < 2)
        return untouched(stream);
    for (unsigned int i = 0; i < stream->count && stream->lines[i].run == 0; i++)
        if (stream->lines[i].kind != STREAM_STOPPED && (!i || random_stream__below(30)))
            joined[count++] = stream->lines[i];
        else
            break;
    for (unsigned int i = 0; i < count; i++)
        if (joined[i].kind == STREAM_EVENT)
            next[joined[i].cpu][joined[i].lane]++;
    for (from = 0; stream->lines[from].run != 1;)
        from++;
    from++; /* not its start */
    for (; from < stream->count && stream->lines[from].run == 1; from++) {
        const struct stream_line *line = &stream->lines[from];

        if (!seen && random_stream__below(4))
            continue;
        seen++;
        named |= is_mark(line);
        if (!named && next[line->cpu][line->lane]++ != line->seq)
            status = CHANGED;
        joined[count++] = *line;
    }
    memcpy(stream->lines, joined, count * sizeof(joined[0]));
    for (unsigned int i = 0; i < count; i++)
        stream->lines[i].file = 0;
    stream->count = count;
    stream->files = 1;
    return status;
}

static const struct edit {
    const char *name;
    int (*edit)(struct random_stream *stream);
    bool with_losses; /* what must come of it is known there too */
} edits[] = {
    { "nothing", leave, true },
    { "remove an event", remove_event, false },
    { "remove a line", remove_any, false },
    { "cut a tail", cut_tail, false },
    { "cut a head", cut_head, false },
    { "lose a file", lose_file, false },
    { "tear a line", tear, true },
    { "double an event", double_event, true },
    { "double it later", double_later, false },
    { "swap lines", swap_lines, true },
    { "copy a file", copy_file, false },
    { "join two runs", join_runs, false },
};

/* -- the rounds ------------------------------------------------------------------------------- */

/* Writes the files under names that say nothing of their order. Returns how many. */
static unsigned int write_files(const struct random_stream *stream,
                                const char *directory,
                                char *paths[FILES_MAX + 1])
{
    unsigned int count = 0;

    for (unsigned int file = 0; file < stream->files; file++) {
        static struct stream_line lines[RANDOM_LINES];
        unsigned int found = 0, at;

        for (unsigned int i = 0; i < stream->count; i++)
            if (stream->lines[i].file == file)
                lines[found++] = stream->lines[i];
        if (!found)
            continue;
        assert_in_range(count, 0, FILES_MAX - 1);
        at = random_stream__below(count + 1);
        paths[count] = paths[at];
        assert_true(asprintf(&paths[at], "%s/%08lx%u", directory, random(), file) > 0);
        stream__write(paths[at], random_stream__below(STREAM_PACKINGS), lines, found,
                      stream->torn && file == stream->torn_file ? stream->torn : 0);
        count++;
    }
    paths[count] = NULL;
    return count;
}

static void play(unsigned int seed, const char *directory)
{
    static struct random_stream stream;
    char *paths[FILES_MAX + 1], *alone[] = { (char *)directory, NULL }, *said;
    const struct edit *edit;
    unsigned int count;
    int expected, status;

    srandom(seed);
    random_stream__make(&stream);
    edit = &edits[seed % COUNT_OF(edits)];
    if (stream.losses && !edit->with_losses)
        edit = &edits[0];
    expected = edit->edit(&stream);
    count = write_files(&stream, directory, paths);
    status = stream__verify(count && random_stream__below(2) ? paths : alone, "table", &said);
    if (status != expected)
        fail_case("seed %u, %s: %d instead of %d: %s", seed, edit->name, status, expected, said);
    free(said);
    for (unsigned int i = 0; i < count; i++) {
        remove(paths[i]);
        free(paths[i]);
    }
}

static void verify_finds_what_random_edits_did(void **state)
{
    char directory[64];

    (void)state;
    stream__make_directory(directory);
    for (unsigned int seed = 1; seed <= ROUNDS; seed++)
        play(seed, directory);
    stream__remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_finds_what_random_edits_did),
    };

    return cmocka_run_group_tests_name("verify, edits", tests, NULL, NULL);
}
