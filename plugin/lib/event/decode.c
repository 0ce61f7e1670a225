// SPDX-License-Identifier: Apache-2.0
/*
 * Decode: a record becomes an event. The record is checked first, as if anyone could have written
 * it: it may come from a capture file. Nothing is believed that could reach outside its bytes.
 */
#include "event/decode.h"

#include <errno.h>
#include <string.h>

#include "event/exe_path.h"
#include "event/layout.h"
#include "event/named.h"

_Static_assert(
    sizeof(struct mrl_record) + sizeof(struct mrl_judgement) + sizeof(struct mrl_target) +
            5 * MRL_EXE_BYTES + 2 * (sizeof(struct mrl_named) + MRL_NAMES_BYTES_MAX) + 4096 <
        MRL_BATCH_EVENT_ROOM,
    "an event fits its room: the record, the paths turned round, the names, the values, losses before");

struct mrl_text mrl_lookup__name(enum mrl_lookup lookup)
{
    static const struct mrl_text names[MRL_LOOKUP_COUNT] = {
        { "host", 4 }, { "known", 5 }, { "not_found", 9 }, { "unreadable", 10 }
    };

    return names[lookup];
}

/* An empty path has no last byte that could be a NUL. */
static bool ends_with_nul(struct mrl_text steps)
{
    return !steps.size || !steps.bytes[steps.size - 1];
}

static int check_target(const void *bytes, size_t size, struct mrl_raw *raw)
{
    const struct mrl_target *target = bytes;

    if (size < sizeof(*target) || target->exe_bytes > size - sizeof(*target) ||
        target->exe_bytes > MRL_EXE_BYTES)
        return -EBADMSG;
    raw->target_path = (struct mrl_text){ (const char *)(target + 1), target->exe_bytes };
    if (!ends_with_nul(raw->target_path))
        return -EBADMSG;
    raw->look = target;
    raw->target = target->flags & MRL_TARGET_FOUND ? target : NULL;
    return 0;
}

int mrl_decode__check(const void *bytes, size_t size, struct mrl_raw *raw)
{
    const struct mrl_record *record = bytes;
    const void *part = record + 1;
    size_t rest;

    /* Event and lane are indices of tables. They are bounded before anything is looked up. */
    if (size < sizeof(*record) || size > MRL_RECORD_BYTES_MAX || record->size != size ||
        record->event >= MRL_EVENT_COUNT || record->lane >= MRL_LANE_COUNT)
        return -EBADMSG;
    raw->record = record;
    raw->judgement = NULL;
    raw->look = NULL;
    raw->target = NULL;
    raw->locks = NULL;
    raw->target_path = (struct mrl_text){ "", 0 };
    rest = size - sizeof(*record);
    if (record->exe_bytes > rest || record->exe_bytes > MRL_EXE_BYTES)
        return -EBADMSG;
    raw->caller_path =
        (struct mrl_text){ (const char *)bytes + size - record->exe_bytes, record->exe_bytes };
    if (!ends_with_nul(raw->caller_path))
        return -EBADMSG;
    rest -= record->exe_bytes;
    if (record->flags & MRL_RECORD_JUDGED) {
        if (rest < sizeof(*raw->judgement))
            return -EBADMSG;
        raw->judgement = part;
        part = raw->judgement + 1;
        rest -= sizeof(*raw->judgement);
    }
    if (record->flags & MRL_RECORD_TARGET)
        return check_target(part, rest, raw);
    if (record->flags & MRL_RECORD_LOCKS) {
        if (rest < sizeof(*raw->locks))
            return -EBADMSG;
        raw->locks = part;
    }
    return 0;
}

