// SPDX-License-Identifier: Apache-2.0
/* The capture format: making and checking headers and frames. */
#include "event/capture_format.h"

#include <elf.h>
#include <errno.h>
#include <libdeflate.h>
#include <string.h>

#include "event/state.h"

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#endif

enum { BYTE_ORDER_MARK = 0x01020304 };

static uint32_t checksum(const void *bytes, size_t size)
{
    return libdeflate_crc32(0, bytes, size);
}

/* -- header ----------------------------------------------------------------------------------- */

static uint32_t add_text(uint32_t crc, const char *text)
{
    return libdeflate_crc32(crc, text, strlen(text) + 1);
}

static uint32_t names_checksum(unsigned int events)
{
    uint32_t crc = 0;

    for (unsigned int i = 0; i < events; i++)
        crc = add_text(crc, mrl_event_def__at(i)->name);
    return crc;
}

static uint32_t versions_checksum(unsigned int events)
{
    uint32_t crc = 0;

    for (unsigned int i = 0; i < events; i++)
        crc = add_text(crc, mrl_event_def__at(i)->version);
    return crc;
}

void mrl_capture__header(struct mrl_capture_header *ret_header)
{
    *ret_header = (struct mrl_capture_header){
        .byte_order = BYTE_ORDER_MARK,
        .version = MRL_CAPTURE_VERSION,
        .record_version = MRL_RECORD_VERSION,
        .machine = MACHINE,
        .event_count = MRL_EVENT_COUNT,
        .names_crc = names_checksum(MRL_EVENT_COUNT),
        .versions_crc = versions_checksum(MRL_EVENT_COUNT),
    };
    memcpy(ret_header->magic, MRL_CAPTURE_MAGIC, sizeof(ret_header->magic));
    ret_header->crc = checksum(ret_header, offsetof(struct mrl_capture_header, crc));
}

static const char *machine_name(unsigned int machine)
{
    return machine == EM_X86_64 ? "x86-64" : machine == EM_AARCH64 ? "arm64" : "another machine";
}

static int check_table(const struct mrl_capture_header *header, struct mrl_error *error)
{
    if (header->event_count > MRL_EVENT_COUNT)
        return mrl_error__set(error, -EOPNOTSUPP,
                              "it was recorded by a newer version, which knows %u events; this one "
                              "knows %d",
                              header->event_count, MRL_EVENT_COUNT);
    if (header->names_crc != names_checksum(header->event_count))
        return mrl_error__set(error, -EOPNOTSUPP,
                              "it was recorded with another event table; replay it with the "
                              "version that recorded it");
    return 0;
}

int mrl_capture__check(const struct mrl_capture_header *header,
                       bool *ret_versions_differ,
                       struct mrl_error *error)
{
    int err;

    if (memcmp(header->magic, MRL_CAPTURE_MAGIC, sizeof(header->magic)) != 0)
        return mrl_error__set(error, -EBADMSG,
                              "it is no capture ('verify' and 'validate' read lines of JSON)");
    if (header->byte_order != BYTE_ORDER_MARK)
        return mrl_error__set(error, -EOPNOTSUPP, "its byte order is another one");
    if (header->version < MRL_CAPTURE_VERSION_OLDEST || header->version > MRL_CAPTURE_VERSION)
        return mrl_error__set(error, -EOPNOTSUPP, "its format has version %u, this is version %d",
                              header->version, MRL_CAPTURE_VERSION);
    if (header->crc != checksum(header, offsetof(struct mrl_capture_header, crc)))
        return mrl_error__set(error, -EBADMSG, "its header is damaged");
    if (header->record_version < MRL_RECORD_VERSION_OLDEST ||
        header->record_version > MRL_RECORD_VERSION)
        return mrl_error__set(error, -EOPNOTSUPP, "its records have version %u, this is version %d",
                              header->record_version, MRL_RECORD_VERSION);
    if (header->machine != MACHINE)
        return mrl_error__set(error, -EOPNOTSUPP, "it was recorded on %s, this is %s",
                              machine_name(header->machine), machine_name(MACHINE));
    err = check_table(header, error);
    if (!err)
        *ret_versions_differ = header->versions_crc != versions_checksum(header->event_count);
    return err;
}

