// SPDX-License-Identifier: Apache-2.0
/* The verb verify: packed files, whole, damaged, put together, or packed by what it does not read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "unit/folders.h"
#include "unit/streams.h"
#include "unit/unit.h"

static void a_set_is_one_stream_however_it_is_packed(void **state)
{
    struct folder *folder = *state;

    for (enum stream_packing packing = 0; packing < STREAM_PACKINGS; packing++) {
        folder->count = 0;
        stream__write(folder__name(folder, "a"), packing, folder_lines + FOLDER_HALF, FOLDER_HALF,
                      0);
        stream__write(folder__name(folder, "b"), STREAM_PLAIN, folder_lines, FOLDER_HALF, 0);
        folder__assert_verdict(folder, false, FOLDER_COMPLETE, "complete: 2 events");
        folder__assert_verdict(folder, true, FOLDER_COMPLETE, "complete: 2 events");
        free(folder->paths[0]);
        free(folder->paths[1]);
        memset(folder->paths, 0, sizeof(folder->paths));
    }
    folder->count = 0;
}

/* It may be the part of the stream that is missing: left out in silence, it would be. */
static void what_others_pack_is_named_and_not_left_out(void **state)
{
    static const struct {
        const char *says, magic[8];
        size_t size;
    } packed[] = {
        { "packed by lz4: unpack it first", { 4, 0x22, 0x4d, 0x18 }, 4 },
        { "packed by lzma: unpack it first", { 0x5d, 0, 0 }, 3 },
        { "packed by zip: unpack it first", { 'P', 'K', 3, 4 }, 4 },
        { "packed by xz: unpack it first", { (char)0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
        { "packed by bzip2: unpack it first", { 'B', 'Z', 'h' }, 3 },
    };
    struct folder *folder = *state;
    char bytes[64] = "";

    stream__write(folder__name(folder, "a"), STREAM_PLAIN, folder_lines, FOLDER_WHOLE, 0);
    folder__name(folder, "b");
    for (size_t i = 0; i < COUNT_OF(packed); i++) {
        memcpy(bytes, packed[i].magic, packed[i].size);
        stream__write_bytes(folder->paths[1], STREAM_PLAIN, bytes, sizeof(bytes));
        folder__assert_verdict(folder, true, FOLDER_CHANGED, packed[i].says);
    }
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    size = fread(bytes, 1, size, file);
    fclose(file);
    return size;
}

static void packed_files_that_are_cut_or_damaged_are_told(void **state)
{
    struct folder *folder = *state;
    static char bytes[4096];
    const char *path = folder__name(folder, "a");

    for (enum stream_packing packing = STREAM_GZIP; packing < STREAM_PACKINGS; packing++) {
        size_t size;

        stream__write(path, packing, folder_lines, FOLDER_WHOLE, 0);
        size = read_file(path, bytes, sizeof(bytes));
        for (size_t cut = 12; cut < size; cut += 7) {
            stream__write_bytes(path, STREAM_PLAIN, bytes, cut);
            folder__assert_verdict(folder, false, FOLDER_CHANGED,
                                   "a: cut off: what was packed does not end");
        }
        bytes[size / 2] ^= 0x55;
        bytes[size / 2 + 1] ^= 0x55;
        stream__write_bytes(path, STREAM_PLAIN, bytes, size);
        folder__assert_verdict(folder, false, FOLDER_CHANGED, "a: damaged: what ");
    }
}

/* As `cat a.gz b.gz` makes them, and tapes. */
static void packed_files_may_be_put_together(void **state)
{
    struct folder *folder = *state;
    static char bytes[8192];
    const char *path = folder__name(folder, "a");

    for (enum stream_packing packing = STREAM_GZIP; packing < STREAM_PACKINGS; packing++) {
        size_t size;

        stream__write(path, packing, folder_lines + FOLDER_HALF, FOLDER_HALF, 0);
        size = read_file(path, bytes, sizeof(bytes));
        stream__write(path, packing, folder_lines, FOLDER_HALF, 0);
        size += read_file(path, bytes + size, sizeof(bytes) - size);
        if (packing == STREAM_GZIP) {
            memset(bytes + size, 0, 100);
            size += 100;
        }
        stream__write_bytes(path, STREAM_PLAIN, bytes, size);
        folder__assert_verdict(folder, false, FOLDER_COMPLETE, "complete: 2 events");
    }
}

/* pzstd writes a frame that says nothing before each that has data. */
static void what_pzstd_packed_is_read(void **state)
{
    static const unsigned char nothing[12] = { 0x50, 0x2a, 0x4d, 0x18, 4 };
    struct folder *folder = *state;
    const char *const path = folder__name(folder, "a");
    char text[8192], bytes[8192];
    size_t size;

    stream__write(path, STREAM_PLAIN, folder_lines, FOLDER_WHOLE, 0);
    size = read_file(path, text, sizeof(text));
    memcpy(bytes, nothing, sizeof(nothing));
    size = ZSTD_compress(bytes + sizeof(nothing), sizeof(bytes) - sizeof(nothing), text, size, 1);
    assert_false(ZSTD_isError(size));
    stream__write_bytes(path, STREAM_PLAIN, bytes, sizeof(nothing) + size);
    folder__assert_verdict(folder, true, FOLDER_COMPLETE, "complete: 2 events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_set_is_one_stream_however_it_is_packed),
        IN_FOLDER(what_others_pack_is_named_and_not_left_out),
        IN_FOLDER(packed_files_that_are_cut_or_damaged_are_told),
        IN_FOLDER(packed_files_may_be_put_together),
        IN_FOLDER(what_pzstd_packed_is_read),
    };

    return cmocka_run_group_tests_name("verify, packed", tests, NULL, NULL);
}
