// SPDX-License-Identifier: Apache-2.0
#include "side/names/table.h"

#include <errno.h>
#include <string.h>

enum { AGAIN_MS = 10 * 1000, NOBODY = MRL_ASKERS_MAX };

/* After a miss: a runtime may know a container a little later than its cgroup exists. */
static const int64_t pauses_ms[] = { 25, 100, 400, 1600 };

enum { TRIES = sizeof(pauses_ms) / sizeof(pauses_ms[0]) };

/* -- who is next ------------------------------------------------------------------------------ */

static bool is_hinted(const struct mrl_asker_row *asker, enum mrl_runtime hint)
{
    return hint == asker->runtime ||
           (hint == MRL_RUNTIME_CRI && asker->interface == MRL_INTERFACE_CRI);
}

/* The smaller, the sooner. Podman comes after Docker. */
static unsigned int rank(const struct mrl_asker_row *asker, enum mrl_runtime hint)
{
    return (is_hinted(asker, hint) ? 0U : 10U) + 2U * (unsigned int)asker->interface +
           (asker->runtime == MRL_RUNTIME_PODMAN);
}

static bool may_know(const struct mrl_asker_row *asker)
{
    return asker->state == MRL_ASKER_UP || asker->state == MRL_ASKER_NEW;
}

/* Who has to be asked now: one that is up, or will be reached soon. NOBODY: all were asked. */
static unsigned int find_asker(const struct mrl_table *table, const struct mrl_entry *entry)
{
    unsigned int found = NOBODY;

    for (unsigned int i = 0; i < table->asker_count; i++)
        if (may_know(&table->askers[i]) && !(entry->asked & (1U << i)) &&
            (found == NOBODY ||
             rank(&table->askers[i], entry->hint) < rank(&table->askers[found], entry->hint)))
            found = i;
    return found;
}

/* -- what is told ----------------------------------------------------------------------------- */

static void tell(const struct mrl_table *table,
                 struct mrl_entry *entry,
                 enum mrl_names_result result)
{
    struct mrl_container_names names = {
        .id = { entry->id, strlen(entry->id) },
        .result = result,
    };

    for (unsigned int i = 0; i < MRL_NAMES; i++)
        names.texts[i] = (struct mrl_text){ "", 0 };
    entry->told = result;
    table->tell(table->context, entry->ask, &names);
}

/* Of a container that nobody named: whoever could not be asked may know it. Where its path names a
 * runtime that is there, the others do not matter. */
static enum mrl_names_result judge(const struct mrl_table *table, const struct mrl_entry *entry)
{
    unsigned int counts[2][MRL_ASKER_UP + 1] = { { 0 } };
    const unsigned int *count;

    for (unsigned int i = 0; i < table->asker_count; i++)
        counts[is_hinted(&table->askers[i], entry->hint)][table->askers[i].state]++;
    count =
        counts[counts[1][MRL_ASKER_UP] || counts[1][MRL_ASKER_DOWN] || counts[1][MRL_ASKER_HUNG]];
    if (entry->timed_out || count[MRL_ASKER_HUNG])
        return MRL_NAMES_TIMEOUT;
    return count[MRL_ASKER_DOWN] || !count[MRL_ASKER_UP] ? MRL_NAMES_RUNTIME_DOWN
                                                         : MRL_NAMES_NOT_FOUND;
}

/* All were asked. Who was not found may be a little later; what cannot be asked is told at once. */
static void end_round(const struct mrl_table *table, struct mrl_entry *entry, int64_t now_ms)
{
    const enum mrl_names_result result = judge(table, entry);
    const bool is_last = entry->tries == TRIES;

    entry->asked = 0;
    entry->timed_out = false;
    if (is_last) {
        entry->is_over = true;
        entry->over_ms = now_ms;
    } else {
        entry->due_ms = now_ms + pauses_ms[entry->tries++];
    }
    if (entry->told != result && (is_last || result != MRL_NAMES_NOT_FOUND))
        tell(table, entry, result);
}

static bool waits(const struct mrl_entry *entry)
{
    return *entry->id && !entry->is_over && !entry->is_asked;
}

static void settle(struct mrl_table *table, int64_t now_ms)
{
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++) {
        struct mrl_entry *entry = &table->entries[i];

        if (waits(entry) && entry->due_ms <= now_ms && find_asker(table, entry) == NOBODY)
            end_round(table, entry, now_ms);
    }
}

/* -- questions -------------------------------------------------------------------------------- */

static struct mrl_entry *find(struct mrl_table *table, const char *id)
{
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++)
        if (!strcmp(table->entries[i].id, id))
            return &table->entries[i];
    return NULL;
}

/* In questions since: numbers may begin anew. */
static uint32_t age(const struct mrl_table *table, const struct mrl_entry *entry)
{
    return table->serial - entry->serial;
}