/* -- frames ----------------------------------------------------------------------------------- */

char *mrl_frame__put(char *at, enum mrl_frame_type type, const void *payload, size_t size)
{
    size_t bytes = mrl_frame__bytes(size);
    char *body = at + sizeof(struct mrl_frame_header);
    struct mrl_frame_header header = { .type = type, .size = (uint32_t)size };

    memset(at + bytes - MRL_CAPTURE_ALIGN, 0, MRL_CAPTURE_ALIGN); /* the padding is in there */
    memcpy(body, payload, size);
    header.payload_crc = checksum(body, bytes - sizeof(header));
    header.header_crc = checksum(&header, offsetof(struct mrl_frame_header, header_crc));
    memcpy(at, &header, sizeof(header));
    return at + bytes;
}

/* The smallest and largest payload of each type. */
static bool is_possible(uint32_t type, uint32_t size)
{
    static const struct {
        uint32_t min, max;
    } sizes[] = {
        [MRL_FRAME_HOST] = { sizeof(struct mrl_frame_host), sizeof(struct mrl_frame_host) },
        [MRL_FRAME_CONTAINER] = { sizeof(uint64_t), MRL_FRAME_PAYLOAD_MAX },
        [MRL_FRAME_RECORD] = { sizeof(struct mrl_record), MRL_RECORD_BYTES_MAX },
        [MRL_FRAME_LOST] = { MRL_FRAME_LOST_BYTES, sizeof(struct mrl_frame_lost) },
        [MRL_FRAME_END] = { sizeof(struct mrl_frame_end), sizeof(struct mrl_frame_end) },
        [MRL_FRAME_STATE] = { sizeof(struct mrl_packed_state), MRL_PACKED_STATE_MAX },
        [MRL_FRAME_LOOKUP] = { sizeof(struct mrl_frame_lookup), sizeof(struct mrl_frame_lookup) },
        [MRL_FRAME_POLICY] = { sizeof(struct mrl_frame_policy), MRL_FRAME_POLICY_MAX },
        [MRL_FRAME_NAMES] = { sizeof(struct mrl_frame_names), MRL_FRAME_NAMES_MAX },
    };

    return type >= MRL_FRAME_HOST && type <= MRL_FRAME_NAMES && size >= sizes[type].min &&
           size <= sizes[type].max;
}

ssize_t mrl_frame__parse(const void *bytes,
                         size_t size,
                         struct mrl_frame *ret_frame,
                         struct mrl_error *error)
{
    const struct mrl_frame_header *header = bytes;
    size_t whole;

    if (size < sizeof(*header))
        return 0;
    if (header->header_crc != checksum(header, offsetof(struct mrl_frame_header, header_crc)))
        return mrl_error__set(error, -EBADMSG, "the checksum of a frame's header is wrong");
    if (!is_possible(header->type, header->size))
        return mrl_error__set(error, -EBADMSG, "a frame of type %u and %u bytes is impossible",
                              header->type, header->size);
    whole = mrl_frame__bytes(header->size);
    if (size < whole)
        return 0;
    if (header->payload_crc != checksum(header + 1, whole - sizeof(*header)))
        return mrl_error__set(error, -EBADMSG, "the checksum of a frame is wrong");
    *ret_frame = (struct mrl_frame){ (enum mrl_frame_type)header->type, header + 1, header->size };
    return (ssize_t)whole;
}

/* -- names ------------------------------------------------------------------------------------ */

