// SPDX-License-Identifier: Apache-2.0
/* What became of the sensor, as an event and as bytes. It names no task. */
#include "event/state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
    [MRL_WHAT_STARTED] = "started",
    [MRL_WHAT_ALIVE] = "alive",
    [MRL_WHAT_STOPPED] = "stopped",
    [MRL_WHAT_EVENT_ENABLED] = "event_enabled",
    [MRL_WHAT_EVENT_DISABLED] = "event_disabled",
    [MRL_WHAT_RELOADED] = "reloaded",
    [MRL_WHAT_CLOCK_SET] = "clock_set",
    [MRL_WHAT_LOG_LEVEL] = "log_level",
    [MRL_WHAT_SIDE_DIED] = "side_died",
    [MRL_WHAT_ADOPTED] = "adopted",
    [MRL_WHAT_BLIND] = "blind",
    [MRL_WHAT_LOW_SPACE] = "low_space",
    [MRL_WHAT_SEALED] = "sealed",
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

const char *mrl_what_name(unsigned int what)
{
    return what < WORD_COUNT ? words[what] : NULL;
}

size_t mrl_state__put_detail(const char *run, const char *more, char detail[MRL_STATE_DETAIL_MAX])
{
    bool has_more = more && *more;
    int size = snprintf(detail, MRL_STATE_DETAIL_MAX, "run=%s%s%s", run, has_more ? "; " : "",
                        has_more ? more : "");

    return size < MRL_STATE_DETAIL_MAX ? (size_t)size : MRL_STATE_DETAIL_MAX - 1;
}

/* -- as an event ------------------------------------------------------------------------------ */

void mrl_state__event(const struct mrl_state *state,
                      struct mrl_value values[MRL_SENSOR_STATE_FIELDS],
                      struct mrl_event *ret_event)
{
    const struct mrl_raw raw = { .state = state };

    mrl_raw__make_event(&raw, MRL_EVENT_SENSOR_STATE, state->time_ns, values, ret_event);
}

void mrl_state__append(const struct mrl_state *state, struct mrl_batch *batch)
{
    struct mrl_state *copy = mrl_arena__take(&batch->arena, sizeof(*copy));
    struct mrl_value *values =
        mrl_arena__take(&batch->arena, MRL_SENSOR_STATE_FIELDS * sizeof(*values));
    char *detail = mrl_arena__take(&batch->arena, MRL_STATE_DETAIL_MAX);

    assert(copy && values && detail);
    *copy = *state;
    memcpy(detail, state->detail.bytes, state->detail.size);
    copy->detail.bytes = detail;
    mrl_state__event(copy, values, &batch->events[batch->count++]);
}

/* The fields; a raw event that is no state has none of them. */

void mrl_value__state_what(const struct mrl_raw *raw, struct mrl_value *value)
{
    const char *word = raw->state ? words[raw->state->what] : NULL;

    value->absent = !word;
    if (word)
        value->text = (struct mrl_text){ word, strlen(word) };
}

void mrl_value__state_detail(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->state;
    if (raw->state)
        value->text = raw->state->detail;
}

static void put_id(const struct mrl_raw *raw, int64_t id, struct mrl_value *value)
{
    value->absent = !raw->state || id < 0;
    if (!value->absent)
        value->number = (int32_t)id;
}

void mrl_value__state_by_uid(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_id(raw, raw->state ? raw->state->by_uid : -1, value);
}

void mrl_value__state_by_pid(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_id(raw, raw->state ? raw->state->by_pid : -1, value);
}

void mrl_value__state_so_far(const struct mrl_raw *raw, struct mrl_value *value)
{
    value->absent = !raw->state;
    if (raw->state)
        value->unsigned_number = raw->state->events_so_far;
}

static void put_time(const struct mrl_raw *raw, uint64_t ns, struct mrl_value *value)
{
    value->absent = !raw->state || (!raw->state->from_ns && !raw->state->to_ns);
    if (!value->absent)
        value->unsigned_number = ns;
}

void mrl_value__state_from(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_time(raw, raw->state ? raw->state->from_ns : 0, value);
}

void mrl_value__state_to(const struct mrl_raw *raw, struct mrl_value *value)
{
    put_time(raw, raw->state ? raw->state->to_ns : 0, value);
}

/* -- as bytes --------------------------------------------------------------------------------- */

size_t mrl_state__pack(const struct mrl_state *state, void *at)
{
    struct mrl_packed_state packed = {
        .time_ns = state->time_ns,
        .from_ns = state->from_ns,
        .to_ns = state->to_ns,
        .events_so_far = state->events_so_far,
        .by_uid = state->by_uid,
        .by_pid = state->by_pid,
    };

    memcpy(packed.what, words[state->what], strlen(words[state->what]));
    memcpy(at, &packed, sizeof(packed));
    memcpy((char *)at + sizeof(packed), state->detail.bytes, state->detail.size);
    return sizeof(packed) + state->detail.size;
}

int mrl_state__unpack(const void *bytes, size_t size, struct mrl_state *ret_state)
{
    struct mrl_packed_state packed;
    unsigned int what = 0;

    if (size < sizeof(packed) || size > MRL_PACKED_STATE_MAX)
        return -EBADMSG;
    memcpy(&packed, bytes, sizeof(packed));
    while (what < WORD_COUNT && strncmp(packed.what, words[what], sizeof(packed.what)) != 0)
        what++;
    if (what == WORD_COUNT || packed.by_uid < -1 || packed.by_uid > UINT32_MAX ||
        packed.by_pid < -1 || packed.by_pid > INT32_MAX)
        return -EBADMSG;
    *ret_state = (struct mrl_state){
        .what = (enum mrl_what)what,
        .detail = { (const char *)bytes + sizeof(packed), size - sizeof(packed) },
        .by_uid = packed.by_uid,
        .by_pid = packed.by_pid,
        .events_so_far = packed.events_so_far,
        .from_ns = packed.from_ns,
        .to_ns = packed.to_ns,
        .time_ns = packed.time_ns,
    };
    return 0;
}
