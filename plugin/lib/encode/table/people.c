// SPDX-License-Identifier: Apache-2.0
#include "encode/table/people.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/visible.h"
#include "enrich/entity.h"

#define ENTITY_ROUNDING_NS 10000000 /* as in the default JSON dialect, so that both show one id */

enum { USERS_MAX = 1024 };

struct mrl_user_name {
    uint32_t id;
    UT_hash_handle hh;
    char name[MRL_USER_BYTES];
};

/* -- names ------------------------------------------------------------------------------------ */

unsigned int mrl_people__put_text(struct mrl_writer *writer, struct mrl_text text)
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

static void look_up_user(uint32_t id, char name[MRL_USER_BYTES])
{
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (!getpwuid_r(id, &entry, buffer, sizeof(buffer), &found) && found)
        snprintf(name, MRL_USER_BYTES, "%s", entry.pw_name);
    else
        snprintf(name, MRL_USER_BYTES, "%u", id);
}

void mrl_user_names__forget(struct mrl_user_names *names)
{
    struct mrl_user_name *user, *next;

    HASH_ITER(hh, names->all, user, next) {
        HASH_DEL(names->all, user);
        free(user);
    }
}

const char *mrl_user_names__of(struct mrl_user_names *names,
                               uint32_t id,
                               char fallback[MRL_USER_BYTES])
{
    struct mrl_user_name *user;

    snprintf(fallback, MRL_USER_BYTES, "%u", id);
    HASH_FIND(hh, names->all, &id, sizeof(id), user);
    if (user)
        return user->name;
    if (HASH_COUNT(names->all) >= USERS_MAX)
        mrl_user_names__forget(names);
    user = calloc(1, sizeof(*user));
    if (!user)
        return fallback;
    user->id = id;
    look_up_user(id, user->name);
    HASH_ADD(hh, names->all, id, sizeof(user->id), user);
    if (!user->hh.tbl) {
        free(user);
        return fallback;
    }
    return user->name;
}

/* -- numbers ---------------------------------------------------------------------------------- */

int mrl_people__print_time(char *cell, size_t size, uint64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;

    localtime_r(&seconds, &local);
    return snprintf(cell, size, "%02d:%02d:%02d.%06u", local.tm_hour, local.tm_min, local.tm_sec,
                    (unsigned int)(ns % 1000000000 / 1000));
}

int mrl_people__print_return(char *cell, size_t size, int64_t value)
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
        return mrl_people__print_time(cell, size, number);
    case MRL_UNIT_NONE:
        break;
    }
    return snprintf(cell, size, "%llu", (unsigned long long)number);
}

void mrl_people__put_value(struct mrl_writer *writer,
                           const struct mrl_kind *kind,
                           const struct mrl_value *value)
{
    char cell[MRL_NUMBER_BYTES];
    uint32_t entity;
    int size = 0;

    switch (kind->storage) {
    case MRL_STORAGE_TEXT:
        mrl_people__put_text(writer, value->text);
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
