// SPDX-License-Identifier: Apache-2.0
/*
 * The format "capture": records as they came. An event may be dropped behind the encoder's back, so
 * it remembers nothing: each record comes with the facts of its host and the containers of its
 * cgroups, and the sink leaves out what its file says already.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "encode/encoder.h"
#include "enrich/cgroups.h"
#include "event/capture_format.h"
#include "event/decode.h"
#include "event/host.h"
#include "event/lost.h"
#include "event/state.h"

struct capture_encoder {
    struct mrl_encoder encoder;
    struct mrl_capture_header header;
    /* Per event, the field that holds the target's container; field_count: none does. */
    unsigned int target_containers[MRL_EVENT_COUNT];
};

_Static_assert(8 * sizeof(struct mrl_frame_header) + sizeof(struct mrl_frame_host) +
                       2 * (sizeof(uint64_t) + MRL_CONTAINER_BYTES) +
                       2 * sizeof(struct mrl_frame_lookup) + MRL_RECORD_BYTES_MAX +
                       8 * MRL_CAPTURE_ALIGN + 2 * MRL_FRAME_NAMES_MAX + MRL_POLICY_NAMES_MAX +
                       MRL_POLICIES_MAX * (sizeof(struct mrl_frame_header) +
                                           sizeof(struct mrl_frame_policy) + MRL_CAPTURE_ALIGN) <
                   MRL_EVENT_TEXT_MAX,
               "an event fits its room");

static unsigned int target_container_field(unsigned int event)
{
    const struct mrl_from *from = mrl_event_def__from(event);
    unsigned int count = mrl_event_def__at(event)->field_count, i = 0;

    while (i < count &&
           (from[i].where != MRL_FROM_FUNCTION || from[i].compute != mrl_value__target_container))
        i++;
    return i;
}

static int capture_init(struct mrl_encoder *encoder, const struct mrl_encoder_options *options)
{
    struct capture_encoder *capture = (struct capture_encoder *)encoder;

    (void)options;
    mrl_capture__header(&capture->header);
    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        capture->target_containers[i] = target_container_field(i);
    return 0;
}

static struct mrl_text capture_preamble(const struct mrl_encoder *encoder)
{
    const struct capture_encoder *capture = (const struct capture_encoder *)encoder;

    return (struct mrl_text){ (const char *)&capture->header, sizeof(capture->header) };
}

/* -- a record --------------------------------------------------------------------------------- */

static void put_host(struct mrl_writer *writer, const struct mrl_host_facts *facts)
{
    const struct mrl_frame_host host = {
        .boot_ns = facts->boot_ns,
        .page_bytes = facts->page_bytes,
        .cpus = facts->cpus,
        .cgroup_v1 = facts->cgroup_v1,
    };

    writer->at = mrl_frame__put(writer->at, MRL_FRAME_HOST, &host, sizeof(host));
}

/* Also that there is none: the file may say otherwise. */
static void put_container(struct mrl_writer *writer,
                          uint64_t cgroup,
                          const struct mrl_membership *found)
{
    const struct mrl_frame_lookup lookup = { cgroup, found->lookup, found->confirmed };
    char payload[sizeof(cgroup) + MRL_CONTAINER_BYTES];
    size_t size = found->id.size < MRL_CONTAINER_BYTES ? found->id.size : MRL_CONTAINER_BYTES;

    memcpy(payload, &cgroup, sizeof(cgroup));
    memcpy(payload + sizeof(cgroup), found->id.bytes, size);
    writer->at = mrl_frame__put(writer->at, MRL_FRAME_CONTAINER, payload, sizeof(cgroup) + size);
    writer->at = mrl_frame__put(writer->at, MRL_FRAME_LOOKUP, &lookup, sizeof(lookup));
}

static void put_names(struct mrl_writer *writer, uint64_t cgroup, const struct mrl_named *named)
{
    char frame[MRL_FRAME_NAMES_MAX];

    if (named)
        writer->at = mrl_frame__put(writer->at, MRL_FRAME_NAMES, frame,
                                    mrl_frame_names__put(cgroup, named, frame));
}

static void put_policy(struct mrl_writer *writer, unsigned int bit, struct mrl_text name)
{
    const struct mrl_frame_policy policy = { .bit = bit };
    char payload[MRL_FRAME_POLICY_MAX];

    memcpy(payload, &policy, sizeof(policy));
    memcpy(payload + sizeof(policy), name.bytes, name.size);
    writer->at = mrl_frame__put(writer->at, MRL_FRAME_POLICY, payload, sizeof(policy) + name.size);
}

/* Those that want the event. Where there was never more than the one without a name, nothing. */
static void put_policies(struct mrl_writer *writer, const struct mrl_event *event)
{
    struct mrl_text names[MRL_POLICIES_MAX];
    uint64_t left = event->policies;
    unsigned int count;

    if (!event->all_policies && event->generation <= 1)
        return;
    count = mrl_event__policies(event, names);
    for (unsigned int i = 0; left && i < count; i++, left &= left - 1)
        put_policy(writer, (unsigned int)__builtin_ctzll(left), names[i]);
}

static void put_record(const struct capture_encoder *capture,
                       const struct mrl_event *event,
                       struct mrl_writer *writer)
{
    unsigned int field = capture->target_containers[event->def->index];
    struct mrl_raw parts = { .record = NULL };
    struct mrl_membership caller, target;

    if (mrl_decode__check(event->raw, event->raw_size, &parts))
        return; /* made by hand, and no record */
    put_host(writer, event->host);
    caller = (struct mrl_membership){ .id = event->container_id,
                                      .lookup = event->lookup,
                                      .confirmed = event->container_confirmed };
    put_container(writer, event->cgroup_id, &caller);
    put_names(writer, event->cgroup_id, event->named);
    if (parts.target && field < event->def->field_count &&
        parts.target->cgroup_id != event->cgroup_id) {
        target = (struct mrl_membership){ .id = event->values[field].text,
                                          .lookup = event->target_lookup,
                                          .confirmed = event->target_confirmed };
        put_container(writer, parts.target->cgroup_id, &target);
        put_names(writer, parts.target->cgroup_id, event->target_named);
    }
    put_policies(writer, event);
    writer->at = mrl_frame__put(writer->at, MRL_FRAME_RECORD, event->raw, event->raw_size);
}

/* -- what has no record ----------------------------------------------------------------------- */

static void put_lost(const struct mrl_event *event, struct mrl_writer *writer)
{
    struct mrl_frame_lost frame;
    size_t size = mrl_frame_lost__put(event->lost, &frame);

    writer->at = mrl_frame__put(writer->at, MRL_FRAME_LOST, &frame, size);
}

static void put_state(const struct mrl_event *event, struct mrl_writer *writer)
{
    char packed[MRL_PACKED_STATE_MAX];
    size_t size = mrl_state__pack(event->state, packed);

    writer->at = mrl_frame__put(writer->at, MRL_FRAME_STATE, packed, size);
}

/* -- the format ------------------------------------------------------------------------------- */

static void capture_put(struct mrl_encoder *encoder,
                        const struct mrl_event *event,
                        struct mrl_writer *writer)
{
    if (event->raw)
        put_record((const struct capture_encoder *)encoder, event, writer);
    else if (event->lost)
        put_lost(event, writer);
    else if (event->state)
        put_state(event, writer);
}

const struct mrl_encoder_ops mrl_capture_encoder = {
    .name = "capture",
    .bytes = sizeof(struct capture_encoder),
    .init = capture_init,
    .preamble = capture_preamble,
    .put = capture_put,
};
