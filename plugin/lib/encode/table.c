// SPDX-License-Identifier: Apache-2.0
/*
 * The format for people: aligned columns, errno and user names, sizes and times spelled out. Names
 * chosen by others are shown without what a terminal obeys or what reorders text, so that no
 * process can drive the terminal of whoever watches it, or put words into the mouth of another.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/visible.h"
#include "encode/encoder.h"
#include "enrich/entity.h"
#include "event/layout.h"

#define ENTITY_ROUNDING_NS 10000000 /* as in the default JSON dialect, so that both show one id */

enum { USERS_MAX = 1024, USER_BYTES = 33, CELL_BYTES = 64, NUMBER_BYTES = 48 };

struct user {
    uint32_t id;
    UT_hash_handle hh;
    char name[USER_BYTES];
};

struct table_encoder {
    struct mrl_encoder base;
    struct mrl_encoder_options options;
    struct mrl_layout layouts[MRL_EVENT_COUNT];
    struct user *users;
    size_t preamble_size;
    char preamble[256];
};

enum column {
    COLUMN_TIME,
    COLUMN_USER,
    COLUMN_COMM,
    COLUMN_PID,
    COLUMN_TID,
    COLUMN_RET,
    COLUMN_EVENT,
    COLUMN_COUNT
};

static const struct {
    const char *title;
    unsigned int width;
} columns[COLUMN_COUNT] = {
    [COLUMN_TIME] = { "TIME", 16 },   [COLUMN_USER] = { "USER", 10 },
    [COLUMN_COMM] = { "COMM", 16 },   [COLUMN_PID] = { "PID", 8 },
    [COLUMN_TID] = { "TID", 8 },      [COLUMN_RET] = { "RET", 12 },
    [COLUMN_EVENT] = { "EVENT", 17 },
};

#define STYLE_TITLE "\033[1m"
#define STYLE_ERROR "\033[31m"
#define STYLE_EVENT "\033[36m"
#define STYLE_NONE  "\033[0m"

/* -- cells ------------------------------------------------------------------------------------ */

/* Returns how many columns it took: every character counts as one. */
static unsigned int put_visible(struct mrl_writer *writer, struct mrl_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes, *end = at + text.size;
    unsigned int width = 0;
    char escape[8];

    while (at < end) {
        unsigned int size = mrl_visible_size(at, end);

        if (size) {
            mrl_put_bytes(writer, (const char *)at, size);
            width++;
        } else {
            size = 1;
            mrl_put_bytes(writer, escape, (size_t)snprintf(escape, sizeof(escape), "\\x%02x", *at));
            width += 4;
        }
        at += size;
    }
    return width;
}

static void put_cell(const struct table_encoder *table,
                     struct mrl_writer *writer,
                     enum column column,
                     const char *style,
                     struct mrl_text text)
{
    unsigned int width;

    style = table->options.colour ? style : NULL;
    if (style)
        mrl_put_bytes(writer, style, strlen(style));
    width = put_visible(writer, text);
    if (style)
        mrl_put_literal(writer, STYLE_NONE);
    do
        mrl_put_char(writer, ' ');
    while (++width <= columns[column].width);
}

static struct mrl_text printed(const char *cell, int size)
{
    return (struct mrl_text){ cell, (size_t)(size < CELL_BYTES ? size : CELL_BYTES - 1) };
}

/* -- names and units -------------------------------------------------------------------------- */

static void look_up_user(uint32_t id, char name[USER_BYTES])
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (!getpwuid_r(id, &entry, buffer, sizeof(buffer), &found) && found)
        snprintf(name, USER_BYTES, "%s", entry.pw_name);
    else
        snprintf(name, USER_BYTES, "%u", id);
}

static void forget_users(struct table_encoder *table)
{
    struct user *user, *next;

    HASH_ITER(hh, table->users, user, next) {
        HASH_DEL(table->users, user);
        free(user);
    }
}

static const char *user_name(struct table_encoder *table, uint32_t id, char fallback[USER_BYTES])
{
    struct user *user;

    snprintf(fallback, USER_BYTES, "%u", id);
    if (!table->options.user_names)
        return fallback;
    HASH_FIND(hh, table->users, &id, sizeof(id), user);
    if (user)
        return user->name;
    if (HASH_COUNT(table->users) >= USERS_MAX)
        forget_users(table);
    user = calloc(1, sizeof(*user));
    if (!user)
        return fallback;
    user->id = id;
    look_up_user(id, user->name);
    HASH_ADD(hh, table->users, id, sizeof(user->id), user);
    if (!user->hh.tbl) {
        free(user);
        return fallback;
    }
    return user->name;
}

static int print_time(char *cell, size_t size, uint64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;

    localtime_r(&seconds, &local);
    return snprintf(cell, size, "%02d:%02d:%02d.%06u", local.tm_hour, local.tm_min, local.tm_sec,
                    (unsigned int)(ns % 1000000000 / 1000));
}

static int print_return(char *cell, size_t size, int64_t value)
{
    const char *name = value < 0 && value >= -4095 ? strerrorname_np((int)-value) : NULL;

    if (name)
        return snprintf(cell, size, "%s", name);
    return snprintf(cell, size, "%lld", (long long)value);
}

static int print_scaled(
    char *cell, size_t size, uint64_t number, const char *const *units, unsigned int step)
{
    double scaled = (double)number;

    while (scaled >= step - 0.05 && units[1]) { /* or it would be rounded up to a step */
        scaled /= step;
        units++;
    }
    return snprintf(cell, size, scaled == (double)(uint64_t)scaled ? "%.0f %s" : "%.1f %s", scaled,
                    *units);
}

