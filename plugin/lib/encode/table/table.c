// SPDX-License-Identifier: Apache-2.0
/*
 * The format for people: aligned columns, and what matters of the event in one phrase; or, wide,
 * all fields. Names chosen by others are shown without what a terminal obeys or what reorders text,
 * so that no process can drive the terminal of whoever watches it, or put words into the mouth of
 * another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "encode/encoder.h"
#include "encode/table/people.h"
#include "encode/table/phrase.h"
#include "encode/table/wrapped.h"
#include "event/layout.h"

enum {
    CELL_BYTES = 64,
    BESIDE_WIDTH = 116,    /* narrower, and the phrase stands below */
    CONTAINER_WIDTH = 132, /* narrower, and the container stands in the phrase */
    BELOW_INDENT = 4,
    NARROWEST = 40, /* that an event, broken into lines, stays below MRL_EVENT_TEXT_MAX */
    SHORT_ID = 12,  /* digits of a container, as its runtime prints it */
};

enum cell {
    CELL_TIME,
    CELL_USER,
    CELL_COMM,
    CELL_PID,
    CELL_TID,
    CELL_RETURN,
    CELL_CONTAINER,
    CELL_EVENT
};

struct column {
    enum cell cell;
    const char *title;
    unsigned int width;
};

static const struct column plain_columns[] = {
    { CELL_TIME, "TIME", 16 }, { CELL_USER, "USER", 8 },     { CELL_COMM, "COMM", 15 },
    { CELL_PID, "PID", 7 },    { CELL_RETURN, "RESULT", 9 }, { CELL_EVENT, "EVENT", 16 },
};

static const struct column roomy_columns[] = {
    { CELL_TIME, "TIME", 16 },    { CELL_USER, "USER", 8 },
    { CELL_COMM, "COMM", 15 },    { CELL_PID, "PID", 7 },
    { CELL_RETURN, "RESULT", 9 }, { CELL_CONTAINER, "CONTAINER", SHORT_ID },
    { CELL_EVENT, "EVENT", 16 },
};

static const struct column wide_columns[] = {
    { CELL_TIME, "TIME", 16 },   { CELL_USER, "USER", 10 }, { CELL_COMM, "COMM", 16 },
    { CELL_PID, "PID", 8 },      { CELL_TID, "TID", 8 },    { CELL_RETURN, "RET", 12 },
    { CELL_EVENT, "EVENT", 17 },
};

struct table_encoder {
    struct mrl_encoder base;
    struct mrl_encoder_options options;
    const struct column *columns;
    unsigned int column_count, indent;
    unsigned int terminal_width; /* as it was last asked for */
    struct mrl_layout layouts[MRL_EVENT_COUNT];
    struct mrl_user_names users;
    uint64_t today_ns, tomorrow_ns; /* since the epoch: as local time has it */
    size_t preamble_size;
    char preamble[256];
};

#define STYLE_TITLE "\033[1m"
#define STYLE_ERROR "\033[31m"
#define STYLE_EVENT "\033[36m"
#define STYLE_NONE  "\033[0m"

/* -- cells ------------------------------------------------------------------------------------ */

/* Cuts what was written from `from` on, `width` columns, to `most`. */
static unsigned int cut(struct mrl_writer *writer,
                        char *from,
                        unsigned int width,
                        unsigned int most)
{
    if (width <= most)
        return width;
    for (width = 0; width < most; from++)
        width += ((unsigned char)*from & 0xc0) != 0x80;
    while (((unsigned char)*--from & 0xc0) == 0x80)
        ;
    *from = '~';
    writer->at = from + 1;
    return most;
}

static void put_cell(const struct table_encoder *table,
                     struct mrl_writer *writer,
                     const struct column *column,
                     const char *style,
                     struct mrl_text text)
{
    unsigned int width;
    char *from;

    style = table->options.colour ? style : NULL;
    if (style)
        mrl_put_bytes(writer, style, strlen(style));
    from = writer->at;
    width = mrl_people__put_text(writer, text);
    if (table->options.width)
        width = cut(writer, from, width, column->width);
    if (style)
        mrl_put_literal(writer, STYLE_NONE);
    do
        mrl_put_char(writer, ' ');
    while (++width <= column->width);
}

static struct mrl_text printed(const char *cell, int size)
{
    return (struct mrl_text){ cell, (size_t)(size < CELL_BYTES ? size : CELL_BYTES - 1) };
}

/* -- times ------------------------------------------------------------------------------------ */

static void learn_today(struct table_encoder *table, uint64_t now_ns)
{
    time_t now = (time_t)(now_ns / 1000000000);
    struct tm local;

    localtime_r(&now, &local);
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    table->today_ns = (uint64_t)mktime(&local) * 1000000000;
    local.tm_mday++;
    local.tm_isdst = -1;
    table->tomorrow_ns = (uint64_t)mktime(&local) * 1000000000;
}

