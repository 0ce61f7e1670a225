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
    raw->lost = NULL;
    raw->state = NULL;
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

/* Batches are used again, and are not cleared for it. So these four name each member of an event,
 * also what is filled in later; an assignment of the whole would zero what it does not name first,
 * which costs more than all of them. */
static void decode_call(const struct mrl_raw *raw, struct mrl_event *event)
{
    const struct mrl_record *record = raw->record;
    const struct mrl_judgement *judgement = raw->judgement;

    event->def = mrl_event_def__at(record->event);
    event->entry_ns = mrl_host__epoch(raw->host, record->entry_ns);
    event->exit_ns = mrl_host__epoch(raw->host, record->exit_ns);
    event->seq = record->seq;
    event->return_value = record->ret;
    event->cpu = record->cpu;
    event->lane = record->lane;
    event->flags = (record->flags & MRL_RECORD_COMPAT ? MRL_EVENT_IS_COMPAT : 0U) |
                   (record->flags & MRL_RECORD_NO_ENTRY ? MRL_EVENT_NO_ENTRY : 0U);
    event->raw = record;
    event->raw_size = record->size;
    event->generation = judgement ? judgement->generation : 0;
    event->policies = judgement ? judgement->policies : 0;
}

static void decode_task(const struct mrl_raw *raw, struct mrl_event *event)
{
    const struct mrl_record *record = raw->record;

    event->cgroup_id = record->cgroup_id;
    event->thread_start_ns = mrl_host__epoch(raw->host, record->thread_start_ns);
    event->process_start_ns = mrl_host__epoch(raw->host, record->leader_start_ns);
    event->parent_start_ns = mrl_host__epoch(raw->host, record->parent_start_ns);
    event->thread_id = record->tid;
    event->process_id = record->pid;
    event->parent_process_id = record->ppid;
    event->host_thread_id = record->host_tid;
    event->host_process_id = record->host_pid;
    event->host_parent_process_id = record->host_ppid;
    event->user_id = record->uid;
    event->mount_namespace = record->mount_ns;
    event->pid_namespace = record->pid_ns;
    event->container_starting = record->container & MRL_CONTAINER_STARTING;
    event->process_name = name_text(record->comm);
    event->host_name = name_text(record->host_name);
    event->executable =
        mrl_exe_path__of(raw->arena, raw->caller_path, record->flags & MRL_RECORD_EXE_CUT);
}

/* What decode_membership() fills in, where there is something. */
static void clear_membership(struct mrl_event *event)
{
    const struct mrl_text none = { NULL, 0 }, empty = { "", 0 };

    event->container_id = none;
    event->lookup = event->target_lookup = MRL_LOOKUP_HOST;
    event->container_lookup = none;
    event->container_confirmed = event->target_confirmed = 0;
    event->container_name = event->container_image = event->container_image_digest = empty;
    event->pod_name = event->pod_namespace = event->pod_uid = empty;
    event->container_runtime = none;
    event->names_result = MRL_NAMES_OFF;
    event->pod_sandbox = 0;
    event->target_container_name = event->target_container_image = none;
    event->target_pod_name = event->target_pod_namespace = none;
    event->named = event->target_named = NULL;
}

/* What others fill in, where there is something. */
static void clear_rest(struct mrl_event *event)
{
    event->values = event->extra_values = NULL;
    event->host = NULL;
    event->lost = NULL;
    event->state = NULL;
    event->run = "";
    event->output = 0;
    event->id = (struct mrl_text){ NULL, 0 };
    event->all_policies = NULL;
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
    struct mrl_raw raw; /* all that a record tells is filled in by the check */
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
    raw.host = host;
    raw.arena = &batch->arena;
    if (err) {
        batch->arena.used = used;
        return err;
    }
    batch->host = host->facts;
    clear_membership(event);
    clear_rest(event);
    decode_call(&raw, event);
    decode_task(&raw, event);
    decode_membership(&raw, event);
    event->host = &batch->host;
    event->values = decode_own(&raw, event->def);
    event->extra_values = decode_extras(&raw, event->def);
    batch->count++;
    return 0;
}