size_t mrl_frame_names__put(uint64_t cgroup, const struct mrl_named *named, char *ret_frame)
{
    struct mrl_frame_names frame = { .cgroup = cgroup,
                                     .result = (uint8_t)named->result,
                                     .runtime = (uint8_t)named->runtime,
                                     .is_sandbox = named->is_sandbox };
    char *at = ret_frame + sizeof(frame);
    size_t room = MRL_NAMES_BYTES_MAX;

    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        size_t size = named->texts[i].size < room ? named->texts[i].size : room;

        if (size)
            memcpy(at, named->texts[i].bytes, size);
        frame.sizes[i] = (uint16_t)size;
        at += size;
        room -= size;
    }
    memcpy(ret_frame, &frame, sizeof(frame));
    return (size_t)(at - ret_frame);
}

/* The texts of a frame, which fill the `size` bytes behind it. */
static bool read_texts(const struct mrl_frame_names *frame,
                       const char *texts,
                       size_t size,
                       struct mrl_named *named)
{
    size_t used = 0;

    for (unsigned int i = 0; i < MRL_NAMES; i++) {
        named->texts[i] = (struct mrl_text){ frame->sizes[i] ? texts + used : "", frame->sizes[i] };
        used += frame->sizes[i];
    }
    return used == size;
}

int mrl_frame_names__read(const void *bytes,
                          size_t size,
                          uint64_t *ret_cgroup,
                          struct mrl_named *ret_named)
{
    struct mrl_named named = { .result = MRL_NAMES_OFF };
    struct mrl_frame_names frame;

    if (size < sizeof(frame) || size > MRL_FRAME_NAMES_MAX)
        return -EBADMSG;
    memcpy(&frame, bytes, sizeof(frame));
    if (frame.result >= MRL_NAMES_RESULTS || frame.runtime >= MRL_RUNTIMES ||
        frame.is_sandbox > 1 ||
        !read_texts(&frame, (const char *)bytes + sizeof(frame), size - sizeof(frame), &named))
        return -EBADMSG;
    named.result = (enum mrl_names_result)frame.result;
    named.runtime = (enum mrl_runtime)frame.runtime;
    named.is_sandbox = frame.is_sandbox;
    *ret_cgroup = frame.cgroup;
    *ret_named = named;
    return 0;
}

/* -- gaps ------------------------------------------------------------------------------------- */

size_t mrl_frame_lost__put(const struct mrl_lost *lost, struct mrl_frame_lost *ret_frame)
{
    struct mrl_text cause = mrl_cause__name(lost->cause);

    *ret_frame = (struct mrl_frame_lost){ .count = lost->count,
                                          .from_ns = lost->from_ns,
                                          .to_ns = lost->to_ns,
                                          .event = lost->event->index };
    memcpy(ret_frame->cause, cause.bytes, cause.size);
    if (!lost->by.is_known)
        return MRL_FRAME_LOST_BYTES;
    ret_frame->by_uid = lost->by.uid;
    ret_frame->by_cgroup = lost->by.latest.cgroup_id;
    memcpy(ret_frame->by_comm, lost->by.latest.comm, MRL_NAME_BYTES);
    return sizeof(*ret_frame);
}

int mrl_frame_lost__read(const struct mrl_frame_lost *frame, size_t size, struct mrl_lost *ret_lost)
{
    enum mrl_cause cause = mrl_cause__find(frame->cause, sizeof(frame->cause));

    if ((size != MRL_FRAME_LOST_BYTES && size != sizeof(*frame)) ||
        frame->event >= MRL_EVENT_COUNT || cause == MRL_CAUSE_COUNT || !frame->count)
        return -EBADMSG;
    *ret_lost = (struct mrl_lost){ .event = mrl_event_def__at(frame->event),
                                   .count = frame->count,
                                   .cause = cause,
                                   .from_ns = frame->from_ns,
                                   .to_ns = frame->to_ns };
    if (size == MRL_FRAME_LOST_BYTES)
        return 0;
    ret_lost->by.is_known = true;
    ret_lost->by.uid = frame->by_uid;
    ret_lost->by.latest.cgroup_id = frame->by_cgroup;
    memcpy(ret_lost->by.latest.comm, frame->by_comm, MRL_NAME_BYTES);
    return 0;
}
