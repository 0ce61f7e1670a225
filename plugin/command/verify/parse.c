// SPDX-License-Identifier: Apache-2.0
/* The slow path: any line, through a JSON tree. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command/verify/line.h"
#include "event/capture_format.h"

static void fault(struct mrl_line *line, const char *text)
{
    line->kind = MRL_LINE_BAD;
    snprintf(line->fault, sizeof(line->fault), "%s", text);
}

/* Returns whether it is a whole number up to `max`. */
static bool read_number(const json_t *value, uint64_t max, uint64_t *ret_number)
{
    double real = json_number_value(value);

    if (!json_is_number(value) || !(real >= 0 && real <= (double)max) ||
        real != (double)(uint64_t)real)
        return false;
    *ret_number = (uint64_t)real;
    return true;
}

static bool read_small(const json_t *value, uint32_t max, uint32_t *ret_number)
{
    uint64_t number;

    if (!read_number(value, max, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* The value of an argument; the last one of that name, because extras follow Tracee's own. */
static const json_t *argument(const json_t *event, const char *name)
{
    const json_t *args = json_object_get(event, "args");

    for (size_t i = json_array_size(args); i; i--) {
        const json_t *arg = json_array_get(args, i - 1);
        const char *its_name = json_string_value(json_object_get(arg, "name"));

        if (its_name && !strcmp(its_name, name))
            return json_object_get(arg, "value");
    }
    return NULL;
}

static bool read_text(const json_t *value, size_t size, char *ret_text)
{
    const char *text = json_string_value(value);

    return text && snprintf(ret_text, size, "%s", text) < (int)size;
}

static void take_lost(const json_t *event, struct mrl_line *line)
{
    const struct mrl_event_def *def = NULL;

    if (read_text(argument(event, "event"), sizeof(line->event), line->event))
        def = mrl_event_def__find(line->event, NULL);
    if (!def || (def->lane >= MRL_VERIFY_LANES && strcmp(def->name, "sensor_state") != 0) ||
        !read_text(argument(event, "cause"), sizeof(line->cause), line->cause) ||
        !read_number(argument(event, "count"), MRL_SEQ_MAX, &line->count) || !line->count) {
        fault(line, "an events_lost that does not say what is lost");
        return;
    }
    line->lane = def->lane;
    line->kind = MRL_LINE_LOST;
}

/* What follows the run: "; output=N", or something else, or nothing. */
static void read_output(const char *more, char *ret_text)
{
    static const char key[] = "; output=";
    size_t digits;

    *ret_text = '\0';
    if (strncmp(more, key, sizeof(key) - 1) != 0)
        return;
    more += sizeof(key) - 1;
    digits = strspn(more, "0123456789");
    if (digits && digits <= MRL_RUN_OUTPUT_DIGITS && *more != '0')
        snprintf(ret_text, MRL_RUN_OUTPUT_DIGITS + 2, "/%.*s", (int)digits, more);
}

/* run=BOOT-RUN, each of 16 hex digits, and then the end or a ';'. */
static bool read_run(const char *detail, char run[MRL_RUN_ID_BYTES])
{
    enum { HALF = 16, WHOLE = MRL_RUN_BYTES };
    const char *id = detail && !strncmp(detail, "run=", 4) ? detail + 4 : "";

    if (strspn(id, "0123456789abcdef") != HALF || id[HALF] != '-' ||
        strspn(id + HALF + 1, "0123456789abcdef") != HALF || (id[WHOLE] && id[WHOLE] != ';'))
        return false;
    memcpy(run, id, WHOLE);
    read_output(id + WHOLE, run + WHOLE);
    return true;
}

/* Times of a wall clock are beyond 2^53 ns: a double holds them to the microsecond. */
static uint64_t read_time(const json_t *value)
{
    uint64_t ns = 0;

    read_number(value, INT64_MAX / 2, &ns);
    return ns;
}

static void take_state(const json_t *event, struct mrl_line *line)
{
    if (!read_text(argument(event, "what"), sizeof(line->what), line->what) ||
        !read_run(json_string_value(argument(event, "detail")), line->run) ||
        !read_number(argument(event, "events_so_far"), MRL_SEQ_MAX, &line->so_far)) {
        fault(line, "a sensor_state that does not say what became of which run");
        return;
    }
    line->time_ns = read_time(json_object_get(event, "timestamp"));
    line->from_ns = read_time(argument(event, "from_ns"));
    line->to_ns = read_time(argument(event, "to_ns"));
    line->kind = MRL_LINE_STATE;
}

static void take_number(const json_t *event, struct mrl_line *line)
{
    const json_t *seq = argument(event, "seq");

    if (!seq)
        fault(line, "no number: was the file written with --extra seq?");
    else if (!read_small(json_object_get(event, "processorId"), MRL_VERIFY_CPUS - 1, &line->cpu) ||
             !read_small(argument(event, "lane"), MRL_VERIFY_LANES - 1, &line->lane) ||
             !read_number(seq, MRL_SEQ_MAX, &line->seq))
        fault(line, "processorId, lane or seq is not a number as they should be");
    else
        line->kind = MRL_LINE_EVENT;
}

static void take_event(const json_t *event, struct mrl_line *line)
{
    const char *name = json_string_value(json_object_get(event, "eventName"));

    if (name && !strcmp(name, "events_lost"))
        take_lost(event, line);
    else if (name && !strcmp(name, "sensor_state"))
        take_state(event, line);
    else if (name)
        take_number(event, line);
    else if (json_object_get(event, "name") && json_object_get(event, "timestamp"))
        fault(line, "json-v1beta1 does not say which CPU an event was on: it proves nothing");
    else
        fault(line, "no event");
}

void mrl_line__parse(const char *bytes, size_t size, struct mrl_line *ret_line)
{
    json_error_t error = { .text = "an empty line" };
    json_t *event =
        !size ? NULL : json_loadb(bytes, size, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);

    if (size >= sizeof(MRL_CAPTURE_MAGIC) - 2 &&
        !memcmp(bytes, MRL_CAPTURE_MAGIC, sizeof(MRL_CAPTURE_MAGIC) - 2))
        fault(ret_line, "this is a capture: 'replay' reads it");
    else if (event)
        take_event(event, ret_line);
    else
        fault(ret_line, error.text);
    json_decref(event);
}
