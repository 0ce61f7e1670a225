// SPDX-License-Identifier: Apache-2.0
/* From the frames of a capture to events. */
#include "read/recorded.h"

#include <errno.h>
#include <string.h>

#include "event/decode.h"
#include "event/lost.h"
#include "event/state.h"

static bool is_wanted(const struct mrl_recorded *recorded, unsigned int event)
{
    return recorded->events & (1U << event);
}

/* -- counting --------------------------------------------------------------------------------- */

/* One writer; metrics are read by other threads. */
static void add(uint64_t *counter, uint64_t count)
{
    __atomic_store_n(counter, *counter + count, __ATOMIC_RELAXED);
}

static void count_read(struct mrl_event_counts *counts, bool is_accepted)
{
    add(&counts->seen, 1);
    add(&counts->submitted, 1);
    add(is_accepted ? &counts->decoded : &counts->filtered_late, 1);
}

/* What the recorder read and could not write is seen, but neither read nor lost by the kernel. */
static void count_lost(struct mrl_event_counts *counts, enum mrl_cause cause, uint64_t count)
{
    const struct mrl_cause_def *def = mrl_cause_def__of(cause);

    add(&counts->seen, count);
    if (def->in_kernel == MRL_UNCOUNTED)
        add(&counts->submitted, count);
    if (def->in_counts != MRL_UNCOUNTED)
        add(mrl_counter__at(counts, def->in_counts), count);
}

struct mrl_event_counts mrl_recorded__counts(const struct mrl_recorded *recorded,
                                             unsigned int event)
{
    const struct mrl_event_counts *counts = &recorded->counts[event];

    return (struct mrl_event_counts){
        .seen = __atomic_load_n(&counts->seen, __ATOMIC_RELAXED),
        .submitted = __atomic_load_n(&counts->submitted, __ATOMIC_RELAXED),
        .refused = __atomic_load_n(&counts->refused, __ATOMIC_RELAXED),
        .no_memory = __atomic_load_n(&counts->no_memory, __ATOMIC_RELAXED),
        .suppressed = __atomic_load_n(&counts->suppressed, __ATOMIC_RELAXED),
        .exit_missed = __atomic_load_n(&counts->exit_missed, __ATOMIC_RELAXED),
        .decoded = __atomic_load_n(&counts->decoded, __ATOMIC_RELAXED),
        .malformed = __atomic_load_n(&counts->malformed, __ATOMIC_RELAXED),
        .filtered_late = __atomic_load_n(&counts->filtered_late, __ATOMIC_RELAXED),
        .unidentified = __atomic_load_n(&counts->unidentified, __ATOMIC_RELAXED),
    };
}

/* -- frames ----------------------------------------------------------------------------------- */

/* A frame, and what its events go into. */
struct taking {
    struct mrl_recorded *recorded;
    const struct mrl_frame *frame;
    struct mrl_batch *batch;
    const char *wrong; /* what is said of a frame that no recorder would write */
};

static int take_host(struct taking *taking)
{
    const struct mrl_frame_host *host = taking->frame->payload;
    struct mrl_recorded *recorded = taking->recorded;

    mrl_containers__clear(&recorded->containers);
    recorded->has_host = true;
    recorded->host = (struct mrl_host){
        .facts = { host->boot_ns, host->page_bytes, host->cpus, host->cgroup_v1 },
        .container = mrl_containers__find,
        .containers = &recorded->containers,
    };
    return 0;
}

static int take_container(struct taking *taking)
{
    const char *id = (const char *)taking->frame->payload + sizeof(uint64_t);
    uint64_t cgroup;

    memcpy(&cgroup, taking->frame->payload, sizeof(cgroup));
    return mrl_containers__put(&taking->recorded->containers, cgroup,
                               (struct mrl_text){ id, taking->frame->size - sizeof(cgroup) });
}

static int take_lookup(struct taking *taking)
{
    const struct mrl_frame_lookup *frame = taking->frame->payload;

    return frame->lookup < MRL_LOOKUP_COUNT && frame->confirmed < 2
               ? mrl_containers__qualify(&taking->recorded->containers, frame->cgroup,
                                         (enum mrl_lookup)frame->lookup, frame->confirmed)
               : -EBADMSG;
}

static int take_names(struct taking *taking)
{
    struct mrl_named named;
    uint64_t cgroup;
    int err = mrl_frame_names__read(taking->frame->payload, taking->frame->size, &cgroup, &named);

    return err ? err : mrl_containers__name(&taking->recorded->containers, cgroup, &named);
}

static int take_policy(struct taking *taking)
{
    const struct mrl_frame_policy *policy = taking->frame->payload;
    const struct mrl_text name = { (const char *)(policy + 1),
                                   taking->frame->size - sizeof(*policy) };
    struct mrl_policies *policies, **ours = &taking->recorded->policies;
    int err =
        policy->reserved ? -EBADMSG : mrl_policies__replace(*ours, policy->bit, name, &policies);

    if (err)
        return err;
    mrl_policies__unref(*ours);
    *ours = policies;
    return 0;
}

