// SPDX-License-Identifier: Apache-2.0
/* The computed fields: one function per VIA(…) of the event table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "event/exe_path.h"
#include "event/host.h"
#include "event/lost.h"
#include "event/pages.h"
#include "event/raw.h"

enum { LOCK_FLAGS_BYTES = 64 }; /* all names, and unknown bits in hexadecimal */

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
    struct mrl_text path =
        mrl_exe_path__of(raw->arena, raw->target ? raw->target_path : (struct mrl_text){ "", 0 },
                         raw->target && (raw->target->flags & MRL_TARGET_EXE_CUT));

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
    struct mrl_membership found;
    char *copy;

    value->absent = true;
    if (!raw->target)
        return;
    found = mrl_host__container(raw->host, raw->target->cgroup_id);
    value->absent = found.lookup != MRL_LOOKUP_HOST && !found.id.size;
    copy = mrl_arena__take(raw->arena, found.id.size);
    value->text = (struct mrl_text){ copy ? copy : "", copy ? found.id.size : 0 };
    if (copy)
        memcpy(copy, found.id.bytes, found.id.size);
}

/* -- its memory ------------------------------------------------------------------------------- */

/* What an approximate counter may be off by, below 0 included: see error_bound(). */
static uint64_t bytes_of_pages(const struct mrl_raw *raw, int64_t pages)
{
    return pages > 0 ? (uint64_t)pages * raw->host->facts.page_bytes : 0;
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
    /* Counters that are not exact may say more afterwards than before: that is no release. */
    value->unsigned_number = before > after ? before - after : 0;
}

void mrl_value__locked_bytes(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_before(raw);
    if (!value->absent)
        value->unsigned_number = raw->target->locked_pages * raw->host->facts.page_bytes;
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

/* Three counters are added up, twice. */
void mrl_value__error_bound(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !saw_after(raw);
    if (!value->absent)
        value->unsigned_number = 2 * 3 * mrl_pages__bound(raw) * raw->host->facts.page_bytes;
}

/* -- its state -------------------------------------------------------------------------------- */

void mrl_value__target_from(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->target;
    if (raw->target)
        put_text(value, raw->target->flags & MRL_TARGET_PROVEN ? "reaped_mm" : "descriptor");
}

static void put_state(const struct mrl_raw *raw, uint32_t flag, struct mrl_value *value)
{
    value->absent = !raw->target || !(raw->target->flags & MRL_TARGET_STATE);
    if (!value->absent)
        value->unsigned_number = (raw->target->flags & flag) != 0;
}

void mrl_value__target_threads(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_state(raw, 0, value);
    if (!value->absent)
        value->unsigned_number = raw->target->threads;
}

void mrl_value__target_dying(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_state(raw, MRL_TARGET_DYING, value);
}

void mrl_value__target_core_dumping(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_state(raw, MRL_TARGET_DUMPING, value);
}

void mrl_value__target_mm_shared(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_state(raw, MRL_TARGET_SHARED, value);
    value->absent |= !saw_before(raw);
    if (value->absent)
        value->unsigned_number = 0;
}

void mrl_value__target_exit_signal(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_state(raw, 0, value);
    value->absent |= !raw->target || !(raw->target->flags & MRL_TARGET_DYING);
    if (!value->absent)
        value->unsigned_number = raw->target->exit_code & 0x7f;
}

/* -- the call --------------------------------------------------------------------------------- */

void mrl_value__duration(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = raw->record->flags & MRL_RECORD_NO_ENTRY;
    if (!value->absent)
        value->unsigned_number = raw->record->exit_ns - raw->record->entry_ns;
}

void mrl_value__since_kill(const struct mrl_raw *raw, struct mrl_value *value)
{
    uint64_t kill_ns = raw->target ? raw->target->kill_ns : 0;

    /* A kill that came after the entry did not lead to this call. */
    value->absent = !kill_ns || kill_ns > raw->record->entry_ns;
    if (!value->absent)
        value->unsigned_number = raw->record->entry_ns - kill_ns;
}

/* -- what the caller has locked --------------------------------------------------------------- */

static void put_locked(const struct mrl_raw *raw, uint64_t pages, struct mrl_value *value)
{
    value->absent = pages == MRL_LOCKS_UNKNOWN;
    if (!value->absent)
        value->unsigned_number = pages * raw->host->facts.page_bytes;
}

void mrl_value__locked_before(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_locked(raw, raw->locks ? raw->locks->before_pages : MRL_LOCKS_UNKNOWN, value);
}

void mrl_value__locked_after(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_locked(raw, raw->locks ? raw->locks->after_pages : MRL_LOCKS_UNKNOWN, value);
}

void mrl_value__memlock_limit(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->locks || raw->locks->limit_bytes == MRL_LOCKS_UNKNOWN; /* RLIM_INFINITY */
    if (!value->absent)
        value->unsigned_number = raw->locks->limit_bytes;
}

/* include/uapi/linux/mman.h and asm-generic/mman.h. */
static const char *const mlock2_flags[] = { "MLOCK_ONFAULT", NULL };
static const char *const mlockall_flags[] = { "MCL_CURRENT", "MCL_FUTURE", "MCL_ONFAULT", NULL };

/* "MCL_CURRENT|MCL_FUTURE|0x40"; "0" for none. */
static size_t print_flags(uint32_t flags, const char *const *names, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned int bit = 0; names[bit]; bit++) {
        if (flags & (1U << bit))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "|" : "", names[bit]);
        flags &= ~(1U << bit);
    }
    /* Bits that this program has no name for are shown all the same. */
    if (flags || !used)
        used += (size_t)snprintf(text + used, size - used, flags ? "%s0x%x" : "%s%x",
                                 used ? "|" : "", flags);
    return used;
}

