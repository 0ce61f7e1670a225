// SPDX-License-Identifier: Apache-2.0
/* The computed fields: one function per VIA(…) of the event table. */
#include <errno.h>
#include <string.h>

#include "core/arena.h"
#include "core/raw.h"
#include "core/steps.h"
#include "enrich/host.h"

static void put_text(struct mrl_value *value, const char *text)
{
    value->text = (struct mrl_text){ text, strlen(text) };
}

/* -- the target's identity -------------------------------------------------------------------- */

void mrl_value__target_name(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->target;
    if (raw->target)
        value->text =
            (struct mrl_text){ raw->target->comm, strnlen(raw->target->comm, MRL_NAME_BYTES) };
}

void mrl_value__target_exe(const struct mrl_raw *raw, struct mrl_value *value)
{
    struct mrl_text path = mrl_steps__path(
        raw->arena, raw->exe_steps, raw->target && (raw->target->flags & MRL_TARGET_EXE_CUT));

    value->absent = !path.size;
    if (path.size)
        value->text = path;
}

void mrl_value__target_start_time(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->target;
    if (raw->target)
        value->unsigned_number = mrl_host__epoch(raw->host, raw->target->start_ns);
}

void mrl_value__target_entity(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->target;
    if (raw->target)
        value->entity = (struct mrl_entity){ (uint32_t)raw->target->host_pid,
                                             mrl_host__epoch(raw->host, raw->target->start_ns) };
}

void mrl_value__target_container(const struct mrl_raw *raw, struct mrl_value *value)
{
    struct mrl_text container;
    char *copy;

    value->absent = !raw->target;
    if (!raw->target)
        return;
    container = mrl_host__container(raw->host, raw->target->cgroup_id);
    copy = mrl_arena__take(raw->arena, container.size);
    value->text = (struct mrl_text){ copy ? copy : "", copy ? container.size : 0 };
    if (copy)
        memcpy(copy, container.bytes, container.size);
}

/* -- its memory ------------------------------------------------------------------------------- */

/* What an approximate counter may be off by, below 0 included: see error_bound(). */
static uint64_t bytes_of_pages(const struct mrl_raw *raw, int64_t pages)
{
    return pages > 0 ? (uint64_t)pages * raw->host->page_bytes : 0;
}

static bool saw_before(const struct mrl_raw *raw)
{
    return raw->target && (raw->target->flags & MRL_TARGET_MM);
}

static bool saw_after(const struct mrl_raw *raw)
{
    return saw_before(raw) && (raw->target->flags & MRL_TARGET_AFTER);
}

#define PAGES_VALUE(name, when, kind)                                                   \
    void mrl_value__##name##_##when(const struct mrl_raw *raw, struct mrl_value *value) \
    {                                                                                   \
        value->absent = !saw_##when(raw);                                               \
        if (!value->absent)                                                             \
            value->unsigned_number = bytes_of_pages(raw, raw->target->when.kind);       \
    }

PAGES_VALUE(anon, before, anon)
PAGES_VALUE(anon, after, anon)
PAGES_VALUE(file, before, file)
PAGES_VALUE(file, after, file)
PAGES_VALUE(shmem, before, shmem)
PAGES_VALUE(shmem, after, shmem)
PAGES_VALUE(swap, before, swap)
PAGES_VALUE(swap, after, swap)

static uint64_t resident_bytes(const struct mrl_raw *raw, const struct mrl_pages *pages)
{
    return bytes_of_pages(raw, pages->anon) + bytes_of_pages(raw, pages->file) +
           bytes_of_pages(raw, pages->shmem);
}

void mrl_value__released_bytes(const struct mrl_raw *raw, struct mrl_value *value)
{
    uint64_t before, after;

    value->absent = !saw_after(raw);
    if (value->absent)
        return;
    before = resident_bytes(raw, &raw->target->before);
    after = resident_bytes(raw, &raw->target->after);
    value->unsigned_number = before > after ? before - after : 0;
}

void mrl_value__locked_bytes(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_before(raw);
    if (!value->absent)
        value->unsigned_number = raw->target->locked_pages * raw->host->page_bytes;
}

void mrl_value__pagetable_bytes(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_before(raw);
    if (!value->absent)
        value->unsigned_number = raw->target->pagetable_bytes;
}

void mrl_value__accuracy(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_after(raw);
    if (!value->absent)
        put_text(value, raw->target->flags & MRL_TARGET_EXACT_RSS ? "exact" : "approx");
}

/*
 * Since 6.2 each CPU keeps up to a batch of pages of each counter to itself (lib/percpu_counter.c:
 * the batch is 32 or twice the CPUs, whichever is more). Three counters are added up, twice.
 */
void mrl_value__error_bound(const struct mrl_raw *raw, struct mrl_value *value)
{
    uint64_t cpus = raw->host->cpus, batch = cpus > 16 ? cpus * 2 : 32;

    value->absent = !saw_after(raw);
    if (!value->absent && !(raw->target->flags & MRL_TARGET_EXACT_RSS))
        value->unsigned_number = 2 * 3 * batch * cpus * raw->host->page_bytes;
}

/* -- the call --------------------------------------------------------------------------------- */

/* Said only of what was observed: a call that succeeded although no memory was seen stays open. */
void mrl_value__outcome(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_before(raw) || raw->record->ret;
    if (!value->absent)
        put_text(value, raw->target->flags & MRL_TARGET_OOM_SKIP ? "already_reaped" : "reaped");
}

void mrl_value__duration(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = raw->record->flags & MRL_RECORD_NO_ENTRY;
    if (!value->absent)
        value->unsigned_number = raw->record->exit_ns - raw->record->entry_ns;
}

/* -- a gap in the stream ---------------------------------------------------------------------- */

void mrl_value__lost_event(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost;
    if (raw->lost)
        put_text(value, raw->lost->event->name);
}

void mrl_value__lost_count(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost;
    if (raw->lost)
        value->unsigned_number = raw->lost->count;
}

void mrl_value__lost_cause(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost;
    if (raw->lost)
        value->text = raw->lost->cause;
}

void mrl_value__lost_from(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost;
    if (raw->lost)
        value->unsigned_number = raw->lost->from_ns;
}

void mrl_value__lost_to(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost;
    if (raw->lost)
        value->unsigned_number = raw->lost->to_ns;
}