/* By which policies the last event is wanted; false: by none. The names are those of the recording,
 * unless others are given now. */
static bool match(struct mrl_recorded *recorded, struct mrl_batch *batch)
{
    const struct mrl_filter *filter = recorded->filter;
    const struct mrl_event *event = &batch->events[batch->count - 1];
    uint64_t policies = filter ? mrl_filter__match(filter, event) : 1;

    if (policies && filter && filter->names) {
        mrl_policies__count(filter->names, policies);
        mrl_batch__match(batch, filter->names, policies);
    } else if (policies) {
        mrl_batch__match(batch, recorded->policies, event->policies);
    }
    return policies;
}

static int take_record(struct taking *taking)
{
    const struct mrl_record *record = taking->frame->payload;
    struct mrl_recorded *recorded = taking->recorded;
    struct mrl_batch *batch = taking->batch;
    size_t used = batch->arena.used;
    bool is_accepted;

    if (!recorded->has_host ||
        mrl_decode__append(record, taking->frame->size, &recorded->host, batch))
        return -EBADMSG;
    if (!is_wanted(recorded, record->event)) {
        mrl_batch__take_back(batch, used);
        return 0;
    }
    if (batch->events[batch->count - 1].lookup > MRL_LOOKUP_KNOWN)
        add(&recorded->counts[record->event].unidentified, 1);
    taking->wrong = "more names of policies than there can be";
    if (!mrl_policies__fit(recorded->policies, batch->events[batch->count - 1].policies))
        return -EBADMSG;
    is_accepted = match(recorded, batch);
    if (!is_accepted)
        mrl_batch__take_back(batch, used);
    count_read(&recorded->counts[record->event], is_accepted);
    return 0;
}

static int take_lost(struct taking *taking)
{
    struct mrl_recorded *recorded = taking->recorded;
    struct mrl_lost lost;
    int err = mrl_frame_lost__read(taking->frame->payload, taking->frame->size, &lost);

    if (err || !is_wanted(recorded, lost.event->index))
        return err;
    count_lost(&recorded->counts[lost.event->index], lost.cause, lost.count);
    mrl_lost__append(&lost, taking->batch);
    return 0;
}

static int take_state(struct taking *taking)
{
    struct mrl_state state;
    int err = mrl_state__unpack(taking->frame->payload, taking->frame->size, &state);

    if (!err && is_wanted(taking->recorded, MRL_EVENT_SENSOR_STATE))
        mrl_state__append(&state, taking->batch);
    return err;
}

/* The last frame counts those before it: mrl_recorded__take() adds a frame after it was taken. */
static int take_end(struct taking *taking)
{
    const struct mrl_frame_end *totals = &taking->recorded->totals;

    taking->recorded->has_end = true;
    return memcmp(taking->frame->payload, totals, sizeof(*totals)) ? -EBADMSG : 0;
}

static const struct {
    int (*take)(struct taking *taking);
    const char *wrong;
} takers[] = {
    [MRL_FRAME_HOST] = { take_host, NULL },
    [MRL_FRAME_CONTAINER] = { take_container, "a container that no recorder would write" },
    [MRL_FRAME_RECORD] = { take_record, "a frame holds no valid record" },
    [MRL_FRAME_LOST] = { take_lost, "a gap that no recorder would write" },
    [MRL_FRAME_END] = { take_end, "its last frame counts other frames than there are" },
    [MRL_FRAME_STATE] = { take_state, "a state of the sensor that no recorder would write" },
    [MRL_FRAME_LOOKUP] = { take_lookup, "a container that no recorder would write" },
    [MRL_FRAME_POLICY] = { take_policy, "a policy that no recorder would write" },
    [MRL_FRAME_NAMES] = { take_names, "names that no recorder would write" },
};

static int take_payload(struct taking *taking, struct mrl_error *error)
{
    const unsigned int type = taking->frame->type;
    int err;

    if (type >= sizeof(takers) / sizeof(takers[0]) || !takers[type].take)
        return -EBADMSG;
    taking->wrong = takers[type].wrong;
    err = takers[type].take(taking);
    if (err == -ENOMEM)
        return mrl_error__set(error, err, "out of memory");
    return err < 0 ? mrl_error__set(error, -EBADMSG, "%s", taking->wrong) : 0;
}

int mrl_recorded__take(struct mrl_recorded *recorded,
                       const struct mrl_frame *frame,
                       struct mrl_batch *batch,
                       struct mrl_error *error)
{
    struct taking taking = { .recorded = recorded, .frame = frame, .batch = batch };
    int err = recorded->has_end
                  ? mrl_error__set(error, -EBADMSG, "there is more after its last frame")
                  : take_payload(&taking, error);

    recorded->totals.frames++;
    recorded->totals.records += frame->type == MRL_FRAME_RECORD;
    recorded->totals.gaps += frame->type == MRL_FRAME_LOST;
    return err;
}

void mrl_recorded__done(struct mrl_recorded *recorded)
{
    mrl_containers__clear(&recorded->containers);
    mrl_policies__unref(recorded->policies);
    recorded->policies = NULL;
}
