// SPDX-License-Identifier: Apache-2.0
/* Payloads: writing and reading them. */
#include "falco/payload.h"

#include <errno.h>
#include <string.h>

#include "event/decode.h"
#include "event/host.h"
#include "event/layout.h"
#include "event/lost.h"
#include "event/state.h"

/* What the header of all payloads of this library is. Several threads may be the first to ask. */
static struct mrl_capture_header own_header;
static pthread_once_t own_header_once = PTHREAD_ONCE_INIT;

static void make_own_header(void)
{
    mrl_capture__header(&own_header);
}

static const struct mrl_capture_header *header_of_ours(void)
{
    pthread_once(&own_header_once, make_own_header);
    return &own_header;
}

/* -- writing ---------------------------------------------------------------------------------- */

/* The container of the target, where the event names a target in another cgroup. */
static struct mrl_text target_container(const struct mrl_event *event, const struct mrl_raw *raw)
{
    const struct mrl_text none = { "", 0 };
    struct mrl_layout_field field;
    struct mrl_value value;

    if (!raw->target || raw->target->cgroup_id == event->cgroup_id ||
        !mrl_layout__find(event->def, "target_container_id", &field))
        return none;
    value = mrl_layout_value(&field, event);
    return value.absent ? none : value.text;
}

static char *put(char *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static size_t put_all(char *at,
                      struct mrl_payload *payload,
                      const void *body,
                      struct mrl_text caller,
                      struct mrl_text target)
{
    char *end = at;

    payload->caller_container_size =
        (uint8_t)(caller.size < MRL_CONTAINER_BYTES ? caller.size : MRL_CONTAINER_BYTES);
    payload->target_container_size =
        (uint8_t)(target.size < MRL_CONTAINER_BYTES ? target.size : MRL_CONTAINER_BYTES);
    end = put(end, payload, sizeof(*payload));
    end = put(end, body, payload->body_size);
    end = put(end, caller.size ? caller.bytes : "", payload->caller_container_size);
    end = put(end, target.size ? target.bytes : "", payload->target_container_size);
    return (size_t)(end - at);
}

static uint16_t pack_lookup(enum mrl_lookup lookup, bool confirmed)
{
    return (uint16_t)((lookup + 1U) | (confirmed ? MRL_PAYLOAD_CONFIRMED : 0U));
}

static size_t put_record(char *at, struct mrl_payload *payload, const struct mrl_event *event)
{
    struct mrl_raw raw = { .record = NULL };

    if (mrl_decode__check(event->raw, event->raw_size, &raw))
        return 0;
    payload->kind = MRL_PAYLOAD_RECORD;
    payload->caller_lookup = pack_lookup(event->lookup, event->container_confirmed);
    payload->target_lookup = pack_lookup(event->target_lookup, event->target_confirmed);
    payload->body_size = (uint32_t)event->raw_size;
    payload->host = (struct mrl_frame_host){
        .boot_ns = event->host->boot_ns,
        .page_bytes = event->host->page_bytes,
        .cpus = event->host->cpus,
        .cgroup_v1 = event->host->cgroup_v1,
    };
    return put_all(at, payload, event->raw, event->container_id, target_container(event, &raw));
}

static size_t put_lost(char *at, struct mrl_payload *payload, const struct mrl_event *event)
{
    const struct mrl_text none = { "", 0 };
    struct mrl_frame_lost frame;

    if (!event->lost)
        return 0;
    payload->kind = MRL_PAYLOAD_LOST;
    payload->body_size = (uint32_t)mrl_frame_lost__put(event->lost, &frame);
    return put_all(at, payload, &frame, none, none);
}

static size_t put_state(char *at, struct mrl_payload *payload, const struct mrl_event *event)
{
    const struct mrl_text none = { "", 0 };
    char packed[MRL_PACKED_STATE_MAX];

    payload->kind = MRL_PAYLOAD_STATE;
    payload->body_size = (uint32_t)mrl_state__pack(event->state, packed);
    return put_all(at, payload, packed, none, none);
}

size_t mrl_payload__put(void *at, const struct mrl_event *event, uint32_t failures)
{
    struct mrl_payload payload = { .header = *header_of_ours(), .failures = failures };

    if (event->state)
        return put_state(at, &payload, event);
    return event->raw ? put_record(at, &payload, event) : put_lost(at, &payload, event);
}

size_t mrl_payload__add_run(void *at, size_t size, const struct mrl_event *event)
{
    const uint16_t kind = MRL_PAYLOAD_RECORD | MRL_PAYLOAD_HAS_RUN;

    if (!size || !event->raw || strlen(event->run) != MRL_PAYLOAD_RUN_BYTES)
        return size;
    memcpy((char *)at + offsetof(struct mrl_payload, kind), &kind, sizeof(kind));
    memcpy((char *)at + size, event->run, MRL_PAYLOAD_RUN_BYTES);
    return size + MRL_PAYLOAD_RUN_BYTES;
}

size_t mrl_payload__add_names(void *at, size_t size, const struct mrl_event *event)
{
    const struct mrl_named *named[] = { event->named, event->target_named };
    uint16_t kind, sizes[2] = { 0, 0 };
    char *end = (char *)at + size;

    if (!size || (!named[0] && !named[1]))
        return size;
    memcpy(&kind, (char *)at + offsetof(struct mrl_payload, kind), sizeof(kind));
    kind |= MRL_PAYLOAD_HAS_NAMES;
    memcpy((char *)at + offsetof(struct mrl_payload, kind), &kind, sizeof(kind));
    for (unsigned int i = 0; i < 2; i++) {
        sizes[i] = named[i] ? (uint16_t)mrl_frame_names__put(0, named[i], end) : 0;
        end += sizes[i];
    }
    memcpy(end, sizes, sizeof(sizes));
    return (size_t)(end + sizeof(sizes) - (char *)at);
}

/* -- reading ---------------------------------------------------------------------------------- */

static int check_header(const struct mrl_capture_header *header, struct mrl_error *error)
{
    bool differ;

    if (!memcmp(header, header_of_ours(), sizeof(*header)))
        return 0;
    return mrl_capture__check(header, &differ, error);
}

/* The containers of caller and target, which came along with the record. */
enum { KNOWN_COUNT = 2 };

struct known_container {
    uint64_t cgroup;
    struct mrl_membership found;
};

static struct mrl_membership find_known(void *containers, uint64_t cgroup)
{
    const struct known_container *known = containers;

    for (unsigned int i = 0; i < KNOWN_COUNT; i++)
        if (known[i].cgroup == cgroup)
            return known[i].found;
    return (struct mrl_membership){ .id = { "", 0 } };
}

/* What an older version wrote says nothing: then an id is known, and no id is the host. */
static struct mrl_membership unpack_lookup(uint16_t packed, struct mrl_text id)
{
    unsigned int lookup = (packed & ~(unsigned int)MRL_PAYLOAD_CONFIRMED) - 1;

    if (lookup >= MRL_LOOKUP_COUNT)
        lookup = id.size ? MRL_LOOKUP_KNOWN : MRL_LOOKUP_HOST;
    return (struct mrl_membership){ .id = id,
                                    .lookup = (enum mrl_lookup)lookup,
                                    .confirmed = (packed & MRL_PAYLOAD_CONFIRMED) != 0 };
}

/* What is no run has no digit for an id to be made of. */
static bool is_run(const char *text)
{
    for (size_t i = 0; i < MRL_PAYLOAD_RUN_BYTES; i++)
        if (i == MRL_PAYLOAD_RUN_BYTES / 2 ? text[i] != '-'
                                           : !text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
    return true;
}

/* The run at the end of `size` bytes of a payload, which end before it then. -EBADMSG: no run. */
static int take_run(struct mrl_reader *reader, size_t *size)
{
    struct mrl_payload *head = (void *)reader->bytes;
    const char *run = reader->bytes + *size - MRL_PAYLOAD_RUN_BYTES;

    *reader->batch.run = '\0';
    if (!(head->kind & MRL_PAYLOAD_HAS_RUN))
        return 0;
    if (*size < sizeof(*head) + MRL_PAYLOAD_RUN_BYTES || !is_run(run))
        return -EBADMSG;
    memcpy(reader->batch.run, run, MRL_PAYLOAD_RUN_BYTES);
    reader->batch.run[MRL_PAYLOAD_RUN_BYTES] = '\0';
    head->kind = (uint16_t)(head->kind & ~MRL_PAYLOAD_HAS_RUN);
    *size -= MRL_PAYLOAD_RUN_BYTES;
    return 0;
}

/* The names at the end of `size` bytes of a payload, as the run. */
static int take_names(struct mrl_reader *reader, size_t *size)
{
    struct mrl_payload *head = (void *)reader->bytes;
    uint16_t sizes[2];
    uint64_t ignored;

    reader->has_names[0] = reader->has_names[1] = false;
    if (!(head->kind & MRL_PAYLOAD_HAS_NAMES))
        return 0;
    if (*size < sizeof(*head) + sizeof(sizes))
        return -EBADMSG;
    *size -= sizeof(sizes);
    memcpy(sizes, reader->bytes + *size, sizeof(sizes));
    head->kind = (uint16_t)(head->kind & ~MRL_PAYLOAD_HAS_NAMES);
    for (unsigned int i = 2; i-- > 0; *size -= sizes[i]) {
        if (*size < sizeof(*head) + sizes[i])
            return -EBADMSG;
        reader->has_names[i] = sizes[i];
        if (sizes[i] && mrl_frame_names__read(reader->bytes + *size - sizes[i], sizes[i], &ignored,
                                              &reader->names[i]))
            return -EBADMSG;
    }
    return 0;
}

static const struct mrl_event *name_event(struct mrl_reader *reader)
{
    struct mrl_event *event = &reader->batch.events[0];

    event->run = reader->batch.run;
    if (*event->run)
        event->id = (struct mrl_text){ reader->id, mrl_event__id(event, reader->id) };
    return event;
}

static const struct mrl_event *read_record(struct mrl_reader *reader,
                                           const struct mrl_payload *payload,
                                           struct mrl_error *error)
{
    const struct mrl_record *record = (const void *)(reader->bytes + sizeof(*payload));
    const char *containers = (const char *)record + payload->body_size;
    struct mrl_raw raw;
    int err = mrl_decode__check(record, payload->body_size, &raw);
    struct known_container known[KNOWN_COUNT];
    struct mrl_host host = {
        .facts = { payload->host.boot_ns, payload->host.page_bytes, payload->host.cpus,
                   payload->host.cgroup_v1 },
        .container = find_known,
        .containers = known,
    };

    if (!err) {
        known[0] = (struct known_container){
            record->cgroup_id,
            unpack_lookup(payload->caller_lookup,
                          (struct mrl_text){ containers, payload->caller_container_size })
        };
        known[1] = (struct known_container){
            raw.target ? raw.target->cgroup_id : record->cgroup_id,
            unpack_lookup(payload->target_lookup,
                          (struct mrl_text){ containers + payload->caller_container_size,
                                             payload->target_container_size })
        };
        for (unsigned int i = 0; i < KNOWN_COUNT; i++)
            known[i].found.named = reader->has_names[i] ? &reader->names[i] : NULL;
        err = mrl_decode__append(record, payload->body_size, &host, &reader->batch);
    }
    if (!err)
        return name_event(reader);
    mrl_error__set(error, err, "the payload holds no valid record");
    return NULL;
}

static const struct mrl_event *read_lost(struct mrl_reader *reader,
                                         const struct mrl_payload *payload,
                                         struct mrl_error *error)
{
    const struct mrl_frame_lost *frame = (const void *)(reader->bytes + sizeof(*payload));
    struct mrl_lost lost;

    if (mrl_frame_lost__read(frame, payload->body_size, &lost)) {
        mrl_error__set(error, -EBADMSG, "the payload holds a gap that nobody would write");
        return NULL;
    }
    mrl_lost__append(&lost, &reader->batch);
    return mrl_batch__at(&reader->batch, 0);
}

static const struct mrl_event *read_state(struct mrl_reader *reader,
                                          const struct mrl_payload *payload,
                                          struct mrl_error *error)
{
    struct mrl_state state;

    if (mrl_state__unpack(reader->bytes + sizeof(*payload), payload->body_size, &state)) {
        mrl_error__set(error, -EBADMSG, "the payload holds a state that nobody would write");
        return NULL;
    }
    mrl_state__append(&state, &reader->batch);
    return mrl_batch__at(&reader->batch, 0);
}

const struct mrl_event *mrl_reader__read(struct mrl_reader *reader,
                                         const void *payload,
                                         size_t size,
                                         struct mrl_error *error)
{
    const struct mrl_payload *head = (const void *)reader->bytes;
    struct mrl_batch *batch = &reader->batch;

    batch->count = 0;
    batch->arena = (struct mrl_arena){ .bytes = batch->bytes, .size = sizeof(batch->bytes) };
    if (size < sizeof(*head) || size > sizeof(reader->bytes)) {
        mrl_error__set(error, -EBADMSG, "a payload of %zu bytes is none of ours", size);
        return NULL;
    }
    memcpy(reader->bytes, payload, size);
    if (check_header(&head->header, error))
        return NULL;
    if (take_names(reader, &size) || take_run(reader, &size) ||
        size - sizeof(*head) !=
            (size_t)head->body_size + head->caller_container_size + head->target_container_size ||
        head->caller_container_size > MRL_CONTAINER_BYTES ||
        head->target_container_size > MRL_CONTAINER_BYTES) {
        mrl_error__set(error, -EBADMSG, "the payload is torn");
        return NULL;
    }
    reader->failures = head->failures;
    if (head->kind == MRL_PAYLOAD_RECORD)
        return read_record(reader, head, error);
    if (head->kind == MRL_PAYLOAD_LOST)
        return read_lost(reader, head, error);
    if (head->kind == MRL_PAYLOAD_STATE)
        return read_state(reader, head, error);
    mrl_error__set(error, -EBADMSG, "the payload is of kind %u, which this version does not know",
                   head->kind);
    return NULL;
}