void mrl_value__lock_flags(const struct mrl_raw *raw, struct mrl_value *value)
{
    bool all = raw->record->event == MRL_EVENT_MLOCKALL;
    char *text = NULL;

    value->absent = true;
    if (all || raw->record->event == MRL_EVENT_MLOCK2)
        text = mrl_arena__take(raw->arena, LOCK_FLAGS_BYTES);
    if (!text)
        return;
    value->absent = false;
    value->text.size = print_flags((uint32_t)raw->record->args[all ? 0 : 2],
                                   all ? mlockall_flags : mlock2_flags, text, LOCK_FLAGS_BYTES);
    value->text.bytes = text;
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
        value->text = mrl_cause__name(raw->lost->cause);
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

static bool has_culprit(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->lost || !raw->lost->by.is_known;
    return !value->absent;
}

void mrl_value__lost_by_uid(const struct mrl_raw *raw, struct mrl_value *value)
{
    if (has_culprit(raw, value))
        value->unsigned_number = raw->lost->by.uid;
}

void mrl_value__lost_by_cgroup(const struct mrl_raw *raw, struct mrl_value *value)
{
    if (has_culprit(raw, value))
        value->unsigned_number = raw->lost->by.latest.cgroup_id;
}

void mrl_value__lost_by_comm(const struct mrl_raw *raw, struct mrl_value *value)
{
    if (has_culprit(raw, value))
        value->text = mrl_blame__comm(&raw->lost->by);
}

/* -- an event without a record ---------------------------------------------------------------- */

void mrl_raw__make_event(const struct mrl_raw *raw,
                         unsigned int index,
                         uint64_t time_ns,
                         struct mrl_value *values,
                         struct mrl_event *ret_event)
{
    const struct mrl_event_def *def = mrl_event_def__at(index);
    const struct mrl_from *from = mrl_event_def__from(index);
    const struct mrl_text none = { "", 0 };

    for (unsigned int i = 0; i < def->field_count; i++) {
        values[i] = (struct mrl_value){ .absent = false };
        from[i].compute(raw, &values[i]);
    }
    *ret_event = (struct mrl_event){
        .run = "",
        .def = def,
        .entry_ns = time_ns,
        .exit_ns = time_ns,
        .process_name = none,
        .host_name = none,
        .container_id = none,
        .executable = none,
        .values = values,
        .lost = raw->lost,
        .state = raw->state,
    };
}