/* One that is free, or the oldest that is over, or that waits. */
static struct mrl_entry *make_room(struct mrl_table *table)
{
    struct mrl_entry *oldest = NULL;

    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++) {
        struct mrl_entry *entry = &table->entries[i];

        if (!*entry->id)
            return entry;
        if (!oldest || (entry->is_over && !oldest->is_over) ||
            (entry->is_over == oldest->is_over && age(table, entry) > age(table, oldest)))
            oldest = entry;
    }
    if (!oldest->is_over)
        tell(table, oldest, MRL_NAMES_QUEUE_FULL);
    return oldest;
}

static void begin(struct mrl_table *table, struct mrl_entry *entry, int64_t now_ms)
{
    entry->serial = ++table->serial;
    entry->asked = 0;
    entry->tries = 0;
    entry->is_asked = entry->is_over = entry->timed_out = false;
    entry->due_ms = now_ms;
}

void mrl_table__add(struct mrl_table *table,
                    const struct mrl_side_lookup *lookup,
                    const char *id,
                    int64_t now_ms)
{
    struct mrl_entry *entry = find(table, id);

    if (!entry) {
        entry = make_room(table);
        *entry = (struct mrl_entry){ .told = MRL_NAMES_PENDING };
        memcpy(entry->id, id, sizeof(entry->id));
        begin(table, entry, now_ms);
    } else if (entry->is_over && now_ms - entry->over_ms >= AGAIN_MS) {
        begin(table, entry, now_ms);
    }
    entry->ask = lookup->ask;
    entry->hint = (enum mrl_runtime)lookup->hint;
    if (entry->is_over)
        tell(table, entry, entry->told);
    settle(table, now_ms);
}

/* Whom nobody was asked for yet comes before who was missed: where a runtime is slow, misses would
 * take all of its time, and what comes be missed for that. */
static bool is_sooner(const struct mrl_table *table,
                      const struct mrl_entry *entry,
                      const struct mrl_entry *other)
{
    return entry->tries != other->tries ? entry->tries < other->tries
                                        : age(table, entry) > age(table, other);
}

bool mrl_table__next(struct mrl_table *table,
                     unsigned int asker,
                     int64_t now_ms,
                     struct mrl_errand *ret_errand,
                     int64_t *ret_due_ms)
{
    struct mrl_entry *next = NULL;

    settle(table, now_ms);
    *ret_due_ms = INT64_MAX;
    for (unsigned int i = 0; i < MRL_TABLE_ENTRIES; i++) {
        struct mrl_entry *entry = &table->entries[i];

        if (!waits(entry))
            continue;
        /* Somebody has to end the round of one whose pause is over and whom nobody can be asked
         * for: so everybody wakes. */
        if (entry->due_ms > now_ms)
            *ret_due_ms = entry->due_ms < *ret_due_ms ? entry->due_ms : *ret_due_ms;
        else if (find_asker(table, entry) == asker && (!next || is_sooner(table, entry, next)))
            next = entry;
    }
    if (!next || table->askers[asker].state != MRL_ASKER_UP)
        return false;
    next->is_asked = true;
    memcpy(ret_errand->id, next->id, sizeof(next->id));
    ret_errand->ask = next->ask;
    ret_errand->serial = next->serial;
    return true;
}

static void lose(struct mrl_table *table, unsigned int socket, enum mrl_asker_state state)
{
    for (unsigned int i = 0; i < table->asker_count; i++)
        if (table->askers[i].socket == socket && table->askers[i].state == MRL_ASKER_UP)
            table->askers[i].state = state;
}

void mrl_table__done(struct mrl_table *table,
                     unsigned int asker,
                     const struct mrl_errand *errand,
                     int err,
                     int64_t now_ms)
{
    struct mrl_entry *entry = find(table, errand->id);

    if (entry && entry->serial == errand->serial && entry->is_asked) {
        entry->is_asked = false;
        entry->asked |= 1U << asker;
        entry->timed_out |= err == -ETIMEDOUT;
        if (!err)
            *entry = (struct mrl_entry){ .told = MRL_NAMES_PENDING };
    }
    if (err == -ETIMEDOUT || err == -ENOTCONN)
        lose(table, table->askers[asker].socket,
             err == -ETIMEDOUT ? MRL_ASKER_HUNG : MRL_ASKER_DOWN);
    settle(table, now_ms);
}

void mrl_table__set_state(struct mrl_table *table,
                          unsigned int asker,
                          enum mrl_asker_state state,
                          int64_t now_ms)
{
    table->askers[asker].state = state;
    for (unsigned int i = 0; state == MRL_ASKER_UP && i < MRL_TABLE_ENTRIES; i++) {
        struct mrl_entry *entry = &table->entries[i];

        if (*entry->id && entry->is_over)
            begin(table, entry, now_ms);
        entry->asked &= ~(1U << asker);
    }
    settle(table, now_ms);
}

bool mrl_table__is_settled(const struct mrl_table *table)
{
    for (unsigned int i = 0; i < table->asker_count; i++)
        if (table->askers[i].state == MRL_ASKER_NEW)
            return false;
    return true;
}
