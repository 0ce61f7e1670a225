// SPDX-License-Identifier: Apache-2.0
#include "unit/streams.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "command/verify/verify.h"
#include "unit/unit.h"

/* -- lines ------------------------------------------------------------------------------------ */

/* As the default dialect has it, and long enough to be read by the fast path only. */
#define HEAD                                                                                     \
    "{\"timestamp\":%u,\"threadStartTime\":0,\"processorId\":%u,\"processId\":7,\"cgroupId\":1," \
    "\"processName\":\"oomd\",\"executable\":{\"path\":\"\"},\"container\":{},"                  \
    "\"eventName\":\"%s\",\"matchedPolicies\":[\"\"],\"returnValue\":-22,"                       \
    "\"stackAddresses\":null,\"contextFlags\":{\"containerStarted\":false},\"args\":["
#define TEXT(name)   "{\"name\":\"" name "\",\"type\":\"const char*\",\"value\":\"%s\"}"
#define NUMBER(name) "{\"name\":\"" name "\",\"type\":\"unsigned long\",\"value\":%llu}"

static void print_state(FILE *to, const struct stream_line *line)
{
    static const char *const words[] = {
        [STREAM_STARTED] = "started", [STREAM_ALIVE] = "alive", [STREAM_STOPPED] = "stopped"
    };
    char detail[96], output[32] = "";

    if (line->output)
        snprintf(output, sizeof(output), "; output=%u", line->output);
    snprintf(detail, sizeof(detail), "run=00000000deadbeef-%016x%s; version=1", line->run, output);
    fprintf(to, HEAD TEXT("what") "," TEXT("detail") "," NUMBER("events_so_far") "]}\n",
            line->run + 1, 0U, "sensor_state", words[line->kind], detail,
            (unsigned long long)line->so_far);
}

static void print_line(FILE *to, const struct stream_line *line)
{
    if (line->kind == STREAM_EVENT)
        fprintf(to, HEAD NUMBER("addr") "," NUMBER("seq") "," NUMBER("lane") "]}\n", line->run + 1,
                line->cpu, "mlock", ~0ULL, (unsigned long long)line->seq,
                (unsigned long long)line->lane);
    else if (line->kind == STREAM_LOST)
        fprintf(to, HEAD TEXT("event") "," TEXT("cause") "," NUMBER("count") "]}\n", line->run + 1,
                line->cpu, "events_lost", line->lane ? "mlock" : "process_mrelease", "ring_full",
                1ULL);
    else
        print_state(to, line);
}

/* -- files ------------------------------------------------------------------------------------ */

static void write_gzip(const char *path, const char *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb1");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned int)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static void write_plain(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* With a checksum, as the program zstd has it. */
static void write_zstd(const char *path, const char *bytes, size_t size)
{
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(size);
    char *packed = malloc(room);

    assert_non_null(packer);
    assert_non_null(packed);
    ZSTD_CCtx_setParameter(packer, ZSTD_c_checksumFlag, 1);
    room = ZSTD_compress2(packer, packed, room, bytes, size);
    assert_false(ZSTD_isError(room));
    write_plain(path, packed, room);
    free(packed);
    ZSTD_freeCCtx(packer);
}

void stream__write_bytes(const char *path,
                         enum stream_packing packing,
                         const char *bytes,
                         size_t size)
{
    static void (*const writers[STREAM_PACKINGS])(const char *, const char *,
                                                  size_t) = { write_plain, write_gzip, write_zstd };

    writers[packing](path, bytes, size);
}

void stream__write(const char *path,
                   enum stream_packing packing,
                   const struct stream_line *lines,
                   unsigned int count,
                   unsigned int torn)
{
    char *bytes;
    size_t size;
    FILE *text = open_memstream(&bytes, &size);

    assert_non_null(text);
    for (unsigned int i = 0; i < count; i++)
        print_line(text, &lines[i]);
    fclose(text);
    stream__write_bytes(path, packing, bytes, size - torn);
    free(bytes);
}

/* -- verify ----------------------------------------------------------------------------------- */

int stream__verify(char *const *paths, const char *format, char **ret_said)
{
    bool json = !strcmp(format, "json");
    size_t size;
    FILE *text = open_memstream(ret_said, &size);
    int status;

    assert_non_null(text);
    status = mrl_verify__files(paths, json ? &mrl_report_json : &mrl_report_text, text);
    fclose(text);
    return status;
}

void stream__make_directory(char path[64])
{
    snprintf(path, 64, "/tmp/mrelease-streams-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void stream__remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory)))
        unlinkat(dirfd(directory), entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    closedir(directory);
    rmdir(path);
}
