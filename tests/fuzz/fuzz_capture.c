// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a capture, through the replay source and the pipeline's formats: refused, or events
 * and an end. Once as they are, and once with right checksums; else hardly any input would get past
 * them.
 */
#include <errno.h>
#include <mrelease/encode.h>
#include <mrelease/plugin.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include <sys/mman.h>

#include "event/capture_format.h"
#include "fuzz.h"

static uint32_t checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32(0, bytes, (unsigned int)size);
}

static void mend_frames(uint8_t *bytes, size_t size)
{
    size_t at = sizeof(struct mrl_capture_header);
    struct mrl_frame_header frame;

    while (at + sizeof(frame) <= size) {
        size_t whole;

        memcpy(&frame, bytes + at, sizeof(frame));
        frame.header_crc = checksum(&frame, offsetof(struct mrl_frame_header, header_crc));
        whole = mrl_frame__bytes(frame.size);
        if (whole <= size - at)
            frame.payload_crc = checksum(bytes + at + sizeof(frame), whole - sizeof(frame));
        frame.header_crc = checksum(&frame, offsetof(struct mrl_frame_header, header_crc));
        memcpy(bytes + at, &frame, sizeof(frame));
        at += whole;
    }
}

static void mend(uint8_t *bytes, size_t size)
{
    struct mrl_capture_header header;

    if (size < sizeof(header))
        return;
    memcpy(&header, bytes, sizeof(header));
    header.crc = checksum(&header, offsetof(struct mrl_capture_header, crc));
    memcpy(bytes, &header, sizeof(header));
    mend_frames(bytes, size);
}

static void encode(const struct mrl_batch *batch, size_t count)
{
    static char text[MRL_EVENT_TEXT_MAX];
    static const char *const formats[] = { "json", "table", "capture" };

    for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
        struct mrl_encoder *encoder;

        must(!mrl_encoder__new(formats[f], NULL, NULL, &encoder));
        for (size_t i = 0; i < count; i++)
            must(mrl_encoder__put(encoder, mrl_batch__at(batch, i), text, sizeof(text)) > 0);
        mrl_encoder__free(encoder);
    }
}

static void replay(const char *path)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;
    struct mrl_error error = { "" };
    struct mrl_plugin *plugin;
    struct mrl_batch *batch;
    int count;

    options.replay = path;
    if (mrl_plugin__open(&options, &error, &plugin)) {
        must(error.text[0]);
        return;
    }
    while ((count = mrl_plugin__next_batch(plugin, 0, &batch)) >= 0) {
        must(count); /* a file is never waited for */
        encode(batch, (size_t)count);
        mrl_batch__unref(batch);
    }
    must(count == -ENODATA || count == -EBADMSG);
    must(mrl_plugin__error(plugin)[0]);
    mrl_plugin__close(plugin);
}

static void replay_bytes(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    char path[64];

    must(fd >= 0);
    must(write(fd, bytes, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    replay(path);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(size + 1);

    must(bytes);
    memcpy(bytes, data, size);
    replay_bytes(bytes, size);
    mend(bytes, size);
    replay_bytes(bytes, size);
    free(bytes);
    return 0;
}
