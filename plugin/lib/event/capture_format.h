/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture format: records as the kernel wrote them, in checksummed frames (docs/capture.md).
 * Layout and checks only: the encoder "capture" makes frames, the sink "capture" writes them, the
 * replay source reads them. Host byte order, which on every architecture of the event table is
 * little-endian.
 */
#ifndef MRL_EVENT_CAPTURE_FORMAT_H
#define MRL_EVENT_CAPTURE_FORMAT_H

#include <abi/record.h>
#include <mrelease/event.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "event/host.h"
#include "event/raw.h"

/** Increment when a reader of the version before would misread a file, or refuse one of its frames;
 * and the oldest that is still read. */
#define MRL_CAPTURE_VERSION        2
#define MRL_CAPTURE_VERSION_OLDEST 1

/** A byte that is no text, and a newline that a conversion of text would change. */
#define MRL_CAPTURE_MAGIC "\x89MRLCAP\n"

enum {
    MRL_CAPTURE_ALIGN = 8,
    MRL_FRAME_PAYLOAD_MAX = 4096, /* a reader holds one frame; no record is larger than a third */
    MRL_LOST_CAUSE_BYTES = 32,
};

/** First in a file. The event table may have grown since: what counts is how its beginning was. */
struct mrl_capture_header {
    char magic[8];
    uint32_t byte_order; /* 0x01020304 */
    uint16_t version;    /* MRL_CAPTURE_VERSION */
    uint16_t record_version;
    uint16_t machine; /* EM_X86_64, EM_AARCH64: what the ids of calls mean */
    uint16_t reserved;
    uint32_t event_count;  /* rows of the event table */
    uint32_t names_crc;    /* of their names, each with its NUL */
    uint32_t versions_crc; /* the same of their versions */
    uint32_t reserved_too;
    uint32_t crc; /* of all before */
};

enum mrl_frame_type {
    MRL_FRAME_HOST = 1,  /* struct mrl_frame_host; forgets all containers */
    MRL_FRAME_CONTAINER, /* a cgroup's number (u64), then its container's id; empty: none any more
                          */
    MRL_FRAME_RECORD,    /* struct mrl_record and what follows it */
    MRL_FRAME_LOST,      /* struct mrl_frame_lost */
    MRL_FRAME_END,       /* struct mrl_frame_end; the last */
    MRL_FRAME_STATE,     /* struct mrl_packed_state and the detail behind it */
    MRL_FRAME_LOOKUP,    /* struct mrl_frame_lookup: more of what a container frame says */
    MRL_FRAME_POLICY,    /* struct mrl_frame_policy, then the name; since version 2 */
    MRL_FRAME_NAMES,     /* struct mrl_frame_names, then the texts; since version 2 */
};

/** Before each payload, which is padded with zeros to MRL_CAPTURE_ALIGN. */
struct mrl_frame_header {
    uint32_t type;
    uint32_t size;        /* of the payload, without padding */
    uint32_t payload_crc; /* padding included */
    uint32_t header_crc;  /* of the three above: a torn frame is then told from a damaged one */
};

/** What the fields of the records after it are computed with. */
struct mrl_frame_host {
    int64_t boot_ns;
    uint32_t page_bytes;
    uint32_t cpus;
    uint32_t cgroup_v1;
    uint32_t reserved;
};

/** How much is known of the container of a cgroup; without it: of an id nothing more, and a cgroup
 * without an id is the host's. */
struct mrl_frame_lookup {
    uint64_t cgroup;
    uint32_t lookup; /* enum mrl_lookup */
    uint32_t confirmed;
};

/** From here on, bit `bit` of mrl_judgement.policies is the policy whose name follows. A bit that
 * is never told has the empty name. */
struct mrl_frame_policy {
    uint32_t bit;
    uint32_t reserved;
};

enum { MRL_FRAME_POLICY_MAX = sizeof(struct mrl_frame_policy) + MRL_POLICY_NAME_MAX };

/** What is known of the names of the container of a cgroup that a container frame told: its texts
 * follow, in the order of enum mrl_name. Without it names were off. */
