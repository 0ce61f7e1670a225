// SPDX-License-Identifier: Apache-2.0
/* The files of a spool: names, headers, and what a frame must be. */
#include "spool/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "\x89MRLSPL\n";

uint32_t mrl_spool__crc(uint32_t crc, const void *bytes, size_t size)
{
    return libdeflate_crc32(crc, bytes, size);
}

/* -- segments --------------------------------------------------------------------------------- */

static uint32_t names_crc(uint32_t events)
{
    uint32_t crc = 0;

    for (uint32_t i = 0; i < events; i++) {
        const char *name = mrl_event_def__at(i)->name;

        crc = mrl_spool__crc(crc, name, strlen(name) + 1);
    }
    return crc;
}

void mrl_segment__seal(struct mrl_segment_header *header)
{
    memcpy(header->magic, magic, sizeof(magic));
    header->version = MRL_SPOOL_VERSION;
    header->events = MRL_EVENT_COUNT;
    header->names_crc = names_crc(MRL_EVENT_COUNT);
    header->crc = mrl_spool__crc(0, header, offsetof(struct mrl_segment_header, crc));
}

int mrl_segment__check(const struct mrl_segment_header *header, struct mrl_error *error)
{
    if (memcmp(header->magic, magic, sizeof(magic)) != 0)
        return mrl_error__set(error, -EBADMSG, "it is no segment of a spool, or damaged");
    if (header->version != MRL_SPOOL_VERSION)
        return mrl_error__set(error, -EOPNOTSUPP,
                              "it was written by another version: its layout is %" PRIu32
                              ", this program's %d",
                              header->version, MRL_SPOOL_VERSION);
    if (header->crc != mrl_spool__crc(0, header, offsetof(struct mrl_segment_header, crc)) ||
        memchr(header->format, '\0', sizeof(header->format)) == NULL)
        return mrl_error__set(error, -EBADMSG, "its header is damaged");
    if (header->events > MRL_EVENT_COUNT || header->names_crc != names_crc(header->events))
        return mrl_error__set(error, -EOPNOTSUPP,
                              "it was written by another version, with another event table");
    return 0;
}

int mrl_segment__read(int fd, struct mrl_segment_header *ret_header, struct mrl_error *error)
{
    struct mrl_segment_header header;
    const ssize_t size = pread(fd, &header, sizeof(header), 0);
    int err;

    if (size < 0)
        return mrl_error__set(error, -errno, "%s", strerror(errno));
    if (size < (ssize_t)sizeof(header))
        return mrl_error__set(error, -EBADMSG, "it ends within its header");
    err = mrl_segment__check(&header, error);
    if (!err)
        *ret_header = header;
    return err;
}

void mrl_segment__name(uint64_t number, char name[MRL_SPOOL_NAME_BYTES])
{
    snprintf(name, MRL_SPOOL_NAME_BYTES, "%016" PRIx64 ".spl", number);
}

bool mrl_segment__number(const char *name, uint64_t *ret_number)
{
    char again[MRL_SPOOL_NAME_BYTES];
    uint64_t number;

    if (sscanf(name, "%16" SCNx64, &number) != 1)
        return false;
    mrl_segment__name(number, again);
    if (strcmp(again, name) != 0)
        return false;
    *ret_number = number;
    return true;
}

/* -- frames ----------------------------------------------------------------------------------- */

bool mrl_items__is_frame(const struct mrl_frame_header *header)
{
    return header->type == MRL_FRAME_ITEMS && header->size >= sizeof(struct mrl_items_head) &&
           header->size <= MRL_SPOOL_PAYLOAD_MAX &&
           header->header_crc ==
               mrl_spool__crc(0, header, offsetof(struct mrl_frame_header, header_crc));
}

/* Each item has a head, and is of an event that the table has. */
static bool are_items(const struct mrl_items_head *head, const char *payload, size_t size)
{
    const uint32_t *sizes =
        (const uint32_t *)(payload + sizeof(*head) + head->events * sizeof(uint64_t));
    size_t at = mrl_items__before(head->events, head->items);

    for (uint32_t i = 0; i < head->items; i++) {
        struct mrl_item_head item;

        if (sizes[i] < sizeof(item) || sizes[i] > size - at)
            return false;
        memcpy(&item, payload + at, sizeof(item));
        if (item.event >= head->events)
            return false;
        at += sizes[i];
    }
    return at == size;
}

bool mrl_items__is_whole(const struct mrl_frame_header *header, const char *payload)
{
    const struct mrl_items_head *head = (const struct mrl_items_head *)payload;
    size_t whole = mrl_frame__bytes(header->size) - sizeof(*header);

    return header->payload_crc == mrl_spool__crc(0, payload, whole) && head->items &&
           head->items <= header->size / sizeof(struct mrl_item_head) &&
           head->events <= MRL_EVENT_COUNT && head->item <= UINT64_MAX - head->items &&
           mrl_items__before(head->events, head->items) <= header->size &&
           are_items(head, payload, header->size);
}
