// SPDX-License-Identifier: Apache-2.0
/* The cursor's two slots, and its lock. */
#include "spool/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { SECOND_NS = 1000 * 1000 * 1000, LOCK_STEP_MS = 10 };

struct slot {
    char magic[8];
    struct mrl_cursor cursor;
    uint8_t unused[MRL_CURSOR_SLOT_BYTES - 8 - sizeof(struct mrl_cursor) - 4];
    uint32_t crc; /* of all before */
};

_Static_assert(sizeof(struct slot) == MRL_CURSOR_SLOT_BYTES, "cursors are a file format");

static const char magic[8] = "\x89MRLCUR\1";

static bool is_whole(const struct slot *slot)
{
    return !memcmp(slot->magic, magic, sizeof(magic)) && slot->cursor.generation &&
           slot->crc == mrl_spool__crc(0, slot, offsetof(struct slot, crc));
}

static bool is_empty(const struct slot slots[2], size_t size)
{
    const char *bytes = (const char *)slots;

    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

int mrl_cursor__read(int fd, struct mrl_cursor *ret_cursor)
{
    struct slot slots[2] = { { .crc = 0 } };
    const struct slot *better = NULL;
    ssize_t size = pread(fd, slots, sizeof(slots), 0);

    if (size < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        if (is_whole(&slots[i]) &&
            (!better || slots[i].cursor.generation > better->cursor.generation))
            better = &slots[i];
    if (!better)
        return is_empty(slots, (size_t)size) ? -ENODATA : -EBADMSG;
    *ret_cursor = better->cursor;
    return 0;
}

int mrl_cursor__write(int fd, struct mrl_cursor *cursor)
{
    struct slot slot = { .crc = 0 };
    off_t at = (off_t)((cursor->generation + 1) % 2 * sizeof(slot));
    ssize_t size;

    memcpy(slot.magic, magic, sizeof(magic));
    slot.cursor = *cursor;
    slot.cursor.generation++;
    slot.crc = mrl_spool__crc(0, &slot, offsetof(struct slot, crc));
    size = pwrite(fd, &slot, sizeof(slot), at);
    if (size != (ssize_t)sizeof(slot))
        return size < 0 ? -errno : -EIO;
    cursor->generation++;
    return 0;
}

int mrl_cursor__sync(int fd, bool now, int64_t *last_ns)
{
    const int64_t ns = mrl_clock__ns(CLOCK_MONOTONIC);

    if (!now && ns - *last_ns < SECOND_NS)
        return 0;
    *last_ns = ns;
    return fdatasync(fd) ? -errno : 0;
}

int mrl_cursor__lock(int fd, int wait_ms)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    for (; fcntl(fd, F_SETLK, &lock); wait_ms -= LOCK_STEP_MS) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return -errno;
        if (wait_ms <= 0)
            return -EWOULDBLOCK;
        mrl_clock__pause_ms(LOCK_STEP_MS);
    }
    return 0;
}

void mrl_cursor__unlock(int fd)
{
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    fcntl(fd, F_SETLK, &lock);
}

uint64_t mrl_cursor__missing(const struct mrl_cursor *cursor,
                             const struct mrl_spool_numbers *appended,
                             struct mrl_spool_numbers *ret_missing)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < MRL_SPOOL_EVENTS; i++) {
        const uint64_t dealt = mrl_cursor__dealt(cursor, i);

        ret_missing->of[i] = appended->of[i] > dealt ? appended->of[i] - dealt : 0;
        sum += ret_missing->of[i];
    }
    return sum;
}