struct mrl_frame_names {
    uint64_t cgroup;
    uint8_t result;  /* enum mrl_names_result */
    uint8_t runtime; /* enum mrl_runtime */
    uint8_t is_sandbox;
    uint8_t reserved;
    uint16_t sizes[MRL_NAMES];
};

enum { MRL_FRAME_NAMES_MAX = sizeof(struct mrl_frame_names) + MRL_NAMES_BYTES_MAX };

/** Events that are missing at this place. */
struct mrl_frame_lost {
    uint64_t count;
    uint64_t from_ns, to_ns; /* since the epoch */
    uint32_t event;          /* table index */
    uint32_t reserved;
    char cause[MRL_LOST_CAUSE_BYTES]; /* filled up with NULs */
    /* Who caused most of them; only where that is known. */
    uint64_t by_cgroup;
    uint32_t by_uid;
    uint32_t reserved_too;
    char by_comm[MRL_NAME_BYTES];
};

enum { MRL_FRAME_LOST_BYTES = offsetof(struct mrl_frame_lost, by_cgroup) /* without a culprit */ };

/** How many there were. */
struct mrl_frame_end {
    uint64_t frames; /* of all types, but this one */
    uint64_t records;
    uint64_t gaps;
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "captures are little-endian");
_Static_assert(sizeof(struct mrl_capture_header) == 40, "the header is a file format");
_Static_assert(sizeof(struct mrl_frame_header) == 16, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_host) == 24, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_lookup) == 16, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_names) == 24, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_policy) == 8, "frames are a file format");
_Static_assert(MRL_FRAME_LOST_BYTES == 64, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_lost) == 96, "frames are a file format");
_Static_assert(sizeof(struct mrl_frame_end) == 24, "frames are a file format");
_Static_assert(MRL_RECORD_BYTES_MAX <= MRL_FRAME_PAYLOAD_MAX, "every record fits a frame");

/** The header of a capture by this library, on this machine. */
void mrl_capture__header(struct mrl_capture_header *ret_header);

/**
 * Whether this library can replay what follows this header. `*ret_versions_differ`: events were
 * defined otherwise when it was written; they are replayed as they are defined now. Errors:
 * -EBADMSG no capture, or damaged; -EOPNOTSUPP of another version, machine or event table.
 */
int mrl_capture__check(const struct mrl_capture_header *header,
                       bool *ret_versions_differ,
                       struct mrl_error *error);

/** Bytes of a whole frame with a payload of this size. */
static inline size_t mrl_frame__bytes(size_t payload_size)
{
    return sizeof(struct mrl_frame_header) +
           ((payload_size + MRL_CAPTURE_ALIGN - 1) & ~(size_t)(MRL_CAPTURE_ALIGN - 1));
}

/** Writes a frame to `at`, where mrl_frame__bytes(size) are free. Returns its end. */
char *mrl_frame__put(char *at, enum mrl_frame_type type, const void *payload, size_t size);

/** A frame whose checksums and size are right; points into what was read. */
struct mrl_frame {
    enum mrl_frame_type type;
    const void *payload; /* aligned as the frame is */
    size_t size;
};

/**
 * The frame that begins at `bytes`, aligned to 8. Returns its bytes; 0: it goes on after `size`.
 * Error: -EBADMSG, it is damaged.
 */
ssize_t mrl_frame__parse(const void *bytes,
                         size_t size,
                         struct mrl_frame *ret_frame,
                         struct mrl_error *error);

/** Names as a frame says them, in MRL_FRAME_NAMES_MAX bytes. Returns how many. */
size_t mrl_frame_names__put(uint64_t cgroup, const struct mrl_named *named, char *ret_frame);

/** And back, from `size` bytes, from which the texts are borrowed. Error: -EBADMSG. */
int mrl_frame_names__read(const void *frame,
                          size_t size,
                          uint64_t *ret_cgroup,
                          struct mrl_named *ret_named);

/** A gap as a frame says it: in so many bytes, which are returned. */
size_t mrl_frame_lost__put(const struct mrl_lost *lost, struct mrl_frame_lost *ret_frame);

/** And back, from `size` bytes. Error: -EBADMSG no recorder would write this. */
int mrl_frame_lost__read(const struct mrl_frame_lost *frame,
                         size_t size,
                         struct mrl_lost *ret_lost);

#endif