static int print_unsigned(char *cell, size_t size, uint64_t number, enum mrl_unit unit)
{
    static const char *const byte_units[] = { "B", "KiB", "MiB", "GiB", "TiB", NULL };
    static const char *const duration_units[] = { "ns", "us", "ms", "s", NULL };

    switch (unit) {
    case MRL_UNIT_ADDRESS:
        return snprintf(cell, size, "0x%llx", (unsigned long long)number);
    case MRL_UNIT_BYTES:
        return print_scaled(cell, size, number, byte_units, 1024);
    case MRL_UNIT_DURATION:
        return print_scaled(cell, size, number, duration_units, 1000);
    case MRL_UNIT_TIME:
        return print_time(cell, size, number);
    case MRL_UNIT_NONE:
        break;
    }
    return snprintf(cell, size, "%llu", (unsigned long long)number);
}

/* -- a line ----------------------------------------------------------------------------------- */

static void put_value(struct mrl_writer *writer,
                      const struct mrl_kind *kind,
                      const struct mrl_value *value)
{
    char cell[NUMBER_BYTES];
    uint32_t entity;
    int size = 0;

    switch (kind->storage) {
    case MRL_STORAGE_TEXT:
        put_visible(writer, value->text);
        return;
    case MRL_STORAGE_SIGNED:
        size = snprintf(cell, sizeof(cell), "%lld", (long long)value->number);
        break;
    case MRL_STORAGE_UNSIGNED:
        size = print_unsigned(cell, sizeof(cell), value->unsigned_number, kind->unit);
        break;
    case MRL_STORAGE_ENTITY:
        entity = mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ENTITY_ROUNDING_NS);
        size = snprintf(cell, sizeof(cell), "%u", entity);
        break;
    case MRL_STORAGE_COUNT:
        break;
    }
    mrl_put_bytes(writer, cell, (size_t)size);
}

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
        put_value(writer, field->kind, &value);
    }
}

/* Both numbers where a PID namespace makes them differ: inside, then on the host. */
static int print_pid(char *cell, size_t size, uint32_t inside, uint32_t host)
{
    return inside == host ? snprintf(cell, size, "%u", host)
                          : snprintf(cell, size, "%u/%u", inside, host);
}

static void put_task(struct table_encoder *table,
                     const struct mrl_event *event,
                     struct mrl_writer *writer)
{
    const char *failed = event->return_value < 0 ? STYLE_ERROR : NULL;
    char cell[CELL_BYTES], number[USER_BYTES];
    const char *user = user_name(table, event->user_id, number);

    put_cell(table, writer, COLUMN_USER, NULL, (struct mrl_text){ user, strlen(user) });
    put_cell(table, writer, COLUMN_COMM, NULL, event->process_name);
    put_cell(
        table, writer, COLUMN_PID, NULL,
        printed(cell, print_pid(cell, sizeof(cell), event->process_id, event->host_process_id)));
    put_cell(table, writer, COLUMN_TID, NULL,
             printed(cell, print_pid(cell, sizeof(cell), event->thread_id, event->host_thread_id)));
    put_cell(table, writer, COLUMN_RET, failed,
             printed(cell, print_return(cell, sizeof(cell), event->return_value)));
}

/* Of a gap, and of the sensor itself: root did not do it. */
static void put_no_task(struct table_encoder *table, struct mrl_writer *writer)
{
    for (int column = COLUMN_USER; column <= COLUMN_RET; column++)
        put_cell(table, writer, (enum column)column, NULL, (struct mrl_text){ "", 0 });
}

static void table_put(struct mrl_encoder *encoder,
                      const struct mrl_event *event,
                      struct mrl_writer *writer)
{
    struct table_encoder *table = (struct table_encoder *)encoder;
    char cell[CELL_BYTES];

    put_cell(table, writer, COLUMN_TIME, NULL,
             printed(cell, print_time(cell, sizeof(cell), event->entry_ns)));
    if (*event->def->syscall)
        put_task(table, event, writer);
    else
        put_no_task(table, writer);
    put_cell(table, writer, COLUMN_EVENT, STYLE_EVENT,
             (struct mrl_text){ event->def->name, strlen(event->def->name) });
    put_fields(&table->layouts[event->def->index], writer, event);
    mrl_put_char(writer, '\n');
}

static struct mrl_text table_preamble(const struct mrl_encoder *encoder)
{
    const struct table_encoder *table = (const struct table_encoder *)encoder;

    return (struct mrl_text){ table->preamble, table->preamble_size };
}

static int table_make(const struct mrl_encoder_options *options, struct mrl_encoder **ret_encoder)
{
    struct table_encoder *table = calloc(1, sizeof(*table));
    struct mrl_writer writer;

    if (!table)
        return -ENOMEM;
    table->options = *options;
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        mrl_layout__make(mrl_event_def__at(i), options->extras, &table->layouts[i]);
    writer.at = table->preamble;
    for (int column = 0; column < COLUMN_COUNT; column++)
        put_cell(table, &writer, (enum column)column, STYLE_TITLE,
                 (struct mrl_text){ columns[column].title, strlen(columns[column].title) });
    mrl_put_literal(&writer, "ARGS\n");
    table->preamble_size = (size_t)(writer.at - table->preamble);
    *ret_encoder = &table->base;
    return 0;
}

static void table_destroy(struct mrl_encoder *encoder)
{
    struct table_encoder *table = (struct table_encoder *)encoder;

    forget_users(table);
    free(table);
}

const struct mrl_encoder_ops mrl_table_encoder = {
    .name = "table",
    .make = table_make,
    .preamble = table_preamble,
    .put = table_put,
    .destroy = table_destroy,
};
