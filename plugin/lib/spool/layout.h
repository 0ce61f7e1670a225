/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a spool look like (docs/spool.md). Layout and checks only: append.c writes
 * segments, reader.c reads them, cursor.c does both with the cursor. Little-endian.
 */
#ifndef MRL_SPOOL_LAYOUT_H
#define MRL_SPOOL_LAYOUT_H

#include <mrelease/error.h>
#include <mrelease/item.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/capture_format.h"

/** Increment when a reader of the version before would misread a spool. */
#define MRL_SPOOL_VERSION 1

enum {
    MRL_SPOOL_EVENTS = 32, /* the event table may grow to so many rows */
    MRL_SPOOL_FORMAT_BYTES = 32,
    MRL_SPOOL_ID_BYTES = 16,
    MRL_SPOOL_NAME_BYTES = 24,                    /* of a segment's file, "%016x.spl" */
    MRL_SPOOL_PAYLOAD_MAX = (1 << 20) + (1 << 16) /* a reader holds one frame */
};

/** One number per event, at its index in the event table. */
struct mrl_spool_numbers {
    uint64_t of[MRL_SPOOL_EVENTS];
};

/** First in a segment. */
struct mrl_segment_header {
    char magic[8];
    uint32_t version;
    uint32_t events;    /* rows of the event table */
    uint32_t names_crc; /* of their names: what an index means */
    uint32_t reserved;
    char format[MRL_SPOOL_FORMAT_BYTES]; /* filled up with NULs */
    uint8_t id[MRL_SPOOL_ID_BYTES];      /* the spool's own, random */
    uint64_t number;                     /* as the file's name says */
    uint64_t item;                       /* number of its first item */
    uint64_t last_ns;                    /* time of the last item before it; 0: there was none */
    struct mrl_spool_numbers appended;   /* before it, in all runs */
    uint64_t budget;                     /* in bytes, when it was begun */
    uint8_t unused[148];
    uint32_t crc; /* of all before */
};

enum { MRL_FRAME_ITEMS = 0x4d455449 /* type of a frame: "ITEM" */ };

/**
 * Begins the payload of a frame. Behind it: what was appended before it, `events` numbers of 64
 * bits; the sizes of the items, of 32 bits each, heads included, filled up to 8 bytes; the items,
 * each its head and its bytes.
 */
struct mrl_items_head {
    uint64_t item; /* number of the first */
    uint32_t items;
    uint32_t events;
};

_Static_assert(sizeof(struct mrl_segment_header) == 512, "segments are a file format");
_Static_assert(sizeof(struct mrl_items_head) == 16, "frames are a file format");
_Static_assert(MRL_EVENT_COUNT <= (int)MRL_SPOOL_EVENTS, "a number for each event");

/** The checksum of all files. */
uint32_t mrl_spool__crc(uint32_t crc, const void *bytes, size_t size);

/** Fills in what is the same in each segment, and the CRC. */
void mrl_segment__seal(struct mrl_segment_header *header);

/** Whether this program can read what follows. Errors, with a line: -EBADMSG no segment, or
 * damaged; -EOPNOTSUPP of another version, or with another event table. */
int mrl_segment__check(const struct mrl_segment_header *header, struct mrl_error *error);

/** Reads a header, and checks it. Errors, with a line: as mrl_segment__check(); as pread(). */
int mrl_segment__read(int fd, struct mrl_segment_header *ret_header, struct mrl_error *error);

/** The name of a segment's file, and back: whether `name` is one. */
void mrl_segment__name(uint64_t number, char name[MRL_SPOOL_NAME_BYTES]);
bool mrl_segment__number(const char *name, uint64_t *ret_number);

/** Bytes of a payload before its items: a multiple of 8. */
static inline size_t mrl_items__before(uint32_t events, uint32_t items)
{
    return sizeof(struct mrl_items_head) + events * sizeof(uint64_t) +
           (((size_t)items * sizeof(uint32_t) + 7) & ~(size_t)7);
}

/** Whether the header of a frame is one, and its payload may be so large. */
bool mrl_items__is_frame(const struct mrl_frame_header *header);

/** Whether the payload behind such a header is whole, and its parts fit into it. `payload` is
 * aligned to 8. */
bool mrl_items__is_whole(const struct mrl_frame_header *header, const char *payload);

#endif