/* With the date where it is not today, and with the year where it is long ago. */
static int print_when(struct table_encoder *table, char *cell, size_t size, uint64_t ns)
{
    const uint64_t now_ns = (uint64_t)mrl_clock__ns(CLOCK_REALTIME);
    const uint64_t half_year_ns = UINT64_C(183) * 86400 * 1000000000;
    const time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;

    if (now_ns < table->today_ns || now_ns >= table->tomorrow_ns)
        learn_today(table, now_ns);
    if (ns >= table->today_ns && ns < table->tomorrow_ns)
        return mrl_people__print_time(cell, size, ns);
    localtime_r(&seconds, &local);
    return (int)strftime(
        cell, size, ns < now_ns && now_ns - ns < half_year_ns ? "%e %b %H:%M:%S" : "%Y-%m-%d %H:%M",
        &local);
}

/* -- a line ----------------------------------------------------------------------------------- */

/* What is absent is left out: a line is long enough. */
static void put_fields(const struct mrl_layout *layout,
                       struct mrl_writer *writer,
                       const struct mrl_event *event)
{
    bool first = true;

    for (unsigned int i = 0; i < layout->count; i++) {
        const struct mrl_field *field = layout->fields[i].field;
        const struct mrl_value value = mrl_layout_value(&layout->fields[i], event);

        if (value.absent)
            continue;
        if (!first)
            mrl_put_literal(writer, ", ");
        first = false;
        mrl_put_bytes(writer, field->name, strlen(field->name));
        mrl_put_literal(writer, ": ");
        mrl_people__put_value(writer, field->kind, &value);
    }
}

/* Both numbers where a PID namespace makes them differ: inside, then on the host. */
static int print_pid(char *cell, size_t size, uint32_t inside, uint32_t host)
{
    return inside == host ? snprintf(cell, size, "%u", host)
                          : snprintf(cell, size, "%u/%u", inside, host);
}

/* People know containers by their names; else by the first digits of the id. */
static struct mrl_text container_of(const struct mrl_event *event)
{
    struct mrl_text id = event->container_id;

    if (id.size && event->container_name.size)
        return event->container_name;
    return (struct mrl_text){ id.bytes, id.size < SHORT_ID ? id.size : SHORT_ID };
}

/* Of a gap, and of the sensor itself, there is no task: root did not do it. */
static struct mrl_text text_of(struct table_encoder *table,
                               enum cell which,
                               const struct mrl_event *event,
                               char cell[CELL_BYTES])
{
    const bool is_wide = table->options.wide;
    const char *text = "";
    int size = 0;

    if (!*event->def->syscall && which != CELL_TIME && which != CELL_EVENT)
        return (struct mrl_text){ "", 0 };
    switch (which) {
    case CELL_TIME:
        size = is_wide ? mrl_people__print_time(cell, CELL_BYTES, event->entry_ns)
                       : print_when(table, cell, CELL_BYTES, event->entry_ns);
        return printed(cell, size);
    case CELL_USER:
        snprintf(cell, CELL_BYTES, "%u", event->user_id);
        text = table->options.user_names ? mrl_user_names__of(&table->users, event->user_id, cell)
                                         : cell;
        return (struct mrl_text){ text, strlen(text) };
    case CELL_COMM:
        return event->process_name;
    case CELL_PID:
        size = print_pid(cell, CELL_BYTES, event->process_id, event->host_process_id);
        return printed(cell, size);
    case CELL_TID:
        size = print_pid(cell, CELL_BYTES, event->thread_id, event->host_thread_id);
        return printed(cell, size);
    case CELL_RETURN:
        if (!is_wide && !event->return_value)
            return (struct mrl_text){ "ok", 2 };
        return printed(cell, mrl_people__print_return(cell, CELL_BYTES, event->return_value));
    case CELL_CONTAINER:
        return container_of(event);
    case CELL_EVENT:
        break;
    }
    return (struct mrl_text){ event->def->name, strlen(event->def->name) };
}

static const char *style_of(enum cell which, const struct mrl_event *event)
{
    if (which == CELL_RETURN && event->return_value < 0)
        return STYLE_ERROR;
    return which == CELL_EVENT ? STYLE_EVENT : NULL;
}

static void put_phrase(const struct table_encoder *table,
                       struct mrl_writer *writer,
                       const struct mrl_event *event)
{
    const bool has_column = table->columns == roomy_columns;
    char phrase[MRL_PHRASE_BYTES_MAX];
    struct mrl_writer own = { phrase };

    mrl_phrase__put(&own, event);
    if (event->container_id.size && !has_column) {
        mrl_put_literal(&own, "; in container ");
        mrl_people__put_text(&own, container_of(event));
    }
    if (!table->options.width) {
        mrl_put_bytes(writer, phrase, (size_t)(own.at - phrase));
        return;
    }
    if (own.at > phrase && table->options.width < BESIDE_WIDTH)
        mrl_wrapped__break(writer, table->indent);
    mrl_wrapped__put(writer, phrase, own.at, table->indent, table->options.width);
}

