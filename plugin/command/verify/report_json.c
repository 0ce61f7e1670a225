// SPDX-License-Identifier: Apache-2.0
/* A report as JSON, one object per line; docs/evidence.md describes it. */
#include <jansson.h>
#include <string.h>

#include "command/verify/report.h"

enum {
    FILE_NAME = 1 << 0,
    LINE = 1 << 1,
    RUN = 1 << 2,
    LANE = 1 << 3,
    FROM = 1 << 4,
    TO = 1 << 5,
    COUNT = 1 << 6,
};

/* What a finding has; the keys of its texts. */
static const struct {
    const char *kind;
    unsigned int has;
    const char *text, *other;
} rows[MRL_FOUND_KINDS] = {
    [MRL_FOUND_IGNORED] = { "ignored", FILE_NAME, "reason", NULL },
    [MRL_FOUND_UNREADABLE] = { "unreadable", FILE_NAME | LINE, "reason", NULL },
    [MRL_FOUND_BAD_LINE] = { "bad_line", FILE_NAME | LINE, "reason", NULL },
    [MRL_FOUND_LOST] = { "lost", FILE_NAME | LINE | COUNT, "event", "cause" },
    [MRL_FOUND_GAP] = { "gap", FILE_NAME | LINE | LANE | FROM | TO | COUNT, NULL, NULL },
    [MRL_FOUND_DOUBLED] = { "doubled", FILE_NAME | LINE | LANE | FROM, NULL, NULL },
    [MRL_FOUND_MOVED] = { "moved", FILE_NAME | LINE | LANE | FROM, NULL, NULL },
    [MRL_FOUND_FEWER] = { "fewer", FILE_NAME | LINE | RUN | FROM | TO | COUNT, NULL, NULL },
    [MRL_FOUND_MORE] = { "more", FILE_NAME | LINE | RUN | FROM | TO | COUNT, NULL, NULL },
    [MRL_FOUND_HOLE] = { "hole", FILE_NAME | RUN | FROM | TO | COUNT, NULL, "after" },
    [MRL_FOUND_TWICE] = { "twice", FILE_NAME | RUN | FROM | TO | COUNT, NULL, "first" },
    [MRL_FOUND_BLIND] = { "blind", FILE_NAME | LINE | RUN | FROM | TO, NULL, NULL },
    [MRL_FOUND_NUMBERS] = { "numbers", RUN | LANE | FROM | TO, NULL, NULL },
};

/* A file's name need not be UTF-8: what is not becomes '?'. */
static json_t *text_of(const char *text)
{
    json_t *string = json_string(text);
    char copy[512];

    if (string)
        return string;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *at = copy; *at; at++)
        if (*at & 0x80)
            *at = '?';
    return json_string(copy);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? text_of(text) : json_null());
}

static void put_number(json_t *object, const char *key, mrl_number number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

static void put_flag(json_t *object, const char *key, bool flag)
{
    json_object_set_new(object, key, json_boolean(flag));
}

/* Steals `object`. */
static void print(const struct mrl_report *report, json_t *object)
{
    json_dumpf(object, report->to, JSON_COMPACT);
    putc('\n', report->to);
    json_decref(object);
}

static void finding(const struct mrl_report *report, const struct mrl_finding *found)
{
    unsigned int has = rows[found->kind].has;
    json_t *object = json_object();

    put_text(object, "kind", rows[found->kind].kind);
    if (has & FILE_NAME)
        put_text(object, "file", found->file);
    if (has & LINE)
        put_number(object, "line", found->line);
    if (has & RUN)
        put_text(object, "run", found->run);
    if (has & LANE) {
        put_number(object, "cpu", found->cpu);
        put_number(object, "lane", found->lane);
    }
    if (has & FROM)
        put_number(object, "from", found->from);
    if (has & TO)
        put_number(object, "to", found->to);
    if (has & COUNT)
        put_number(object, "count", found->count);
    if (rows[found->kind].text)
        put_text(object, rows[found->kind].text, found->text);
    if (rows[found->kind].other)
        put_text(object, rows[found->kind].other, found->other);
    print(report, object);
}

static void put_lanes(json_t *object, const struct mrl_tally *lanes)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < MRL_VERIFY_LANES; i++) {
        json_t *lane = json_object();

        put_number(lane, "lane", i);
        put_number(lane, "events", lanes[i].events);
        put_number(lane, "gaps", lanes[i].gaps);
        put_number(lane, "missing", lanes[i].missing);
        put_number(lane, "told", lanes[i].told);
        json_array_append_new(array, lane);
    }
    json_object_set_new(object, "lanes", array);
}

static void put_counts(json_t *object, const struct mrl_summary *summary)
{
    put_number(object, "events", summary->events);
    put_lanes(object, summary->lanes);
    put_number(object, "lost_without_number", summary->unnumbered);
    put_number(object, "doubled", summary->doubled);
    put_number(object, "moved", summary->moved);
    put_number(object, "fewer", summary->fewer);
    put_number(object, "more", summary->more);
    put_number(object, "numbers_began_anew", summary->anew);
}

static void summary(const struct mrl_report *report, const struct mrl_summary *summed)
{
    json_t *object = json_object();

    put_text(object, "kind", "run");
    put_text(object, "run", summed->run);
    put_text(object, "file", summed->file);
    put_flag(object, "start", summed->start);
    put_flag(object, "end", summed->end);
    put_number(object, "from_ns", summed->from_ns);
    put_number(object, "to_ns", summed->to_ns);
    put_number(object, "events_before", summed->before);
    put_number(object, "events_behind_last_mark", summed->behind);
    put_counts(object, summed);
    print(report, object);
}

static void verdict(const struct mrl_report *report, const struct mrl_verdict *told)
{
    json_t *object = json_object();

    put_text(object, "kind", "verdict");
    put_text(object, "verdict", mrl_verdict__word(told->status));
    put_number(object, "status", (mrl_number)told->status);
    put_number(object, "files", told->files);
    put_number(object, "runs", told->runs);
    put_number(object, "further_outputs", told->outputs);
    put_number(object, "runs_without_start_or_end", told->open);
    put_number(object, "missing", told->missing);
    put_number(object, "bad_lines", told->bad);
    put_number(object, "unreadable_files", told->unreadable);
    put_number(object, "blind_intervals", told->blind);
    put_counts(object, &told->sum);
    print(report, object);
}

const struct mrl_report_form mrl_report_json = { finding, summary, verdict };