static uint64_t target_member(const struct mrl_target *target, const struct mrl_from *from)
{
    const char *at = (const char *)target + from->offset;
    uint32_t narrow;
    uint64_t wide;

    if (from->size == sizeof(narrow)) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

/* Numbers are cut to the width of their kind, as the kernel and Tracee cut them. */
static void put_number(struct mrl_value *value, uint64_t number, const struct mrl_kind *kind)
{
    if (kind->bits == 32 && kind->storage == MRL_STORAGE_SIGNED)
        value->number = (int32_t)number;
    else if (kind->bits == 32)
        value->unsigned_number = (uint32_t)number;
    else
        value->unsigned_number = number;
}

static void decode_value(const struct mrl_raw *raw,
                         const struct mrl_field *field,
                         const struct mrl_from *from,
                         struct mrl_value *value)
{
    if (from->where == MRL_FROM_ARG)
        put_number(value, raw->record->args[from->offset], field->kind);
    else if (from->where == MRL_FROM_FUNCTION)
        from->compute(raw, value);
    else if (raw->target)
        put_number(value, target_member(raw->target, from), field->kind);
    else
        value->absent = true;
}

/* The room of an event in its batch includes them. */
static struct mrl_value *take_values(const struct mrl_raw *raw, unsigned int count)
{
    struct mrl_value *values = mrl_arena__take(raw->arena, count * sizeof(*values));

    return memset(values, 0, count * sizeof(*values));
}

/* Kept as one function: in two copies, compilers call decode_value() for each field, which costs
 * 5 % of decoding an event with a target. */
__attribute__((noinline)) static void decode_fields(const struct mrl_raw *raw,
                                                    const struct mrl_field *fields,
                                                    const struct mrl_from *from,
                                                    unsigned int count,
                                                    struct mrl_value *values)
{
    for (unsigned int i = 0; i < count; i++)
        decode_value(raw, &fields[i], &from[i], &values[i]);
}

static const struct mrl_value *decode_own(const struct mrl_raw *raw,
                                          const struct mrl_event_def *def)
{
    struct mrl_value *values = take_values(raw, def->field_count);

    decode_fields(raw, def->fields, mrl_event_def__from(def->index), def->field_count, values);
    return values;
}

/*
 * What the record tells beyond the fields of its event, in the order that event/layout.h wants.
 * A record may come from anyone: what follows it need not belong to its event.
 */
static const struct mrl_value *decode_extras(const struct mrl_raw *raw,
                                             const struct mrl_event_def *def)
{
    const unsigned int told =
        ((raw->look ? MRL_OF_TARGET : 0U) | (raw->locks ? MRL_OF_LOCKS : 0U)) & def->is;
    unsigned int count, at = 0;
    const struct mrl_extra *extras = mrl_extra__all(&count);
    struct mrl_value *values;

    if (!told)
        return NULL;
    values = take_values(raw, mrl_extras__field_count(told));
    for (unsigned int i = 0; i < count; i++) {
        if (!(extras[i].of & told))
            continue;
        decode_fields(raw, extras[i].fields, mrl_extra__from(&extras[i]), extras[i].field_count,
                      values + at);
        at += extras[i].field_count;
    }
    return values;
}

static struct mrl_text name_text(const char name[MRL_NAME_BYTES])
{
    return (struct mrl_text){ name, strnlen(name, MRL_NAME_BYTES) };
}

/* The cache may forget a container's name before the batch goes. */
static struct mrl_text kept_text(struct mrl_arena *arena, struct mrl_text text)
{
    char *copy = text.size ? mrl_arena__take(arena, text.size) : NULL;

    if (!copy)
        return (struct mrl_text){ "", 0 };
    memcpy(copy, text.bytes, text.size);
    return (struct mrl_text){ copy, text.size };
}

static void decode_task(const struct mrl_raw *raw, struct mrl_event *event)
{
    const struct mrl_record *record = raw->record;

    /* All members in one assignment: batches are used again, and are not cleared for it. Those that
     * are filled in later are named as well: for one that is not, the compiler zeroes all of the
     * event first, which costs more than the assignments. */
    *event = (struct mrl_event){
        .def = mrl_event_def__at(record->event),
        .entry_ns = mrl_host__epoch(raw->host, record->entry_ns),
        .exit_ns = mrl_host__epoch(raw->host, record->exit_ns),
        .seq = record->seq,
        .return_value = record->ret,
        .cgroup_id = record->cgroup_id,
        .thread_start_ns = mrl_host__epoch(raw->host, record->thread_start_ns),
        .process_start_ns = mrl_host__epoch(raw->host, record->leader_start_ns),
        .parent_start_ns = mrl_host__epoch(raw->host, record->parent_start_ns),
        .thread_id = record->tid,
        .process_id = record->pid,
        .parent_process_id = record->ppid,
        .host_thread_id = record->host_tid,
        .host_process_id = record->host_pid,
        .host_parent_process_id = record->host_ppid,
        .user_id = record->uid,
        .mount_namespace = record->mount_ns,
        .pid_namespace = record->pid_ns,
        .container_starting = record->container & MRL_CONTAINER_STARTING,
        .cpu = record->cpu,
        .lane = record->lane,
        .flags = (record->flags & MRL_RECORD_COMPAT ? MRL_EVENT_IS_COMPAT : 0U) |
                 (record->flags & MRL_RECORD_NO_ENTRY ? MRL_EVENT_NO_ENTRY : 0U),
        .process_name = name_text(record->comm),
        .host_name = name_text(record->host_name),
        .executable =
            mrl_exe_path__of(raw->arena, raw->caller_path, record->flags & MRL_RECORD_EXE_CUT),
        .raw = record,
        .raw_size = record->size,
        .container_id = { NULL, 0 },
        .values = NULL,
        .extra_values = NULL,
        .host = NULL,
        .lost = NULL,
        .state = NULL,
        .lookup = MRL_LOOKUP_HOST,
        .container_lookup = { NULL, 0 },
        .container_confirmed = 0,
        .target_confirmed = 0,
        .target_lookup = MRL_LOOKUP_HOST,
        .generation = raw->judgement ? raw->judgement->generation : 0,
        .policies = raw->judgement ? raw->judgement->policies : 0,
        .run = "",
        .output = 0,
        .id = { NULL, 0 },
        .all_policies = NULL,
        .container_name = { "", 0 },
        .container_image = { "", 0 },
        .container_image_digest = { "", 0 },
        .pod_name = { "", 0 },
        .pod_namespace = { "", 0 },
        .pod_uid = { "", 0 },
        .container_runtime = { NULL, 0 },
        .names_result = MRL_NAMES_OFF,
        .pod_sandbox = 0,
        .target_container_name = { NULL, 0 },
        .target_container_image = { NULL, 0 },
        .target_pod_name = { NULL, 0 },
        .target_pod_namespace = { NULL, 0 },
        .named = NULL,
        .target_named = NULL,
    };
}

static void decode_membership(const struct mrl_raw *raw, struct mrl_event *event)
{
    struct mrl_membership found = mrl_host__container(raw->host, raw->record->cgroup_id);
    struct mrl_named *named;

    event->container_id = kept_text(raw->arena, found.id);
    event->lookup = found.lookup;
    event->container_lookup = mrl_lookup__name(found.lookup);
    event->container_confirmed = found.confirmed;
    named = mrl_host__named(raw->host, &found);
    if (named)
        mrl_named__put(raw, named, event);
    if (!raw->target)
        return;
    found = mrl_host__container(raw->host, raw->target->cgroup_id);
    event->target_lookup = found.lookup;
    event->target_confirmed = found.confirmed;
    named = mrl_host__named(raw->host, &found);
    if (named)
        mrl_named__put_target(raw, named, event);
}

int mrl_decode__append(const void *bytes,
                       size_t size,
                       struct mrl_host *host,
                       struct mrl_batch *batch)
{
    struct mrl_raw raw = { .host = host, .arena = &batch->arena };
    struct mrl_event *event = &batch->events[batch->count];
    size_t used = batch->arena.used;
    void *copy;
    int err;

    if (size > MRL_RECORD_BYTES_MAX) /* the rest of what is wrong is seen in the copy */
        return -EBADMSG;
    /* The event is a view into its record, and the kernel may use the place in the ring again as
     * soon as it is given back. */
    copy = memcpy(mrl_arena__take(&batch->arena, size), bytes, size);
    err = mrl_decode__check(copy, size, &raw);
    if (err) {
        batch->arena.used = used;
        return err;
    }
    batch->host = host->facts;
    decode_task(&raw, event);
    decode_membership(&raw, event);
    event->host = &batch->host;
    event->values = decode_own(&raw, event->def);
    event->extra_values = decode_extras(&raw, event->def);
    batch->count++;
    return 0;
}