/* One for one: what is aligned stays so. */
static void make_ascii(struct mrl_writer *writer, char *from)
{
    char *to = from;

    for (; from < writer->at; from++)
        if (((unsigned char)*from & 0xc0) != 0x80)
            *to++ = *from & 0x80 ? '?' : *from;
    writer->at = to;
}

/* -- titles ----------------------------------------------------------------------------------- */

static struct mrl_text table_preamble(const struct mrl_encoder *encoder)
{
    const struct table_encoder *table = (const struct table_encoder *)encoder;

    return (struct mrl_text){ table->preamble, table->preamble_size };
}

/* "TIME (UTC)" */
static size_t name_time(char *title, size_t size)
{
    const time_t now = time(NULL);
    struct tm local;

    return strftime(title, size, "TIME (%Z)", localtime_r(&now, &local));
}

static void put_titles(struct table_encoder *table)
{
    struct mrl_writer writer = { table->preamble };
    char time_title[CELL_BYTES];

    for (unsigned int i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        const char *title = column->title;

        if (column->cell == CELL_TIME && !table->options.wide &&
            name_time(time_title, sizeof(time_title)))
            title = time_title;
        put_cell(table, &writer, column, STYLE_TITLE, (struct mrl_text){ title, strlen(title) });
    }
    if (table->options.wide)
        mrl_put_literal(&writer, "ARGS");
    else if (!table->options.width || table->options.width >= BESIDE_WIDTH)
        mrl_put_literal(&writer, "WHAT");
    mrl_wrapped__break(&writer, 0);
    table->preamble_size = (size_t)(writer.at - table->preamble);
}

static void choose_columns(struct table_encoder *table)
{
    table->columns = plain_columns;
    table->column_count = sizeof(plain_columns) / sizeof(*plain_columns);
    if (table->options.wide) {
        table->columns = wide_columns;
        table->column_count = sizeof(wide_columns) / sizeof(*wide_columns);
        table->options.width = 0; /* it is for who has room */
        table->options.columns = NULL;
    } else if (table->options.width >= CONTAINER_WIDTH) {
        table->columns = roomy_columns;
        table->column_count = sizeof(roomy_columns) / sizeof(*roomy_columns);
    }
    table->indent = 0;
    for (unsigned int i = 0; i < table->column_count; i++)
        table->indent += table->columns[i].width + 1;
    if (table->options.width < BESIDE_WIDTH)
        table->indent = BELOW_INDENT;
    if (table->options.width && table->options.width < NARROWEST)
        table->options.width = NARROWEST;
}

/* Behind a change of its width the columns are others, and so are their titles. */
static void follow_terminal(struct table_encoder *table, struct mrl_writer *writer)
{
    const unsigned int width = table->options.columns(table->options.columns_context);

    if (!width || width == table->terminal_width)
        return;
    table->terminal_width = table->options.width = width;
    choose_columns(table);
    put_titles(table);
    mrl_put_bytes(writer, table->preamble, table->preamble_size);
}

static void table_put(struct mrl_encoder *encoder,
                      const struct mrl_event *event,
                      struct mrl_writer *writer)
{
    struct table_encoder *table = (struct table_encoder *)encoder;
    char *const from = writer->at;
    char cell[CELL_BYTES];

    if (table->options.columns)
        follow_terminal(table, writer);
    for (unsigned int i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];

        put_cell(table, writer, column, style_of(column->cell, event),
                 text_of(table, column->cell, event, cell));
    }
    if (table->options.wide) {
        put_fields(&table->layouts[event->def->index], writer, event);
        mrl_put_char(writer, '\n');
    } else {
        put_phrase(table, writer, event);
        mrl_wrapped__break(writer, 0);
    }
    if (table->options.ascii)
        make_ascii(writer, from);
}

static int table_init(struct mrl_encoder *encoder, const struct mrl_encoder_options *options)
{
    struct table_encoder *table = (struct table_encoder *)encoder;

    table->options = *options;
    table->terminal_width = options->width;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        mrl_layout__make(mrl_event_def__at(i), options->extras, &table->layouts[i]);
    choose_columns(table);
    put_titles(table);
    return 0;
}

static void table_done(struct mrl_encoder *encoder)
{
    mrl_user_names__forget(&((struct table_encoder *)encoder)->users);
}

const struct mrl_encoder_ops mrl_table_encoder = {
    .name = "table",
    .bytes = sizeof(struct table_encoder),
    .init = table_init,
    .preamble = table_preamble,
    .put = table_put,
    .done = table_done,
};
